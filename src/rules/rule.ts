/**
 * What a reflex decides about one key: a pure function from what it remembers and what happens to what it decides.
 * Whoever drives it owns the clock, the timers and the storage, and keeps one `KeyState` a key.
 *
 * Time is `elapsed`, whole milliseconds on an axis that never steps back. A deadline acts at the moment it was due,
 * whenever the driver gets to it, so that the latency of a timer changes no decision; only one that is more than LATE_MS
 * late (nerve was down) acts when it is found. A deadline comes before a signal of the same moment.
 *
 * The words are stages, applied in order; each passes on at once, passes on later, or stops:
 * `when`/`clear` → `edge` → `for` → `count` → `debounce` → `throttle` → fire.
 */
import type { Json } from "../base/json.ts";
import type { ReflexConfig } from "../model/config.ts";

/** The words of a reflex with their defaults filled in. */
export interface Rule {
  readonly edge: "level" | "rising" | "falling";
  readonly hasWhen: boolean;
  readonly hasClear: boolean;
  readonly forMs: number | null;
  readonly count: { readonly n: number; readonly withinMs: number } | null;
  readonly debounce: { readonly waitMs: number; readonly maxMs: number | null } | null;
  readonly throttleMs: number | null;
}

/**
 * Everything one key remembers. A type, not an interface: only so is it `Json`. All times are `elapsed`, all signals ids.
 * `element`: what was last seen of a key that is gone, and null of a key that the signal itself has.
 */
export type KeyState = {
  readonly isMatching: boolean;
  /** `for` runs out at `due`, unless matching ends (`falling`: begins again) before. */
  readonly holding: { readonly due: number; readonly signal: number; readonly element: Json } | null;
  /** When signals passed `edge` that `count` still counts, oldest first; fewer than `n`. Never changed in place. */
  readonly counted: number[];
  /** Signals `debounce` holds back: it runs out at `due`, for the latest of them. */
  readonly burst: {
    readonly first: number;
    readonly due: number;
    readonly signal: number;
    readonly element: Json;
  } | null;
  readonly throttledUntil: number | null;
};

/** The state of a key that was never heard of, and of one that can be forgotten. */
export const REST: KeyState = { isMatching: false, holding: null, counted: [], burst: null, throttledUntil: null };

const isTime = (value: unknown): value is number => typeof value === "number" && Number.isFinite(value);
const isPending = (value: unknown, times: readonly string[]): boolean =>
  value === null ||
  (typeof value === "object" && times.every((name) => isTime((value as Record<string, unknown>)[name])));

/** What was stored of a key; null when it cannot be what a key remembers. */
export function readKeyState(value: unknown): KeyState | null {
  if (typeof value !== "object" || value === null) return null;
  const { isMatching, holding, counted, burst, throttledUntil } = value as Record<string, unknown>;
  const isWhole =
    typeof isMatching === "boolean" &&
    isPending(holding, ["due", "signal"]) &&
    isPending(burst, ["first", "due", "signal"]) &&
    Array.isArray(counted) &&
    counted.every(isTime) &&
    (throttledUntil === null || isTime(throttledUntil));
  if (!isWhole) return null;
  const state = value as KeyState;
  return { ...state, holding: withElement(state.holding), burst: withElement(state.burst) };
}

/** Builds that knew no elements stored none. */
const withElement = <T extends { readonly element: Json }>(pending: T | null): T | null =>
  pending === null ? null : { ...pending, element: pending.element ?? null };

export type RuleEvent =
  /** Without `when` every signal matches; `clears` is false without `clear`. */
  | {
      readonly kind: "signal";
      readonly id: number;
      readonly elapsed: number;
      readonly matches: boolean;
      readonly clears: boolean;
      /** What was last seen of a key that this signal has no element of; null where the signal itself has it. */
      readonly element: Json;
    }
  /** A deadline may have come. */
  | { readonly kind: "time"; readonly elapsed: number };

export interface Decision {
  readonly kind: "fire" | "throttled";
  /** The signal it is decided for: the latest matching one; with `falling` the one that ended it. */
  readonly signal: number;
  /** What it is decided about, where that signal has no element of the key; else null. */
  readonly element: Json;
  /** The deadline that led to it, or null when the signal itself did. */
  readonly due: number | null;
  /** When it counts as decided: `due`, or later if that was found late. */
  readonly elapsed: number;
  /** When the key may fire again; null without `throttle`. */
  readonly until: number | null;
}

/** How far a signal came, and what it waits for. */
export type Stage =
  | { readonly kind: "no-match" }
  | { readonly kind: "no-edge"; readonly edge: "rising" | "falling"; readonly isMatching: boolean }
  /** `due` is what a `for` that was under way would have run out at. */
  | { readonly kind: "broken-off"; readonly due: number }
  | { readonly kind: "holding"; readonly until: number }
  | { readonly kind: "counting"; readonly count: number; readonly n: number }
  | { readonly kind: "debouncing"; readonly until: number }
  | { readonly kind: "throttled"; readonly until: number }
  | { readonly kind: "fired" };

export interface Outcome {
  readonly state: KeyState;
  /** In the order they were decided. */
  readonly decisions: readonly Decision[];
  /** When a `time` event is needed next; null while nothing is pending. */
  readonly deadline: number | null;
  /** Of the signal of this event; null for a `time` event. */
  readonly stage: Stage | null;
}

const LATE_MS = 1_000;

export function ruleOf(config: ReflexConfig): Rule {
  const { when, clear, edge, forMs, count, debounce, throttleMs } = config;
  const usual = clear !== null || forMs !== null ? "rising" : "level";
  return {
    edge: edge ?? usual,
    hasWhen: when !== null,
    hasClear: clear !== null,
    forMs,
    count,
    debounce,
    throttleMs,
  };
}

/** When this state is over, unless a signal comes: from then on the key can be forgotten. Null: not by itself. */
export function restsFrom(rule: Rule, state: KeyState): number | null {
  if (state.isMatching || state.holding || state.burst) return null;
  const newest = state.counted.at(-1);
  const countedUntil = newest === undefined || !rule.count ? 0 : newest + rule.count.withinMs + 1;
  return Math.max(countedUntil, state.throttledUntil ?? 0);
}

export function isAtRest(rule: Rule, state: KeyState, elapsed: number): boolean {
  const from = restsFrom(rule, state);
  return from !== null && from <= elapsed;
}

export function decide(rule: Rule, state: KeyState, event: RuleEvent): Outcome {
  const decisions: Decision[] = [];
  const due = runDeadlines(rule, state, event.elapsed, decisions);
  if (event.kind === "time") return outcome(due, decisions, null);
  const moment: Moment = { signal: event.id, element: event.element, elapsed: event.elapsed, due: null };
  const { state: after, stage } = match(rule, due, event.matches, event.clears, moment, decisions);
  return outcome(after, decisions, stage);
}

const outcome = (state: KeyState, decisions: readonly Decision[], stage: Stage | null): Outcome => ({
  state,
  decisions,
  deadline: deadlineOf(state),
  stage,
});

/** When a `time` event is needed next; null while nothing is pending. */
export function deadlineOf({ holding, burst }: KeyState): number | null {
  return holding && burst ? Math.min(holding.due, burst.due) : ((holding ?? burst)?.due ?? null);
}

/** What a stage passes on: for which signal, when, and because of which deadline. */
interface Moment {
  readonly signal: number;
  readonly element: Json;
  readonly elapsed: number;
  readonly due: number | null;
}

interface Step {
  readonly state: KeyState;
  readonly stage: Stage;
}

function runDeadlines(rule: Rule, state: KeyState, now: number, decisions: Decision[]): KeyState {
  const momentOf = ({ due, signal, element }: { due: number; signal: number; element: Json }): Moment => {
    return { signal, element, elapsed: now - due > LATE_MS ? now : due, due };
  };
  let current = state;
  for (;;) {
    const { holding, burst } = current;
    const held = holding && holding.due <= now ? momentOf(holding) : null;
    // What `for` passes on may be too late for a burst that ended before: that one goes first.
    if (burst && burst.due <= (held?.elapsed ?? now)) {
      current = fire(rule, { ...current, burst: null }, momentOf(burst), decisions).state;
    } else if (held) {
      current = gather(rule, { ...current, holding: null }, held, decisions).state;
    } else return current;
  }
}

/** `when`, `clear` and `edge`. */
function match(
  rule: Rule,
  state: KeyState,
  matches: boolean,
  clears: boolean,
  moment: Moment,
  decisions: Decision[],
): Step {
  if (!rule.hasWhen) return count(rule, state, moment, decisions);
  const was = state.isMatching;
  const is = rule.hasClear ? !clears && (matches || was) : matches;
  // At level each signal is looked at by itself, unless it lasts until `clear`: a key need not be remembered for it.
  const forgets = rule.edge === "level" && !rule.hasClear;
  const next = is === was || forgets ? state : { ...state, isMatching: is };
  if (rule.edge === "level") {
    return is ? count(rule, next, moment, decisions) : { state: next, stage: { kind: "no-match" } };
  }
  const isOn = rule.edge === "rising" ? is : !is;
  if (is !== was) return isOn ? hold(rule, next, moment, decisions) : breakOff(rule, next);
  const { holding } = next;
  if (!holding) return { state: next, stage: noEdge(rule.edge, is) };
  // Still matching, `for` runs on; it will fire for the latest matching signal.
  const { signal, element } = rule.edge === "rising" ? moment : holding;
  return {
    state: { ...next, holding: { ...holding, signal, element } },
    stage: { kind: "holding", until: holding.due },
  };
}

const noEdge = (edge: "rising" | "falling", isMatching: boolean): Stage =>
  edge === "rising" && !isMatching ? { kind: "no-match" } : { kind: "no-edge", edge, isMatching };

function breakOff(rule: Rule, state: KeyState): Step {
  const { holding, isMatching } = state;
  if (holding) return { state: { ...state, holding: null }, stage: { kind: "broken-off", due: holding.due } };
  return { state, stage: noEdge(rule.edge === "falling" ? "falling" : "rising", isMatching) };
}

/** `for`, which cannot be used with `count`. */
function hold(rule: Rule, state: KeyState, moment: Moment, decisions: Decision[]): Step {
  if (rule.forMs === null) return count(rule, state, moment, decisions);
  const due = moment.elapsed + rule.forMs;
  const { signal, element } = moment;
  return { state: { ...state, holding: { due, signal, element } }, stage: { kind: "holding", until: due } };
}

/** `count`: the window ends now and holds both its ends. */
function count(rule: Rule, state: KeyState, moment: Moment, decisions: Decision[]): Step {
  if (!rule.count) return gather(rule, state, moment, decisions);
  const { n, withinMs } = rule.count;
  const counted = [...state.counted.filter((time) => moment.elapsed - time <= withinMs), moment.elapsed];
  if (counted.length < n)
    return { state: { ...state, counted }, stage: { kind: "counting", count: counted.length, n } };
  return gather(rule, { ...state, counted: [] }, moment, decisions);
}

/** `debounce`. */
function gather(rule: Rule, state: KeyState, moment: Moment, decisions: Decision[]): Step {
  if (!rule.debounce) return fire(rule, state, moment, decisions);
  const { waitMs, maxMs } = rule.debounce;
  const first = state.burst?.first ?? moment.elapsed;
  const paused = moment.elapsed + waitMs;
  const due = maxMs === null ? paused : Math.min(paused, first + maxMs);
  return {
    state: { ...state, burst: { first, due, signal: moment.signal, element: moment.element } },
    stage: { kind: "debouncing", until: due },
  };
}

/** `throttle`, and the end of the way. */
function fire(rule: Rule, state: KeyState, moment: Moment, decisions: Decision[]): Step {
  const { throttledUntil } = state;
  if (throttledUntil !== null && moment.elapsed < throttledUntil) {
    decisions.push({ kind: "throttled", ...moment, until: throttledUntil });
    return { state, stage: { kind: "throttled", until: throttledUntil } };
  }
  const until = rule.throttleMs === null ? null : moment.elapsed + rule.throttleMs;
  decisions.push({ kind: "fire", ...moment, until });
  return { state: until === null ? state : { ...state, throttledUntil: until }, stage: { kind: "fired" } };
}
