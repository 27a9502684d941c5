/** What the logs tell of the reflexes: what they fired for, when nerve was down, and what else a replay cannot know. */
import type { Json } from "../../base/json.ts";
import type { Log } from "../../model/log.ts";
import type { ClockStep, Course, Down, Turn } from "../../rules/course.ts";
import { ALL_LOGS } from "../../store/logs.ts";
import type { StoreReader } from "../../store/open-reader.ts";
import { ALL_SIGNALS } from "../../store/signals.ts";
import { parseStored } from "../screen/payload.ts";

/** A row `reflex.fired`. */
export interface Fired {
  readonly reflex: string;
  readonly signal: number;
  /** The value at its `key`, null without one. */
  readonly key: Json;
  readonly due: number | null;
  readonly at: number;
  /** `due`, or `at` without one, on the axis of the course. */
  readonly elapsed: number;
  /** Null where no run was started. */
  readonly run: number | null;
  /** The pattern it is silenced by. */
  readonly silenced: string | null;
}

/** Why live decisions may be others than replayed ones from there on. */
export interface Occurrence {
  readonly at: number;
  readonly event: string;
  /** `kernel`, or `reflex:NAME`. */
  readonly source: string;
  readonly message: string;
}

/** From there on a sense starts no compute, or does again. */
export interface Halt {
  readonly sense: string;
  /** On the axis of the course. */
  readonly elapsed: number;
  readonly kind: "disabled" | "enabled" | "quarantined" | "released";
}

export interface RecordedSilence {
  readonly pattern: string;
  readonly from: number;
  to: number;
}

/** To the incident that was open for `key`. */
export interface RecordedAct {
  readonly reflex: string;
  /** As it is shown. */
  readonly key: Json;
  readonly elapsed: number;
  readonly event: "ack" | "resolve";
}

export interface Recorded {
  /** Of when reflexes began it knows nothing. */
  readonly course: Course;
  readonly occurrences: readonly Occurrence[];
  /** When reflexes were silenced, on the axis of the course; and what persons did to incidents, in order. */
  readonly silences: readonly RecordedSilence[];
  readonly acts: readonly RecordedAct[];
  /** In their order. */
  readonly halts: readonly Halt[];
  /** Unix milliseconds of the first log there is, of the newest; null without logs. */
  readonly first: number | null;
  readonly last: number | null;
  /** As `last`, on the axis of the course. */
  readonly lastElapsed: number;
}

const OF_KERNEL: ReadonlySet<string> = new Set(["clock.stepped", "config.reloaded", "kernel.started"]);
const TURNS: Readonly<Record<string, Turn["kind"]>> = {
  disabled: "disabled",
  enabled: "enabled",
  "reflex.cleared": "cleared",
};
const OF_REFLEX: ReadonlySet<string> = new Set([...Object.keys(TURNS), "reflex.keys-limited"]);
const HALTS: Readonly<Record<string, Halt["kind"]>> = {
  disabled: "disabled",
  enabled: "enabled",
  "sense.quarantined": "quarantined",
  "sense.released": "released",
};
const OF_REFLEXES = "reflex:";
const OF_SENSES = "sense:";

const nameIn = (prefix: string, source: string): string | null =>
  source.startsWith(prefix) ? source.slice(prefix.length) : null;

/**
 * Begins and ends of what was recorded, with every firing since `since` given to `fired`. `aheadMs`: what the wall clock
 * is ahead of the axis of elapsed time by now.
 */
export function readRecorded(
  store: StoreReader,
  since: number,
  aheadMs: number,
  fired: (row: Fired) => void,
): Recorded {
  const { history } = store;
  const [oldest] = history.page({ ...ALL_LOGS, limit: 1 });
  const axis = new Axis();
  const downs: Down[] = [];
  const turns: Turn[] = [];
  const occurrences: Occurrence[] = [];
  const halts: Halt[] = [];
  const people = new People();
  let last: Log | null = null;
  for (const row of history.scan(history.firstIdSince(since) - 1)) {
    const { id, at, event, source, message } = row;
    const reflex = nameIn(OF_REFLEXES, source);
    const sense = nameIn(OF_SENSES, source);
    if ((event === "reflex.fired" || event === "incident.opened") && reflex !== null) {
      const of = firedOf(row, reflex, axis);
      if (of !== null) fired(of);
    }
    if (event === "kernel.started" && source === "kernel") {
      const heard = last !== null || id > 1 ? Math.max(last?.at ?? 0, lastSignalBefore(store, row)) : 0;
      const from = heard === 0 ? null : axis.of(heard);
      axis.follow(row);
      const to = axis.of(at);
      if (from !== null && from < to) downs.push({ from, to });
    } else if (event === "clock.stepped" && source === "kernel") axis.follow(row);
    people.take(row, reflex, axis);
    const kind = TURNS[event];
    if (kind !== undefined && reflex !== null) turns.push({ reflex, elapsed: axis.of(at), kind });
    const halt = HALTS[event];
    if (halt !== undefined && sense !== null) halts.push({ sense, elapsed: axis.of(at), kind: halt });
    if (isOccurrence(row)) occurrences.push({ at, event, source, message });
    last = row;
  }
  // Disabled so long ago that nothing is kept of it.
  for (const name of store.switches.disabled()) {
    const reflex = nameIn(OF_REFLEXES, name);
    const sense = nameIn(OF_SENSES, name);
    const isTold = (of: string | null, kind: string): boolean => of === (reflex ?? sense) && kind === "disabled";
    if (reflex !== null && !turns.some((turn) => isTold(turn.reflex, turn.kind)))
      turns.unshift({ reflex, elapsed: 0, kind: "disabled" });
    if (sense !== null && !halts.some((halt) => isTold(halt.sense, halt.kind)))
      halts.unshift({ sense, elapsed: 0, kind: "disabled" });
  }
  const lastAt = last?.at ?? null;
  const lastElapsed = axis.of(lastAt ?? 0);
  const newestSignal = store.signals.byId(store.signals.lastId())?.at ?? 0;
  axis.end(Math.max(lastElapsed, axis.of(newestSignal)), aheadMs);
  const course = { downs: inOrder(downs), steps: axis.steps, turns, begun: new Map() };
  const { silences, acts } = people;
  return { course, occurrences, halts, silences, acts, first: oldest?.at ?? null, last: lastAt, lastElapsed };
}

/** What the wall clock would show had it not been set since the first row, from what the kernel says of its own axis. */
class Axis {
  readonly steps: ClockStep[] = [];
  /** What the wall clock is ahead of the kernel's axis; null while that is not known. */
  #aheadMs: number | null = null;
  #setByMs = 0;

  of(wall: number): number {
    return wall - this.#setByMs;
  }

  follow({ at, data }: Log): void {
    const { ahead_ms: aheadMs, by_ms: byMs } = dataOf(data);
    if (typeof aheadMs !== "number") return;
    const step = this.#aheadMs === null ? Number(byMs ?? 0) : aheadMs - this.#aheadMs;
    this.#aheadMs = aheadMs;
    if (step === 0) return;
    this.#setByMs += step;
    this.steps.push({ elapsed: this.of(at), byMs: step });
  }

  /** What the clock was set by since all that is recorded, which was at `elapsed`. */
  end(elapsed: number, aheadMs: number): void {
    if (this.#aheadMs === null || aheadMs === this.#aheadMs) return;
    this.steps.push({ elapsed, byMs: aheadMs - this.#aheadMs });
  }
}

const isOccurrence = ({ event, source }: Log): boolean =>
  source === "kernel" ? OF_KERNEL.has(event) : source.startsWith("reflex:") && OF_REFLEX.has(event);

const dataOf = (data: string | null): Readonly<Record<string, Json>> =>
  ((data === null ? null : parseStored(data)) ?? {}) as Record<string, Json>;

/** Null: the clock fired it, and no signal did. */
function firedOf({ data, at }: Log, reflex: string, axis: Axis): Fired | null {
  const { signal, key, due: written, run, silenced } = dataOf(data);
  if (signal === null) return null;
  const due = typeof written === "number" ? written : null;
  return {
    reflex,
    signal: Number(signal),
    key: key ?? null,
    due,
    at,
    elapsed: axis.of(due ?? at),
    run: typeof run === "number" ? run : null,
    silenced: typeof silenced === "string" ? silenced : null,
  };
}

/** When the last signal came that the start `row` found; 0 when there is none. */
function lastSignalBefore({ signals }: StoreReader, { at, data }: Log): number {
  const { last_signal: known } = dataOf(data);
  if (typeof known === "number") return signals.byId(known)?.at ?? 0;
  const first = signals.firstIdSince(at);
  const [newest] = signals.list({ ...ALL_SIGNALS, after: first - 2, limit: 1 });
  return newest !== undefined && newest.at < at ? newest.at : 0;
}

/** Clocks are set: only what follows on what came before is believed. */
const inOrder = (downs: readonly Down[]): Down[] =>
  downs.filter(({ from }, index) => index === 0 || from >= (downs[index - 1]?.to ?? 0));

/** What persons did: whom they silenced, and which incidents they acknowledged or resolved. */
class People {
  readonly silences: RecordedSilence[] = [];
  readonly acts: RecordedAct[] = [];
  /** By incident, the value of its key. */
  readonly #keys = new Map<number, Json>();

  take({ event, at, data, source }: Log, reflex: string | null, axis: { of(wall: number): number }): void {
    if (event === "reflex.silenced" && source === "kernel") this.#silenced(dataOf(data), axis.of(at), axis);
    else if (event === "reflex.unsilenced" && source === "kernel") this.#ended(dataOf(data), axis.of(at));
    else if (reflex !== null && event.startsWith("incident.")) this.#incident(event, dataOf(data), reflex, axis.of(at));
  }

  #silenced(
    { pattern, until }: Readonly<Record<string, Json>>,
    from: number,
    axis: { of(wall: number): number },
  ): void {
    this.#ended({ pattern: pattern ?? null }, from);
    if (typeof pattern === "string") this.silences.push({ pattern, from, to: axis.of(Number(until)) });
  }

  #ended({ pattern }: Readonly<Record<string, Json>>, at: number): void {
    const open = this.silences.find((one) => one.pattern === pattern && one.to > at);
    if (open !== undefined) open.to = at;
  }

  #incident(
    event: string,
    { incident, key, reason }: Readonly<Record<string, Json>>,
    reflex: string,
    elapsed: number,
  ): void {
    const id = Number(incident);
    if (event === "incident.opened") this.#keys.set(id, key ?? null);
    const of = { reflex, key: this.#keys.get(id) ?? null, elapsed };
    if (event === "incident.acked") this.acts.push({ ...of, event: "ack" });
    if (event === "incident.resolved" && typeof reason === "string") this.acts.push({ ...of, event: "resolve" });
  }
}
