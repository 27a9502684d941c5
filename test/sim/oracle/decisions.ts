/**
 * What reflexes decide, said slowly: the whole history of a key is there, and each word is worked out for all of it before
 * the next one. The one model of these words: random tests of the rules, the simulator and the checks after crashes use it.
 * Shares nothing with `src/rules/rule.ts` but the shape of its input.
 */
import type { Json } from "../../../src/base/json.ts";
import type { Rule } from "../../../src/rules/decision.ts";

export interface Happening {
  readonly kind: "signal" | "time";
  readonly id: number;
  readonly elapsed: number;
  readonly matches: boolean;
  readonly clears: boolean;
  /** What was last seen of a key that the signal has no element of; else null. */
  readonly element: Json;
}

export interface Expected {
  readonly kind: "fire" | "throttled";
  readonly signal: number;
  readonly element: Json;
  readonly due: number | null;
  readonly elapsed: number;
  readonly until: number | null;
}

interface Passing {
  readonly signal: number;
  readonly time: number;
  readonly due: number | null;
}

/** What has passed a word, and what waits at it. */
interface Passed<Waiting> {
  readonly passed: readonly Passing[];
  readonly waiting: Waiting;
}

/** What is left of a history, as far as anything that comes can depend on it. */
export interface Remembered {
  readonly isMatching: boolean;
  /** When `for` is over. */
  readonly holding: number | null;
  /** When those passed that `count` still counts. */
  readonly counted: readonly number[];
  /** When `debounce` lets its burst pass. */
  readonly burst: number | null;
  readonly throttledUntil: number | null;
}

/** When a deadline acts that was set by something of the moment `setAt`: null for never. */
export type ActsAt = (due: number, setAt: number) => number | null;

/** When it is `ms` after `time`. */
export type Later = (time: number, ms: number) => number;

export const later: Later = (time, ms) => time + ms;

/** How much later `to` is than `from`, as the kernel reads its clock at the two: less than 0 where that fell back. */
export type Between = (from: number, to: number) => number;

export const between: Between = (from, to) => to - from;

/** Somebody looks at every deadline within a second: it acts when it is due. */
export const punctual: ActsAt = (due) => due;

/** Deadlines are looked at when something happens, and at no other time. */
export const whenSomethingHappens =
  (history: readonly Happening[]): ActsAt =>
  (due) => {
    const noticed = history.find(({ elapsed }) => elapsed >= due);
    if (!noticed) return null;
    return noticed.elapsed - due > 1_000 ? noticed.elapsed : due;
  };

/** Of each signal, whether the reflex matches after it. */
function matchingOf(rule: Rule, signals: readonly Happening[]): boolean[] {
  let isOn = false;
  return signals.map(({ matches, clears }) => {
    if (!rule.hasWhen) return true;
    if (!rule.hasClear) return matches;
    if (matches || clears) isOn = !clears;
    return isOn;
  });
}

/** Words before `for`: the indices of the signals that pass. */
function edgesOf({ edge }: Rule, isMatching: readonly boolean[], first: boolean): number[] {
  const before = (index: number): boolean => isMatching[index - 1] ?? first;
  return [...isMatching.keys()].filter((index) => {
    const is = isMatching[index] === true;
    if (edge === "level") return is;
    return edge === "rising" ? is && !before(index) : !is && before(index);
  });
}

function heldOf(rule: Rule, signals: readonly Happening[], actsAt: ActsAt, after: Later): Passed<number | null> {
  const matching = matchingOf(rule, signals);
  const passed: Passing[] = [];
  let waiting: number | null = null;
  for (const index of edgesOf(rule, matching, !rule.hasWhen)) {
    const signal = signals[index] as Happening;
    if (rule.forMs === null) {
      passed.push({ signal: signal.id, time: signal.elapsed, due: null });
      continue;
    }
    const due = after(signal.elapsed, rule.forMs);
    const time = actsAt(due, signal.elapsed);
    let latest = signal;
    let isBroken = false;
    for (let other = index + 1; other < signals.length && !isBroken; other++) {
      const next = signals[other] as Happening;
      if (next.elapsed >= due) break;
      isBroken = matching[other] !== matching[index];
      if (!isBroken) latest = next;
    }
    if (isBroken) continue;
    if (time === null) waiting = due;
    else passed.push({ signal: rule.edge === "falling" ? signal.id : latest.id, time, due });
  }
  return { passed, waiting };
}

function countedOf({ count }: Rule, held: readonly Passing[], apart: Between): Passed<readonly number[]> {
  let counts: number[] = [];
  const passed = held.filter(({ time }) => {
    if (count === null) return true;
    counts = [...counts.filter((before) => apart(before, time) <= count.withinMs), time];
    if (counts.length < count.n) return false;
    counts = [];
    return true;
  });
  return { passed, waiting: counts };
}

function pausedOf(
  { debounce }: Rule,
  counted: readonly Passing[],
  actsAt: ActsAt,
  after: Later,
): Passed<number | null> {
  if (debounce === null) return { passed: counted, waiting: null };
  const { waitMs, maxMs } = debounce;
  const passed: Passing[] = [];
  let waiting: number | null = null;
  for (let index = 0; index < counted.length; ) {
    const first = counted[index] as Passing;
    let latest = first;
    const due = (): number =>
      Math.min(after(latest.time, waitMs), maxMs === null ? Infinity : after(first.time, maxMs));
    for (index++; index < counted.length && (counted[index] as Passing).time < due(); index++) {
      latest = counted[index] as Passing;
    }
    const time = actsAt(due(), latest.time);
    if (time === null) waiting = due();
    else passed.push({ signal: latest.signal, time, due: due() });
  }
  return { passed, waiting };
}

function throttled(
  { throttleMs }: Rule,
  paused: readonly Passing[],
  signals: readonly Happening[],
  after: Later,
  apart: Between,
): Expected[] {
  const elements = new Map(signals.toReversed().map(({ id, element }) => [id, element]));
  const decisions: Expected[] = [];
  let fired: { readonly at: number; readonly forMs: number; readonly until: number } | null = null;
  for (const { signal, time, due } of paused) {
    const element = elements.get(signal) ?? null;
    if (fired !== null && apart(fired.at, time) < fired.forMs)
      decisions.push({ kind: "throttled", signal, element, due, elapsed: time, until: fired.until });
    else {
      const until = throttleMs === null ? null : after(time, throttleMs);
      decisions.push({ kind: "fire", signal, element, due, elapsed: time, until });
      fired = throttleMs === null || until === null ? null : { at: time, forMs: throttleMs, until };
    }
  }
  return decisions;
}

export function expectedDecisions(
  rule: Rule,
  history: readonly Happening[],
  actsAt: ActsAt,
  after: Later = later,
  apart: Between = between,
): Expected[] {
  const signals = history.filter(({ kind }) => kind === "signal");
  const held = heldOf(rule, signals, actsAt, after).passed;
  const counted = countedOf(rule, held, apart).passed;
  return throttled(rule, pausedOf(rule, counted, actsAt, after).passed, signals, after, apart);
}

/** What must be remembered at `at`, of which nothing later is known. */
export function rememberedAt(rule: Rule, history: readonly Happening[], actsAt: ActsAt, at: number): Remembered {
  const signals = history.filter(({ kind, elapsed }) => kind === "signal" && elapsed <= at);
  const acted: ActsAt = (due, setAt) => {
    const time = actsAt(due, setAt);
    return time !== null && time <= at ? time : null;
  };
  const dependsOnMatching = rule.hasWhen && (rule.edge !== "level" || rule.hasClear);
  const held = heldOf(rule, signals, acted, later);
  const counted = countedOf(rule, held.passed, between);
  const paused = pausedOf(rule, counted.passed, acted, later);
  const until =
    throttled(rule, paused.passed, signals, later, between).findLast(({ kind }) => kind === "fire")?.until ?? null;
  return {
    isMatching: dependsOnMatching && (matchingOf(rule, signals).at(-1) ?? false),
    holding: held.waiting,
    counted: counted.waiting.filter((time) => time >= at - (rule.count?.withinMs ?? 0)),
    burst: paused.waiting,
    throttledUntil: until !== null && until > at ? until : null,
  };
}
