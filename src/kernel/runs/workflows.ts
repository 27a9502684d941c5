/**
 * Owns all workflows of the configuration and the runs that have not ended: which workflows exist under a configuration and
 * the next, and the starts of runs. A decision to start a run is part of the transaction that leads to it (G1). Ids of runs
 * only grow.
 */
import type { Json } from "../../base/json.ts";
import type { NerveConfig } from "../../model/config.ts";
import { formatProblem, type Problem } from "../../model/problem.ts";
import { isAlive, isOver, type Run } from "../../model/run.ts";
import type { Trigger } from "../../model/trigger.ts";
import type { Locations } from "../../spawn/modules-on-disk.ts";
import type { LiveRuns } from "../../store/live-runs.ts";
import type { Draft } from "../commits/draft.ts";
import { LiveRun, type RunOrder } from "../memory/run.ts";
import { RunCounts } from "../memory/run-counts.ts";
import { ByHand } from "./by-hand.ts";
import { Channels } from "./channels.ts";
import { Endings } from "./endings.ts";
import { Histories, type Reading } from "./histories.ts";
import { KernelOfRuns, type WorkflowsParts } from "./kernel-of-runs.ts";
import { type LeftRun, LiveNote, leftRuns } from "./left-runs.ts";
import { RunVoice } from "./run-voice.ts";
import { Workflow } from "./workflow.ts";

/** What a reflex starts a run with. */
export interface Decided {
  readonly input: Json;
  readonly trigger: Trigger & { readonly reflex: string };
  /** In the spelling of `model/run-decision.ts`. */
  readonly decision: string;
}

export class Workflows {
  readonly byName = new Map<string, Workflow>();
  readonly byHand: ByHand;
  readonly endings: Endings;
  readonly channels: Channels;
  readonly #parts: WorkflowsParts;
  readonly #histories: Histories;
  readonly #voice: RunVoice;
  readonly #host: KernelOfRuns;
  readonly #live = new Map<number, LiveRun>();
  /** Runs that may live, and whose row and logs cannot be read → their first logs. */
  readonly #unread = new Map<number, number>();
  /** By the name of the workflow: a reload makes workflows anew. */
  readonly #counts = new Map<string, RunCounts>();
  readonly #note: LiveNote;
  #config: NerveConfig | null = null;
  #lastRun: number;

  constructor(parts: WorkflowsParts) {
    this.#parts = parts;
    this.#lastRun = parts.store.runs.lastId();
    this.#histories = new Histories(parts.store);
    this.#voice = new RunVoice(parts.journal);
    const { store, ledger, ticker, isWatcher } = parts;
    this.endings = new Endings({ store, isWatcher });
    this.channels = new Channels({
      clock: parts.world.clock,
      store,
      ledger,
      voice: parts.journal.of("kernel"),
      isOwn: (signal) => this.endings.isOwn(signal),
    });
    this.#note = new LiveNote({ store, ledger, ticker, live: () => this.#living() });
    this.#host = new KernelOfRuns({
      parts,
      histories: this.#histories,
      voice: this.#voice,
      channels: this.channels,
      live: this.#live,
      config: () => this.#loaded,
      ended: (run) => this.#ended(run),
    });
    this.byHand = new ByHand({
      store: parts.store,
      histories: this.#histories,
      world: parts.world,
      workflows: this.byName,
      live: (id) => this.#live.get(id),
      admit: (workflow, order) => this.#request(workflow, order),
    });
  }

  // ── configuration ────────────────────────────────────────────────────

  /**
   * Loads the first configuration. Goes on with the runs of an earlier kernel, in the order in which they were asked for.
   */
  load(config: NerveConfig, locations: Locations): void {
    this.#makeAll(config, locations);
    const { store, journal } = this.#parts;
    const { runs, isNoteLost } = store.liveRuns.living();
    if (isNoteLost) journal.of("kernel").warn("runs.note-lost", NOTE_LOST, null);
    // Who has begun comes first: a report that waits finds whom it waits for.
    const left = Object.groupBy(leftRuns(store, runs), ({ row }) => (row?.state === "queued" ? "queued" : "begun"));
    for (const one of [...(left.begun ?? []), ...(left.queued ?? [])]) this.#restore(one);
    this.#note.write();
    this.#note.start();
    for (const workflow of this.byName.values()) workflow.fill();
  }

  /** The logs are believed over the row. */
  #restore(left: LeftRun): void {
    const found = this.#histories.standing(left);
    if (!found.ok) return this.#restoreUnread(left, found.error);
    const { row, quiet, differs, wait, batch, carries } = found.value;
    if (differs) this.#correct(found.value);
    if (isOver(row.state)) return;
    const run = this.#restored(row, quiet);
    run.batch = batch;
    run.carries = carries;
    const workflow = this.byName.get(run.workflow);
    if (workflow === undefined) this.#cancelRemoved(run);
    else workflow.restore(run, wait);
  }

  /** Nothing is written after logs that cannot be read. */
  #restoreUnread({ id, row, firstLog }: LeftRun, problem: Problem): void {
    if (row === null || !isAlive(row.state)) {
      this.#unread.set(id, firstLog ?? 1);
      return this.#voice.cannotRestore(id, row, problem);
    }
    const run = this.#restored(row, this.#histories.quietOf(row));
    const workflow = this.byName.get(run.workflow);
    if (workflow === undefined) this.#voice.waits(run, `${REMOVED}, and ${formatProblem(problem)}`);
    else workflow.hold(run, problem);
  }

  #restored(row: Run, quiet: number): LiveRun {
    const run = LiveRun.restored(row, quiet);
    this.#live.set(run.id, run);
    return run;
  }

  /** Live run → its first log, as of the newest commit. */
  #living(): LiveRuns {
    const living = new Map(this.#unread);
    for (const { id, row } of this.#live.values()) {
      if (row !== null && isAlive(row.state)) living.set(id, row.first_log_id);
    }
    return living;
  }

  #correct(reading: Reading): void {
    const { store, ledger } = this.#parts;
    ledger.write((draft) => {
      store.runs.replace(reading.row);
      this.#voice.corrected(draft, reading);
    });
  }

  /**
   * Takes another configuration. `changed` are the workflows whose entry or code has changed. Returns the ids of the runs
   * that are cancelled because their workflow was removed.
   */
  replace(config: NerveConfig, locations: Locations, changed: ReadonlySet<string>): readonly number[] {
    const cancelled: number[] = [];
    for (const [name, workflow] of this.byName) {
      const entry = config.workflows.get(name);
      if (entry && locations.has(name)) workflow.replace(entry, changed.has(name));
      else cancelled.push(...this.#remove(workflow));
    }
    this.#makeAll(config, locations);
    return cancelled;
  }

  #makeAll(config: NerveConfig, locations: Locations): void {
    this.#config = config;
    this.channels.keep(new Set(config.channels.keys()));
    for (const [name, entry] of config.workflows) {
      const location = locations.get(name);
      if (this.byName.has(name) || location === undefined) continue;
      this.byName.set(name, new Workflow(entry, location, this.#host));
    }
  }

  /** Returns the ids of the runs that it cancels. */
  #remove(workflow: Workflow): number[] {
    this.byName.delete(workflow.name);
    const runs = [...this.#live.values()].filter((run) => run.workflow === workflow.name);
    for (const run of runs) void workflow.cancel(run, REMOVED);
    void workflow.stop();
    return runs.map(({ id }) => id);
  }

  #cancelRemoved(run: LiveRun): void {
    this.#parts.ledger.add({
      write: (draft) => void draft.run(run, { event: "run.cancelled", data: { error: REMOVED } }),
      kept: () => {
        run.to("gone");
        this.#ended(run);
      },
    });
  }

  /** Counts since the kernel started. */
  countsOf(workflow: string): RunCounts {
    const known = this.#counts.get(workflow);
    if (known !== undefined) return known;
    const made = new RunCounts();
    this.#counts.set(workflow, made);
    return made;
  }

  get #loaded(): NerveConfig {
    if (this.#config === null) throw new Error("there is no configuration yet");
    return this.#config;
  }

  #ended(run: LiveRun): void {
    if (!this.#live.delete(run.id) || run.row === null) return;
    this.endings.add(run.row);
    this.countsOf(run.workflow).ends(run.row);
    this.#voice.ended(run, run.row);
  }

  tellPeers(): void {
    for (const workflow of this.byName.values()) workflow.tellPeers(this.#parts.peers());
  }

  // ── starting runs ────────────────────────────────────────────────────

  /** Called inside a transaction, so that ids are in the order of the commits. */
  #admit(draft: Draft, workflow: Workflow, order: RunOrder): LiveRun {
    const run = new LiveRun(++this.#lastRun, workflow.name, order.trace, order.decision);
    const how = workflow.entrance.admit(draft, run, order);
    draft.afterwards(() => {
      this.#live.set(run.id, run);
      workflow.admitted(run, order, how);
      // The workflow was removed while the run waited for its commit.
      if (this.byName.get(workflow.name) !== workflow) void workflow.cancel(run, REMOVED);
    });
    return run;
  }

  /**
   * Starts the run of a reflex's decision, inside the transaction of the decision. Returns the id of the run. A decision
   * that has a run already makes no second run (G1). Null where the workflow was removed while the signal waited for its
   * commit.
   */
  start(draft: Draft, name: string, decided: Decided, trace: string): number | null {
    const workflow = this.byName.get(name);
    if (workflow === undefined) return null;
    const { input, trigger, decision } = decided;
    const known = draft.runDecided(trigger.reflex, decision);
    if (known !== null) return known;
    return this.#admit(draft, workflow, { input, trigger, decision, trace, retryOf: null, fromStep: null }).id;
  }

  /**
   * True when workflow `name` may be let in one run more than `granted`. With `joining` a resolution is to be reported: the
   * reports of that incident that have not begun make room. A removed workflow holds nothing back.
   */
  hasRoom(draft: Draft, name: string, granted: number, joining: string | null): boolean {
    return this.byName.get(name)?.entrance.hasRoom(draft, granted, joining) ?? true;
  }

  /** True when a run of `reflex` waits to begin. */
  hasQueued(reflex: string): boolean {
    for (const { row } of this.#live.values()) if (row?.reflex === reflex && row.state === "queued") return true;
    return false;
  }

  #request(workflow: Workflow, order: RunOrder): Promise<LiveRun> {
    const { promise, resolve } = Promise.withResolvers<LiveRun>();
    this.#parts.ledger.write((draft) => {
      const run = this.#admit(draft, workflow, order);
      draft.afterwards(() => resolve(run));
    });
    return promise;
  }

  // ── the end ──────────────────────────────────────────────────────────

  /** Called when nothing holds everything back any longer. */
  resume(): void {
    for (const workflow of this.byName.values()) workflow.fill();
  }

  async stop(): Promise<void> {
    await Promise.all([...this.byName.values()].map((workflow) => workflow.stop()));
    this.#note.write();
  }

  killAll(why: string): void {
    for (const workflow of this.byName.values()) workflow.kill(why);
  }
}

const NOTE_LOST =
  "the note of which runs live was gone or damaged: older runs are known by their rows alone; `nerve rebuild --check` holds every row against the logs";
const REMOVED = "its workflow is no longer configured";
