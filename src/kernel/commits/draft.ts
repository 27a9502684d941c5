/**
 * One transaction in the making: what is appended, and what it changes about senses. Nothing in memory changes until
 * `keep`, which is only called once the transaction is committed; a draft that failed is thrown away. Whatever else a
 * change leads to is done after the commit: `afterwards` is the one way to say so.
 */
import type { Moment } from "../../base/clock.ts";
import { counted } from "../../base/counted.ts";
import type { NewLog } from "../../model/log.ts";
import { textOf } from "../../model/quiet-events.ts";
import { advance, isOver, type Run, type RunEvent } from "../../model/run.ts";
import { decisionKey } from "../../model/run-decision.ts";
import { type KeyState, REST, storedKeyState } from "../../rules/key-state.ts";
import type { Store } from "../../store/open.ts";
import type { ReflexState } from "../../store/reflex-state.ts";
import type { Owed, OwedChange, Quarantine } from "../../store/sense-state.ts";
import type { NewSignal } from "../../store/signals.ts";
import type { KeyMemory, Remembering } from "../memory/key.ts";
import { type LiveRun, wordsOf } from "../memory/run.ts";
import type { Sense } from "../memory/sense.ts";
import { rowOf, Voice } from "./voice.ts";

interface Coalesced {
  readonly causes: number[];
  readonly trace: string;
}

/** What a reflex remembers of a key from here on; null when that is nothing. */
interface Remembered {
  readonly states: Remembering;
  readonly state: KeyState | null;
}

/** Runs of one workflow that this transaction lets in. */
export interface Admitted {
  started: number;
  queued: number;
  /** Those that wait in batches; less than 0 where more have left than come. */
  batched: number;
  /** Those among them that report an incident. */
  readonly reports: LiveRun[];
}

export class Draft {
  readonly #store: Store;
  readonly #now: number;
  readonly #owed = new Map<Sense, Owed | null>();
  readonly #unanswered = new Map<Sense, readonly number[]>();
  readonly #coalesced = new Map<Sense, Coalesced>();
  readonly #taken = new Map<Sense, number>();
  readonly #runs = new Map<LiveRun, Run>();
  /** Their quiet events, as this transaction leaves them. */
  readonly #quiet = new Map<LiveRun, number>();
  /** Of them, those whose row in the table is not what their logs say. */
  readonly #corrected = new Set<LiveRun>();
  /** Runs that reflexes decide in this transaction, by {@link decisionKey}. */
  readonly #decided = new Map<string, number>();
  readonly #keys = new Map<KeyMemory, Remembered>();
  readonly #cleared = new Set<string>();
  readonly #admitted = new Map<object, Admitted>();
  readonly #started = new Map<Sense, Moment>();
  readonly #afterwards: (() => void)[] = [];

  constructor(store: Store, now: number) {
    this.#store = store;
    this.#now = now;
  }

  /** Unix milliseconds its records carry. */
  get now(): number {
    return this.#now;
  }

  /** `act` runs after the commit, when memory has followed it. Acts run in the order in which they were added. */
  afterwards(act: () => void): void {
    this.#afterwards.push(act);
  }

  /** At least one; returns the id of the first. The others have the ids that follow. */
  signals(signals: readonly NewSignal[]): number {
    return this.#store.signals.appendMany(signals);
  }

  /** A row of the log as it stands; returns its id. */
  append(log: NewLog): number {
    return this.#store.logs.append(log);
  }

  /** `source` speaks to the log table alone. */
  log(source: string, trace: string | null): Voice {
    return new Voice(source, trace, (entry) => void this.append(rowOf(entry, this.#now)));
  }

  /**
   * `sense` is to compute for `next`; returns the decision that stands then. One that still waits is coalesced into a
   * newer signal's; a tick or a trigger by hand, which has no cause, is answered by whatever waits.
   */
  owe(sense: Sense, next: Owed): Owed {
    const before = this.#currentlyOwed(sense);
    const waiting = before === sense.flight?.owed ? null : before;
    if (waiting !== null && next.cause === null) return waiting;
    if (waiting === null && before !== null && before.cause !== null) this.#unanswered.set(sense, [before.cause]);
    if (waiting === null || waiting.cause === null || next.cause === null) {
      this.#owed.set(sense, next);
      return next;
    }
    // A deadline may be of an older signal than the one that waits.
    const [newest, older] = next.cause < waiting.cause ? [waiting, next.cause] : [next, waiting.cause];
    this.#owed.set(sense, newest);
    if (newest.cause === older) return newest;
    this.#coalesce(sense, older, newest.trace);
    return newest;
  }

  #coalesce(sense: Sense, cause: number, trace: string): void {
    const causes = this.#coalesced.get(sense)?.causes ?? [];
    causes.push(cause);
    this.#coalesced.set(sense, { causes, trace });
  }

  /** A compute that began for `answered` has settled: it is owed no longer, unless something newer is. */
  settle(sense: Sense, answered: Owed | null): void {
    if (answered === null) return;
    const owed = this.#currentlyOwed(sense);
    if (owed === answered) this.#owed.set(sense, null);
    else this.#setUnanswered(sense, owed, []);
  }

  /** The compute that was under way when what is owed was decided never settles: it is answered with that. */
  overtake(sense: Sense): void {
    const owed = this.#currentlyOwed(sense);
    if (owed === null || sense.flight !== null) return;
    for (const cause of this.#currentlyUnanswered(sense)) this.#coalesce(sense, cause, owed.trace);
    this.#setUnanswered(sense, owed, []);
  }

  #setUnanswered(sense: Sense, owed: Owed | null, causes: readonly number[]): void {
    if (this.#currentlyUnanswered(sense).length === 0) return;
    this.#unanswered.set(sense, causes);
    this.#owed.set(sense, owed);
  }

  #currentlyUnanswered(sense: Sense): readonly number[] {
    return this.#unanswered.get(sense) ?? sense.unanswered;
  }

  /** What is owed is cancelled: true when there was something. */
  cancelOwed(sense: Sense): boolean {
    const owed = this.#currentlyOwed(sense);
    if (owed !== null) this.#owed.set(sense, null);
    return owed !== null;
  }

  /** What is owed to senses that are no longer there. */
  cancelOwedOf(names: readonly string[]): void {
    this.#store.senses.setOwed(names.map((sense) => ({ sense, owed: null, unanswered: [] })));
  }

  started(sense: Sense, moment: Moment): void {
    this.#store.senses.setStarted(sense.name, moment);
    this.#started.set(sense, moment);
  }

  /** Takes outbox row `row` exactly once: false when it was taken before. */
  takeOutbox(sense: Sense, row: number): boolean {
    if (row <= (this.#taken.get(sense) ?? sense.outbox)) return false;
    this.#taken.set(sense, row);
    return true;
  }

  strikes(sense: Sense, strikes: number, quarantine: Quarantine | null): void {
    this.#store.senses.setStrikes(sense.name, strikes);
    this.#store.senses.setQuarantine(sense.name, quarantine);
  }

  reflex(row: ReflexState): void {
    this.#store.reflexes.set(row);
  }

  /** What is remembered of a key, as this transaction leaves it. */
  keyState(memory: KeyMemory): KeyState {
    const remembered = this.#keys.get(memory);
    return remembered === undefined ? memory.state : (remembered.state ?? REST);
  }

  remember(states: Remembering, memory: KeyMemory, state: KeyState | null): void {
    this.#keys.set(memory, { states, state });
  }

  /** Nothing is remembered of `reflex`, whatever else this transaction does. */
  clearReflex(reflex: string): void {
    this.#cleared.add(reflex);
  }

  isCleared(reflex: string): boolean {
    return this.#cleared.has(reflex);
  }

  /** What `workflow` has let in within this transaction: to be counted up by whoever does. */
  admitted(workflow: object): Admitted {
    const known = this.#admitted.get(workflow) ?? { started: 0, queued: 0, batched: 0, reports: [] };
    this.#admitted.set(workflow, known);
    return known;
  }

  /** The row of `run` as this transaction leaves it. */
  row(run: LiveRun): Run | null {
    return this.#runs.get(run) ?? run.row;
  }

  /** The id of the run that `reflex` decided for `decision`, now or before; null: there is none. */
  runDecided(reflex: string, decision: string): number | null {
    const now = this.#decided.get(decisionKey(reflex, decision));
    return now ?? this.#store.runs.decidedAsFound(reflex, decision)?.id ?? null;
  }

  /**
   * Logs an event of `run`; its row, where the event changes it, follows in the same transaction. False, and nothing happens,
   * when the run has ended (G3): the first ending counts.
   */
  run(run: LiveRun, event: RunEvent, codeChanged = false): boolean {
    const before = this.row(run);
    if (before !== null && isOver(before.state)) return false;
    const { level, message } = wordsOf(run.id, event, codeChanged);
    const { id: number, workflow, trace, source } = run;
    const quiet = this.#quiet.get(run) ?? run.quiet;
    const data = textOf(event, before, quiet);
    const log = { at: this.#now, level, source, event: event.event, run: number, trace, message, data };
    const id = this.#store.logs.append(log);
    const row = advance(before, { id, at: this.#now, run: number, workflow, trace }, event, quiet);
    this.#quiet.set(run, row === before ? quiet + 1 : 0);
    if (row !== before) this.#runs.set(run, row);
    if (before === null && row.reflex !== null && row.decision !== null) {
      this.#decided.set(decisionKey(row.reflex, row.decision), run.id);
    }
    return true;
  }

  /** The logs of `run` say `row`, and that `quiet` events came since. With `differs` the table is to say that, too. */
  readRun(run: LiveRun, row: Run, quiet: number, differs: boolean): void {
    // A row of an earlier build names a later event, and has counted the quiet ones.
    this.#quiet.set(run, differs || this.row(run)?.last_log_id === row.last_log_id ? quiet : 0);
    if (!differs) return;
    this.#runs.set(run, row);
    this.#corrected.add(run);
  }

  #currentlyOwed(sense: Sense): Owed | null {
    const drafted = this.#owed.get(sense);
    return drafted === undefined ? sense.owed : drafted;
  }

  /** Last act inside the transaction. */
  finish(): void {
    const owedOf = ([sense, owed]: readonly [Sense, Owed | null]): OwedChange => ({
      sense: sense.name,
      owed,
      unanswered: this.#currentlyUnanswered(sense),
    });
    this.#store.senses.setOwed([...this.#owed].map(owedOf));
    this.#store.senses.setOutbox([...this.#taken].map(([{ name: sense }, outbox]) => ({ sense, outbox })));
    for (const [memory, { states, state }] of this.#keys) {
      const { name: reflex, definition } = states;
      if (state !== null) this.reflex({ reflex, key: memory.key, definition, state: storedKeyState(state) });
      else if (memory.state !== REST) this.#store.reflexes.forget(reflex, memory.key);
    }
    for (const reflex of this.#cleared) this.#store.reflexes.clear(reflex);
    const [made, changed]: [Run[], Run[]] = [[], []];
    for (const [run, row] of this.#runs) {
      if (run.row === null) made.push(row);
      else if (this.#corrected.has(run)) this.#store.runs.replace(row);
      else changed.push(row);
    }
    this.#store.runs.insert(...made);
    this.#store.runs.update(...changed);
    for (const [sense, { causes, trace }] of this.#coalesced) {
      const message = `${counted(causes.length, "earlier signal")} answered by one compute`;
      this.log(`sense:${sense.name}`, trace).debug("compute.coalesced", message, { causes });
    }
  }

  /** After the commit: memory follows it. */
  keep(): void {
    for (const [sense, moment] of this.#started) sense.keepStarted(moment);
    for (const [sense, owed] of this.#owed) {
      sense.keepOwed(owed, this.#currentlyUnanswered(sense));
    }
    for (const [sense, row] of this.#taken) sense.keepOutbox(row);
    for (const [memory, { states, state }] of this.#keys) states.kept(memory, state);
    for (const [run, row] of this.#runs) {
      if (run.row === null) run.inputLength = row.input?.length ?? 0;
      run.row = row.input === null ? row : { ...row, input: null };
    }
    for (const [run, quiet] of this.#quiet) run.quiet = quiet;
  }

  /** After `keep`: what was put off until then. */
  conclude(): void {
    for (const act of this.#afterwards) act();
  }
}
