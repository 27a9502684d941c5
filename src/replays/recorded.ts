/**
 * Owns what the logs hold about reflexes: their firings, the times when nerve was down, and what else a replay cannot know.
 */
import { drained } from "../base/drained.ts";
import type { Json } from "../base/json.ts";
import { parseStored } from "../base/json.ts";
import type { ReflexConfig } from "../model/config.ts";
import type { Log } from "../model/log.ts";
import type { ClockStep, Course, Down, Turn } from "../rules/course.ts";
import { hasWords } from "../rules/matcher.ts";
import { ALL_LOGS } from "../store/logs.ts";
import type { StoreReader } from "../store/open-reader.ts";
import { ALL_SIGNALS } from "../store/signals.ts";

/** A log `reflex.fired`, or a log `incident.opened`. */
export interface Fired {
  readonly reflex: string;
  readonly signal: number;
  /** The value at the reflex's `key`. Null without a key. */
  readonly key: Json;
  readonly due: number | null;
  readonly at: number;
  /** `due` on the axis of the course; `at` where `due` is null. */
  readonly elapsed: number;
  /** Null where no run was started. */
  readonly run: number | null;
  /** The pattern of the silence. Null where the reflex was not silenced. */
  readonly silenced: string | null;
}

/** An event after which live decisions may differ from replayed decisions. */
export interface Occurrence {
  readonly at: number;
  readonly event: string;
  /** `kernel`, or `reflex:NAME`. */
  readonly source: string;
  readonly message: string;
}

/** From this moment on a sense starts no computes, or starts them again. */
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

/** A person acknowledged or resolved the incident that was open for `key`. */
export interface RecordedAct {
  readonly reflex: string;
  /** The key as it is shown. */
  readonly key: Json;
  readonly elapsed: number;
  readonly event: "ack" | "resolve";
}

export interface Recorded {
  /** Without the signals after which reflexes began. */
  readonly course: Course;
  readonly occurrences: readonly Occurrence[];
  /** Times at which reflexes were silenced, on the axis of the course. */
  readonly silences: readonly RecordedSilence[];
  /** What persons did to incidents, in order. */
  readonly acts: readonly RecordedAct[];
  /** In order. */
  readonly halts: readonly Halt[];
  /** Unix milliseconds of the oldest log and of the newest log. Null without logs. */
  readonly first: number | null;
  readonly last: number | null;
  /** `last` on the axis of the course. */
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
 * Reads the logs from `since` on. `fired` gets every firing. `aheadMs` is how far the wall clock is now ahead of the axis
 * of elapsed time.
 */
export const readRecorded = (
  store: StoreReader,
  since: number,
  aheadMs: number,
  fired: (row: Fired) => void,
): Recorded => drained(readingRecorded(store, since, aheadMs, fired));

/** So many logs are read between two pauses. */
const PAUSE = 500;

export function* readingRecorded(
  store: StoreReader,
  since: number,
  aheadMs: number,
  fired: (row: Fired) => void,
): Generator<void, Recorded> {
  const { history } = store;
  const [oldest] = history.page({ ...ALL_LOGS, limit: 1 });
  const axis = new Axis();
  const downs: Down[] = [];
  const turns: Turn[] = [];
  const occurrences: Occurrence[] = [];
  const halts: Halt[] = [];
  const people = new People();
  let last: Log | null = null;
  let read = 0;
  for (const row of history.scan(history.firstIdSince(since) - 1)) {
    if (++read % PAUSE === 0) yield;
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
  // The log of a disabling may be gone, long after the disabling.
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

/**
 * The axis of the course: the wall clock without the changes that were made to it since the first row. The changes are read
 * from the kernel's logs about its own axis.
 */
class Axis {
  readonly steps: ClockStep[] = [];
  /** How far the wall clock is ahead of the kernel's axis. Null until a log says so. */
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

  /** Adds the change of the clock after the newest record, which was at `elapsed`. */
  end(elapsed: number, aheadMs: number): void {
    if (this.#aheadMs === null || aheadMs === this.#aheadMs) return;
    this.steps.push({ elapsed, byMs: aheadMs - this.#aheadMs });
  }
}

const isOccurrence = ({ event, source }: Log): boolean =>
  source === "kernel" ? OF_KERNEL.has(event) : source.startsWith("reflex:") && OF_REFLEX.has(event);

const dataOf = (data: string | null): Readonly<Record<string, Json>> =>
  ((data === null ? null : parseStored(data)) ?? {}) as Record<string, Json>;

/** The firing in the log. Null where the clock fired the reflex, without a signal. */
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

/** The time of the last signal before the start in the log. 0 without such a signal. */
function lastSignalBefore({ signals }: StoreReader, { at, data }: Log): number {
  const { last_signal: known } = dataOf(data);
  if (typeof known === "number") return signals.byId(known)?.at ?? 0;
  const first = signals.firstIdSince(at);
  const [newest] = signals.list({ ...ALL_SIGNALS, after: first - 2, limit: 1 });
  return newest !== undefined && newest.at < at ? newest.at : 0;
}

/** Leaves out every downtime that begins before the end of the last one: a clock was set between them. */
const inOrder = (downs: readonly Down[]): Down[] =>
  downs.filter(({ from }, index) => index === 0 || from >= (downs[index - 1]?.to ?? 0));

/** The acts of persons: silences, and acknowledged and resolved incidents. */
class People {
  readonly silences: RecordedSilence[] = [];
  readonly acts: RecordedAct[] = [];
  /** Incident → value of its key. */
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

/** True when the kernel logs the firings of the reflex. A firing of a sense without words is only a compute. */
export const isRecorded = (config: ReflexConfig): boolean => config.kind === "workflow" || hasWords(config);
