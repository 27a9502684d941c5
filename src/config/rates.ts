/**
 * Owns the worst-case rates: how often, at the very most, senses compute and workflows start within an hour, from the
 * configuration alone. Pure.
 *
 * - `interval: I` is due ⌈1 h / I⌉ times. `cron` is due as often as its minute field names a minute (a nickname: once).
 *   `watch: true` wakes its sense once a second at the most.
 *   Triggers by a person, `on_start` and ticks made up after a stop are not counted.
 * - A sense computes as often as all its reflexes together fire. With `throttle: T` the sense computes at most
 *   ⌈1 h / T⌉ times. A compute emits at most one signal.
 * - A reflex on signals receives the signals of all its senses. Its words let signals through in this order: `when` and
 *   `clear` all (the payloads are not known) · `edge: rising`, `falling` every second one, since the match has to end or
 *   begin in between · `for: F` one in F · `count: n` every nth · `debounce: W` one in W · `throttle: T` one in T.
 * - Nobody here knows how often a sense of another host emits: nothing bounds it.
 * - With `key` this is the rate for each value. The number of values is not known. All values together fire a reflex at
 *   most as often as the reflex receives signals; with `each`, as often as it receives elements.
 * - Senses that trigger one another compute at the rate that the slowest of them lets through. A cycle that is slowed
 *   only for each value has no bound.
 *
 * The hour of a signal is the hour in which the signal is due: computes of unequal length may move a signal into the next
 * hour. A run counts when it is decided on: a dropped run counts, and a retry does not.
 */
import { type NerveConfig, type ReflexConfig, targetOf } from "../model/config.ts";
import { isRemote } from "../model/full-name.ts";
import { MAX_ELEMENTS } from "../rules/each.ts";
import { isKeyed } from "../rules/key.ts";
import { ruleOf } from "../rules/rule.ts";
import { findCycles } from "./cycles.ts";

/** Times within an hour; Infinity where nothing bounds them. */
export interface ReflexRate {
  /** The rate of all keys together. */
  readonly most: number;
  /** The rate of one value of `key`; the same as `most` without `key`. */
  readonly mostPerKey: number;
}

export interface Rates {
  /** The three maps go by name. */
  readonly senses: ReadonlyMap<string, number>;
  readonly reflexes: ReadonlyMap<string, ReflexRate>;
  readonly workflows: ReadonlyMap<string, number>;
  /** Senses that trigger one another without a bound: `[a, b]` for `a → b → a`. */
  readonly unbounded: readonly (readonly string[])[];
}

const HOUR_MS = 3_600_000;
/** What wakes a sense that watches wakes the sense no more often. */
const WATCH_MS = 1_000;

/** The most things in an hour of which any two are at least this far apart. */
const apart = (ms: number | null): number => (ms === null ? Number.POSITIVE_INFINITY : Math.ceil(HOUR_MS / ms));

const sum = (numbers: readonly number[]): number => numbers.reduce((total, one) => total + one, 0);

/** The due times of the fullest hour: the minutes that the expression names, whatever hours and days it names. */
function cronRate(expression: string): number {
  const minutes = expression.startsWith("@") ? expression : `${expression.trim().split(/\s+/)[0]} * * * *`;
  const next = (after: number): number =>
    Bun.cron.parse(minutes, after, { tz: "UTC" })?.getTime() ?? Number.POSITIVE_INFINITY;
  const first = next(0);
  let count = 1;
  for (let at = next(first); at < first + HOUR_MS; at = next(at)) count++;
  return count;
}

/** The rate of all that is no signal. */
function clockRate(reflex: ReflexConfig): number {
  const { intervalMs, cron } = reflex;
  const watches = reflex.kind === "sense" && reflex.watch !== null;
  return (
    (intervalMs === null ? 0 : apart(intervalMs)) +
    (cron === null ? 0 : cronRate(cron)) +
    (watches ? apart(WATCH_MS) : 0)
  );
}

/** The rate that the words let through for one key, of `signals` an hour. */
function letThrough(config: ReflexConfig, signals: number): number {
  const { edge, forMs, count, debounce, throttleMs } = ruleOf(config);
  const begun = config.when !== null && edge !== "level" ? Math.ceil(signals / 2) : signals;
  const held = Math.min(begun, apart(forMs));
  const counted = count === null ? held : Math.ceil(held / count.n);
  return Math.min(counted, apart(debounce?.waitMs ?? null), apart(throttleMs));
}

export function worstCaseRates(config: NerveConfig): Rates {
  const clocks = new Map(config.reflexes.map((reflex) => [reflex, clockRate(reflex)]));
  const senses = new Map([...config.senses.keys()].map((name) => [name, Number.POSITIVE_INFINITY]));
  const rateOf = (reflex: ReflexConfig): ReflexRate => {
    const signals = sum(
      reflex.on.map((sense) => (isRemote(sense) ? Number.POSITIVE_INFINITY : (senses.get(sense) ?? 0))),
    );
    const clock = clocks.get(reflex) ?? 0;
    const perKey = letThrough(reflex, signals);
    if (!isKeyed(reflex.key)) return { most: clock + perKey, mostPerKey: clock + perKey };
    const elements = reflex.each === null ? 1 : MAX_ELEMENTS;
    return { most: clock + signals * elements, mostPerKey: clock + perKey };
  };
  const targeting = (kind: ReflexConfig["kind"], name: string): readonly ReflexConfig[] =>
    config.reflexes.filter((reflex) => reflex.kind === kind && targetOf(reflex) === name);
  const mostOf = (reflexes: readonly ReflexConfig[]): number => sum(reflexes.map((reflex) => rateOf(reflex).most));

  const sources = new Map([...senses.keys()].map((name) => [name, targeting("sense", name)]));
  // The rates start without a bound and only fall. Each round gives a bound. The last round gives the lowest bound.
  for (let isSettled = false; !isSettled; ) {
    isSettled = true;
    for (const [name, before] of senses) {
      const most = Math.min(mostOf(sources.get(name) ?? []), apart(config.senses.get(name)?.throttleMs ?? null));
      if (most >= before) continue;
      senses.set(name, most);
      isSettled = false;
    }
  }

  const isUnbounded = (name: string): boolean => senses.get(name) === Number.POSITIVE_INFINITY;
  const edges = config.reflexes.flatMap((reflex) =>
    reflex.kind === "sense" ? reflex.on.map((from) => ({ from, to: reflex.sense })) : [],
  );
  return {
    senses,
    reflexes: new Map(config.reflexes.map((reflex) => [reflex.name, rateOf(reflex)])),
    workflows: new Map([...config.workflows.keys()].map((name) => [name, mostOf(targeting("workflow", name))])),
    unbounded: findCycles(edges.filter(({ from, to }) => isUnbounded(from) && isUnbounded(to))),
  };
}
