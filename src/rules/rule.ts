/**
 * Owns the decisions of a reflex about one key: a pure function from the key's memory and an event to decisions. Its driver
 * owns the clock, the timers and the storage, and keeps one `KeyState` a key.
 *
 * Time is `elapsed`, whole milliseconds on an axis that never steps back. A deadline acts at the moment it was due,
 * whenever the driver gets to it, so the latency of a timer changes no decision. Only a deadline that is more than LATE_MS
 * late (nerve was down) acts when it is found. A deadline comes before a signal of the same moment.
 *
 * The words are stages, applied in order. Each stage passes on at once, passes on later, or stops:
 * `when`/`clear` → `edge` → `for` → `count` → `debounce` → `throttle` → fire.
 */
import type { Json } from "../base/json.ts";
import type { IncidentConfig, ReflexConfig } from "../model/config.ts";
import type { Decision, IncidentRule, Outcome, Rule, RuleEvent, Stage } from "./decision.ts";
import { incidentDeadline, incidentRestsFrom } from "./incident-deadlines.ts";
import type { IncidentMove } from "./incident-moves.ts";
import { type KeyState, LATE_MS } from "./key-state.ts";

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
    incident: config.kind === "workflow" ? incidentRuleOf(config.workflow, config.incident) : null,
  };
}

function incidentRuleOf(workflow: string, config: IncidentConfig | null): IncidentRule | null {
  if (config === null) return null;
  const { resolveAfterMs, remindEveryMs, escalate } = config;
  const inOrder = escalate.toSorted((a, b) => a.afterMs - b.afterMs);
  return { workflow, resolveAfterMs: resolveAfterMs ?? 0, remindEveryMs, escalate: inOrder };
}

/** The time from which the key can be forgotten, unless a signal comes. Null where no time ends this state. */
export function restsFrom(rule: Rule, state: KeyState): number | null {
  if (rule.incident !== null) return incidentRestsFrom(rule, state);
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

const NO_MOVES: readonly IncidentMove[] = [];

const outcome = (state: KeyState, decisions: readonly Decision[], stage: Stage | null): Outcome => ({
  state,
  decisions,
  moves: NO_MOVES,
  deadline: plainDeadline(state),
  stage,
});

/** The time at which the next `time` event is needed. Null while nothing is pending. */
export function deadlineOf({ incident }: Rule, state: KeyState): number | null {
  return incident === null ? plainDeadline(state) : incidentDeadline(incident, state);
}

function plainDeadline({ holding, burst }: KeyState): number | null {
  return holding && burst ? Math.min(holding.due, burst.due) : ((holding ?? burst)?.due ?? null);
}

/** What a stage passes on: the signal, the time, and the deadline that led to it. */
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
    // The burst may have ended before the moment that `for` passes on: then the burst goes first.
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
  // At level each signal is looked at by itself, unless the match lasts until `clear`: a key need not be remembered for it.
  const forgets = rule.edge === "level" && !rule.hasClear;
  const next = is === was || forgets ? state : { ...state, isMatching: is };
  if (rule.edge === "level") {
    return is ? count(rule, next, moment, decisions) : { state: next, stage: { kind: "no-match" } };
  }
  const isOn = rule.edge === "rising" ? is : !is;
  if (is !== was) return isOn ? hold(rule, next, moment, decisions) : breakOff(rule, next);
  const { holding } = next;
  if (!holding) return { state: next, stage: noEdge(rule.edge, is) };
  // The key still matches, so `for` runs on. It will fire for the latest matching signal.
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

/** `count`: the window ends now, and includes both its ends. */
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

/** `throttle`, the last stage. */
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
