/**
 * The reflexes of the configuration: which listen to whose signals, and when the clock makes them due. What a due time
 * leads to is the engine's to decide. A reload leaves those whose definition is the same as they are, due times included.
 */
import type { Clock } from "../../base/clock.ts";
import { DEFAULT_ALIGN, DEFAULT_CATCH_UP_CRON, DEFAULT_CATCH_UP_INTERVAL } from "../../config/defaults.ts";
import type { NerveConfig, ReflexConfig, SenseReflexConfig } from "../../model/config.ts";
import { hasWords } from "../../rules/matcher.ts";
import { isKeyState, type KeyState } from "../../rules/rule.ts";
import { definitionOf } from "../../rules/same-reflex.ts";
import type { Store } from "../../store/open.ts";
import type { StoredReflexState } from "../../store/reflex-state.ts";
import type { Draft } from "../commits/draft.ts";
import type { Journal } from "../commits/journal.ts";
import type { Ledger } from "../commits/ledger.ts";
import type { Sense } from "../memory/sense.ts";
import { type Calendar, cronCalendar, intervalCalendar, jitterOffset, newestDue } from "../time/calendar.ts";
import { type Handle, SET_BACK_MS, type Ticker } from "../time/ticker.ts";
import { KeyStates, type KeyStatesParts } from "./key-states.ts";

export interface Reflex {
  readonly config: ReflexConfig;
  /** Its target as it is configured now; null where that is a workflow. */
  sense: Sense | null;
  /** Digest of what it does, so that state of another definition is not taken for its own. */
  readonly definition: string;
  enabled: boolean;
  /** What it remembers of signals; null for one without words, which fires at each. */
  states: KeyStates | null;
  fired: number;
  throttled: number;
  /** Due time of its newest firing by the clock, where that is kept. */
  last: number | null;
  calendars: Calendar[];
  handles: Handle[];
}

/** Reflexes of one interval and phase: one entry in the ticker, sent and committed together. */
interface Beat {
  readonly reflexes: Set<Reflex>;
  readonly handle: Handle;
}

/** What takes the due times. */
export interface Desk {
  due(sense: Sense, dueMs: number, skipped: number): void;
  dueDurably(sense: Sense, dueMs: number, remember: (draft: Draft) => void, kept: () => void): void;
  dueAtStart(sense: Sense): void;
}

export interface ReflexParts {
  readonly clock: Clock;
  readonly ticker: Ticker;
  readonly ledger: Ledger;
  readonly journal: Journal;
  readonly store: Store;
  readonly desk: Desk;
  /** What a reflex with words is watched with. */
  readonly watching: KeyStatesParts;
}

const FORGOTTEN_AT_ONCE = 500;

const newReflex = (config: ReflexConfig, sense: Sense | null, definition: string, last: number | null): Reflex => ({
  config,
  sense,
  definition,
  enabled: true,
  states: null,
  fired: 0,
  throttled: 0,
  last,
  calendars: [],
  handles: [],
});

/** Row of the newest due time of a reflex with a clock; the others are named by JSON scalars, and by nothing. */
const CLOCK_KEY = "clock";

const reflexRow = (reflex: Reflex, due: number) => ({
  reflex: reflex.config.name,
  key: CLOCK_KEY,
  definition: reflex.definition,
  state: { last: due },
});

const isDue = (state: unknown): boolean => Number.isFinite((state as { last?: unknown } | null | undefined)?.last);

const NONE: readonly Reflex[] = [];

export class Reflexes {
  readonly byName = new Map<string, Reflex>();
  readonly #parts: ReflexParts;
  readonly #listeners = new Map<string, Reflex[]>();
  readonly #beats = new Map<string, Beat>();

  constructor(parts: ReflexParts) {
    this.#parts = parts;
  }

  /** Names of those that start workflows. */
  startingWorkflows(): string[] {
    return [...this.byName.values()]
      .filter(({ config }) => config.kind === "workflow")
      .map(({ config }) => config.name);
  }

  /** In the order of the configuration. */
  listeningTo(sense: string): readonly Reflex[] {
    return this.#listeners.get(sense) ?? NONE;
  }

  /** Reflexes whose definition is the same stay as they are, due times included; the others begin anew. */
  load(
    config: NerveConfig,
    senses: ReadonlyMap<string, Sense>,
    disabled: ReadonlySet<string>,
    starting: boolean,
  ): void {
    const states = Map.groupBy(this.#parts.store.reflexes.all(), (row) => row.reflex);
    const before = new Map(this.byName);
    this.byName.clear();
    this.#listeners.clear();
    const fresh: Reflex[] = [];
    for (const entry of config.reflexes) {
      const sense = entry.kind === "sense" ? senses.get(entry.sense) : null;
      if (sense === undefined) continue;
      const definition = definitionOf(entry);
      const known = before.get(entry.name);
      const reflex =
        known?.definition === definition ? known : this.#make(entry, sense, definition, states.get(entry.name) ?? []);
      if (reflex === known) before.delete(entry.name);
      else fresh.push(reflex);
      reflex.sense = sense;
      reflex.enabled = !disabled.has(`reflex:${entry.name}`);
      this.byName.set(entry.name, reflex);
      for (const name of entry.on) this.#listeners.set(name, [...(this.#listeners.get(name) ?? []), reflex]);
    }
    for (const reflex of before.values()) {
      this.#unschedule(reflex);
      reflex.states?.forgetAll();
    }
    for (const reflex of fresh) {
      this.#schedule(reflex);
      if (reflex.config.kind === "sense" && reflex.config.onStart && (starting || !before.has(reflex.config.name)))
        this.#fireAtStart(reflex);
    }
    for (const name of states.keys()) {
      if (!this.byName.has(name)) this.#forget(name, "it is not configured any more");
    }
    this.#keepSince();
  }

  /** Since which signal each is there: what it decides begins after that one (G1), and can be replayed from there. */
  #keepSince(): void {
    const { store, ledger, clock } = this.#parts;
    const { loadedReflexes: table } = store;
    const isUnknown = table.isUnknown();
    const since = isUnknown ? 0 : store.signals.lastId();
    const at = isUnknown ? 0 : clock.wallMs();
    const known = new Map(table.all().map(({ name, definition }) => [name, definition]));
    const begun = [...this.byName.values()].filter(({ config, definition }) => known.get(config.name) !== definition);
    const gone = [...known.keys()].filter((name) => !this.byName.has(name));
    if (begun.length === 0 && gone.length === 0 && !isUnknown) return;
    ledger.write(() => {
      for (const { config, definition } of begun) table.set({ name: config.name, definition, since, at });
      for (const name of gone) table.remove(name);
      if (isUnknown) table.setKnown();
    });
  }

  /** A reflex with what is stored of it, if that belongs to this definition. */
  #make(config: ReflexConfig, sense: Sense | null, definition: string, rows: readonly StoredReflexState[]): Reflex {
    const isOurs = rows.every((row) => row.definition === definition);
    if (!isOurs) this.#forget(config.name, "its definition has changed");
    const isClock = ({ key }: StoredReflexState): boolean => key === CLOCK_KEY;
    const isWhole = (row: StoredReflexState): boolean => (isClock(row) ? isDue(row.state) : isKeyState(row.state));
    const { ours = [], damaged = [] } = isOurs
      ? Object.groupBy(rows, (row) => (isWhole(row) ? "ours" : "damaged"))
      : {};
    for (const { key } of damaged) this.#forgetDamaged(config.name, key);
    const clock = ours.find(isClock)?.state as { last: number } | undefined;
    const reflex = newReflex(config, sense, definition, clock?.last ?? null);
    if (config.on.length === 0 || !hasWords(config)) return reflex;
    const states = KeyStates.of(config, definition, this.#parts.watching);
    if (!states.ok) throw new Error(`reflex ${config.name}: ${states.error.path}: ${states.error.message}`);
    reflex.states = states.value;
    const keys = ours.filter((row) => !isClock(row));
    reflex.states.restore(keys.map(({ key, state }) => ({ key, state: state as unknown as KeyState })));
    return reflex;
  }

  /** Forgets the keys that have come to rest: their rows go, a few at a time. */
  forgetKeysAtRest(): void {
    for (const { states } of this.byName.values()) {
      if (states === null) continue;
      const resting = states.atRest();
      for (let from = 0; from < resting.length; from += FORGOTTEN_AT_ONCE) {
        const some = resting.slice(from, from + FORGOTTEN_AT_ONCE);
        // A signal may have come meanwhile.
        this.#parts.ledger.write((draft) => {
          for (const memory of some) if (states.rests(memory, draft)) draft.remember(states, memory, null);
        });
      }
    }
  }

  #unschedule(reflex: Reflex): void {
    for (const handle of reflex.handles) handle.cancel();
    for (const [name, beat] of this.#beats) {
      if (!beat.reflexes.delete(reflex) || beat.reflexes.size > 0) continue;
      beat.handle.cancel();
      this.#beats.delete(name);
    }
  }

  #forget(name: string, why: string): void {
    const store = this.#parts.store;
    this.#parts.ledger.write(() => store.reflexes.clear(name));
    const message = `what it remembered is cleared: ${why}`;
    this.#parts.journal.log({
      level: "info",
      source: `reflex:${name}`,
      event: "reflex.cleared",
      message,
      data: null,
      trace: null,
    });
  }

  /** Something else than nerve has written it, or the disk has lost it. */
  #forgetDamaged(name: string, key: string): void {
    const store = this.#parts.store;
    this.#parts.ledger.write(() => store.reflexes.forget(name, key));
    const of = key === "" || key === CLOCK_KEY ? "" : ` of the key ${key}`;
    this.#parts.journal.log({
      level: "error",
      source: `reflex:${name}`,
      event: "reflex.state-damaged",
      message: `what it remembered${of} cannot be read (table reflex_state) and begins anew`,
      data: { key },
      trace: null,
    });
  }

  // ── what the clock brings ────────────────────────────────────────────

  #schedule(reflex: Reflex): void {
    const { config } = reflex;
    if (config.kind !== "sense") return;
    const now = this.#parts.clock.wallMs();
    if (config.intervalMs !== null) this.#scheduleInterval(reflex, config, config.intervalMs, now);
    if (config.cron !== null) {
      const calendar = cronCalendar(config.cron, config.tz);
      reflex.calendars.push(calendar);
      const { last } = reflex;
      const setBack = last !== null && last > now && last - now <= SET_BACK_MS;
      const fire = (due: number): void => this.#fireByClock(reflex, due);
      reflex.handles.push(this.#parts.ticker.every({ calendar, atMostEveryMs: null, fire }, setBack ? last : now));
      if ((config.catchUp ?? DEFAULT_CATCH_UP_CRON) === "one" && last !== null) {
        this.#catchUp(reflex, calendar, calendar.next(last), now);
      }
    }
  }

  #scheduleInterval(reflex: Reflex, config: SenseReflexConfig, intervalMs: number, now: number): void {
    const aligned = config.align ?? DEFAULT_ALIGN;
    const phaseMs = aligned ? jitterOffset(reflex.config.name, config.jitterMs ?? 0) : now % intervalMs;
    const calendar = intervalCalendar(intervalMs, phaseMs);
    reflex.calendars.push(calendar);
    const name = `${intervalMs}+${phaseMs}`;
    const beat = this.#beats.get(name) ?? this.#newBeat(name, intervalMs, phaseMs, now);
    beat.reflexes.add(reflex);
    if ((config.catchUp ?? DEFAULT_CATCH_UP_INTERVAL) === "one" && reflex.last !== null) {
      this.#catchUp(reflex, calendar, reflex.last + intervalMs, now);
    }
  }

  #newBeat(name: string, intervalMs: number, phaseMs: number, now: number): Beat {
    const { desk } = this.#parts;
    const reflexes = new Set<Reflex>();
    const fire = (due: number, skipped: number): void => {
      for (const reflex of reflexes) {
        const { config, sense } = reflex;
        if (!reflex.enabled || config.kind !== "sense" || sense === null) continue;
        // While the store takes nothing, nothing is computed, and what waits for it must not grow with time.
        if (config.catchUp === "one" && !this.#parts.ledger.troubled) this.#remember(reflex, due);
        reflex.fired++;
        desk.due(sense, due, skipped);
      }
    };
    const handle = this.#parts.ticker.every(
      { calendar: intervalCalendar(intervalMs, phaseMs), atMostEveryMs: intervalMs, fire },
      now,
    );
    const beat = { reflexes, handle };
    this.#beats.set(name, beat);
    return beat;
  }

  /** Once for all times that have passed, from `missed` on: for the last of them, so that none is left. */
  #catchUp(reflex: Reflex, calendar: Calendar, missed: number | null, now: number): void {
    if (missed !== null && missed <= now) this.#fireByClock(reflex, newestDue(calendar, missed, now));
  }

  #remember(reflex: Reflex, due: number): void {
    this.#parts.ledger.add({
      write: (draft) => draft.reflex(reflexRow(reflex, due)),
      kept: () => {
        reflex.last = due;
      },
    });
  }

  /** A cron time, or one that is caught up: owed until it is computed, and never twice for one time. */
  #fireByClock(reflex: Reflex, due: number): void {
    if (!reflex.enabled || reflex.sense === null) return;
    reflex.fired++;
    const remember = (draft: Draft): void => draft.reflex(reflexRow(reflex, due));
    this.#parts.desk.dueDurably(reflex.sense, due, remember, () => {
      reflex.last = due;
    });
  }

  #fireAtStart(reflex: Reflex): void {
    if (!reflex.enabled || reflex.sense === null) return;
    reflex.fired++;
    this.#parts.desk.dueAtStart(reflex.sense);
  }
}
