/**
 * What reflexes decide, said slowly: the whole history is there, and each word is worked out for all of it before the
 * next one. Shares nothing with `src/rules/rule.ts` but the shape of its input.
 */
import type { Json } from "../../src/base/json.ts";
import type { Rule } from "../../src/rules/decision.ts";

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

/** When a deadline acts: null for never. */
export type ActsAt = (due: number) => number | null;

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

export function expectedDecisions(rule: Rule, history: readonly Happening[], actsAt: ActsAt): Expected[] {
  const signals = history.filter(({ kind }) => kind === "signal");

  const matching = matchingOf(rule, signals);
  const isMatching = (index: number): boolean => matching[index] ?? !rule.hasWhen;

  // Words before `for`: the indices of the signals that pass.
  const edges = signals
    .map((_, index) => index)
    .filter((index) => {
      if (rule.edge === "level") return isMatching(index);
      const began = isMatching(index) && !isMatching(index - 1);
      const ended = !isMatching(index) && isMatching(index - 1);
      return rule.edge === "rising" ? began : ended;
    });

  const held: Passing[] = [];
  for (const index of edges) {
    const signal = signals[index] as Happening;
    if (rule.forMs === null) {
      held.push({ signal: signal.id, time: signal.elapsed, due: null });
      continue;
    }
    const due = signal.elapsed + rule.forMs;
    const time = actsAt(due);
    const isSame = (other: number): boolean => isMatching(other) === isMatching(index);
    let latest = signal;
    let isBroken = false;
    for (let other = index + 1; other < signals.length; other++) {
      const next = signals[other] as Happening;
      if (next.elapsed >= due) break;
      if (!isSame(other)) isBroken = true;
      if (isBroken) break;
      latest = next;
    }
    if (isBroken || time === null) continue;
    held.push({ signal: rule.edge === "falling" ? signal.id : latest.id, time, due });
  }

  let counts: Passing[] = [];
  const counted = held.filter((passing) => {
    if (!rule.count) return true;
    const { n, withinMs } = rule.count;
    counts = [...counts.filter(({ time }) => time >= passing.time - withinMs), passing];
    if (counts.length < n) return false;
    counts = [];
    return true;
  });

  const paused: Passing[] = [];
  if (!rule.debounce) paused.push(...counted);
  else {
    const { waitMs, maxMs } = rule.debounce;
    for (let index = 0; index < counted.length; ) {
      const first = counted[index] as Passing;
      let latest = first;
      const due = (): number => Math.min(latest.time + waitMs, maxMs === null ? Infinity : first.time + maxMs);
      for (index++; index < counted.length && (counted[index] as Passing).time < due(); index++) {
        latest = counted[index] as Passing;
      }
      const time = actsAt(due());
      if (time !== null) paused.push({ signal: latest.signal, time, due: due() });
    }
  }

  const elements = new Map(signals.toReversed().map(({ id, element }) => [id, element]));
  const decisions: Expected[] = [];
  for (const { signal, time, due } of paused) {
    const lastFired = decisions.findLast(({ kind }) => kind === "fire");
    const until = rule.throttleMs !== null && lastFired ? lastFired.elapsed + rule.throttleMs : -1;
    const element = elements.get(signal) ?? null;
    if (time < until) decisions.push({ kind: "throttled", signal, element, due, elapsed: time, until });
    else {
      const next = rule.throttleMs === null ? null : time + rule.throttleMs;
      decisions.push({ kind: "fire", signal, element, due, elapsed: time, until: next });
    }
  }
  return decisions;
}
