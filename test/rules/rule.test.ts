/**
 * What reflexes decide, against a slow and obvious model. `NERVE_FUZZ=1000000` tries more, `NERVE_FUZZ_SEED=N` repeats a run.
 */
import { describe, expect, test } from "bun:test";
import type { Rule, RuleEvent } from "../../src/rules/decision.ts";
import { type KeyState, REST, readKeyState } from "../../src/rules/key-state.ts";
import { decide, isAtRest, restsFrom } from "../../src/rules/rule.ts";
import {
  type Expected,
  expectedDecisions,
  type Happening,
  punctual,
  whenSomethingHappens,
} from "../sim/oracle/decisions.ts";
import { type Below, pick, randomOf, SEED, trials } from "./random.ts";

const TRIALS = trials(30_000);
const LONG_MS = 30 * 60_000;

const maybe = <T>(below: Below, value: () => T): T | null => (below(2) === 0 ? value() : null);

/** Any rule that nerve.yaml can say. */
function randomRule(below: Below, unitMs: number): Rule {
  const duration = (): number => (1 + below(6)) * unitMs;
  const hasWhen = below(6) > 0;
  const hasClear = hasWhen && below(2) === 0;
  const edge = hasWhen ? pick(below, ["level", "rising", "falling"] as const) : "level";
  const forMs = edge === "level" ? null : maybe(below, duration);
  const count = forMs === null ? maybe(below, () => ({ n: 1 + below(4), withinMs: duration() })) : null;
  const debounce = maybe(below, () => {
    const waitMs = duration();
    return { waitMs, maxMs: maybe(below, () => waitMs + duration()) };
  });
  return {
    edge,
    hasWhen,
    hasClear,
    forMs,
    count,
    debounce,
    throttleMs: maybe(below, () => 2 * duration()),
    incident: null,
  };
}

function randomHistory(below: Below, rule: Rule, unitMs: number, withTime: boolean): Happening[] {
  let elapsed = below(5) * unitMs;
  const likely = 1 + below(4);
  return Array.from({ length: 1 + below(14) }, (_, index) => {
    elapsed += below(3) === 0 ? below(2) : below(5) * unitMs + (below(4) === 0 ? below(3) - 1 : 0);
    elapsed = Math.max(0, elapsed);
    return {
      kind: withTime && below(3) === 0 ? "time" : "signal",
      id: index + 1,
      elapsed,
      matches: !rule.hasWhen || below(likely) === 0,
      clears: rule.hasClear && below(3) === 0,
      element: null,
      ...(rule.hasWhen && below(6) === 0 ? { matches: false, clears: true, element: `last before ${index}` } : {}),
    };
  });
}

/** The randomness of `elapsed` may step back by a millisecond, time does not. */
const inOrder = (history: Happening[]): Happening[] => history.sort((a, b) => a.elapsed - b.elapsed || a.id - b.id);

const eventOf = ({ kind, id, elapsed, matches, clears, element }: Happening): RuleEvent =>
  kind === "time" ? { kind, elapsed } : { kind, id, elapsed, matches, clears, element };

/** One key, driven as a kernel would: its state goes through JSON and is forgotten now and then. */
function driver(rule: Rule, below: Below) {
  let state: KeyState = REST;
  const decisions: Expected[] = [];
  return {
    decisions,
    step(event: RuleEvent): number | null {
      if (below(2) === 0 && isAtRest(rule, state, event.elapsed)) state = REST;
      const before = JSON.stringify(state);
      const outcome = decide(rule, state, event);
      const stored = readKeyState(JSON.parse(JSON.stringify(outcome.state)));
      if (!Bun.deepEquals(stored, outcome.state)) throw new Error(JSON.stringify(outcome.state));
      if (JSON.stringify(state) !== before) throw new Error("decide changed the state it was given");
      if (outcome.deadline !== null && outcome.deadline <= event.elapsed) throw new Error("a deadline was left over");
      if ((outcome.stage === null) !== (event.kind === "time")) throw new Error("a signal has a stage, time has none");
      decisions.push(...outcome.decisions);
      state = below(2) === 0 ? (JSON.parse(JSON.stringify(outcome.state)) as KeyState) : outcome.state;
      if (state.counted.length >= (rule.count?.n ?? 1)) throw new Error("more is remembered than has to be");
      return outcome.deadline;
    },
  };
}

function compare(
  what: string,
  trial: number,
  rule: Rule,
  history: readonly Happening[],
  found: Expected[],
  expected: Expected[],
) {
  if (Bun.deepEquals(found, expected)) return;
  const story = { rule, history, found, expected };
  throw new Error(`${what}, seed ${SEED}, trial ${trial}: ${JSON.stringify(story, null, 1)}`);
}

describe(`agrees with the model on ${TRIALS} random rules and sequences (seed ${SEED})`, () => {
  test(
    "when nobody looks at deadlines but by chance, some much too late",
    () => {
      const below = randomOf(SEED);
      let fired = 0;
      let late = 0;
      for (let trial = 0; trial < TRIALS; trial++) {
        const unitMs = pick(below, [1, 10, 400, 1_000, 3_000]);
        const rule = randomRule(below, unitMs);
        const history = inOrder(randomHistory(below, rule, unitMs, true));
        const { step, decisions } = driver(rule, below);
        for (const happening of history) step(eventOf(happening));
        const expected = expectedDecisions(rule, history, whenSomethingHappens(history));
        compare("by chance", trial, rule, history, decisions, expected);
        fired += decisions.length;
        late += decisions.filter(({ due, elapsed }) => due !== null && due !== elapsed).length;
      }
      expect(fired).toBeGreaterThan(TRIALS / 2);
      expect(late).toBeGreaterThan(TRIALS / 100);
    },
    LONG_MS,
  );

  test(
    "when each deadline is looked at within a second, however late in it",
    () => {
      const below = randomOf(SEED + 1);
      let atDeadlines = 0;
      for (let trial = 0; trial < TRIALS; trial++) {
        const unitMs = pick(below, [1, 400, 3_000]);
        const rule = randomRule(below, unitMs);
        const history = inOrder(randomHistory(below, rule, unitMs, false));
        const { step, decisions } = driver(rule, below);
        const latencyMs = pick(below, [0, 1, 1_000]);
        let deadline: number | null = null;
        const runUntil = (elapsed: number): void => {
          while (deadline !== null) {
            const noticed: number = deadline + below(latencyMs + 1);
            if (noticed > elapsed) return;
            deadline = step({ kind: "time", elapsed: noticed });
          }
        };
        for (const happening of history) {
          runUntil(happening.elapsed);
          deadline = step(eventOf(happening));
        }
        runUntil(Number.MAX_SAFE_INTEGER);
        compare("punctual", trial, rule, history, decisions, expectedDecisions(rule, history, punctual));
        atDeadlines += decisions.filter(({ due }) => due !== null).length;
      }
      expect(atDeadlines).toBeGreaterThan(TRIALS / 4);
    },
    LONG_MS,
  );
});

const PLAIN: Rule = {
  edge: "level",
  hasWhen: false,
  hasClear: false,
  forMs: null,
  count: null,
  debounce: null,
  throttleMs: null,
  incident: null,
};
const signal = (elapsed: number, matches = true): RuleEvent => ({
  kind: "signal",
  id: elapsed,
  elapsed,
  matches,
  clears: false,
  element: null,
});

test("what another hand may have written is told from what a key remembers", () => {
  const wrong: unknown[] = [
    undefined,
    null,
    5,
    {},
    [],
    { ...REST, isMatching: 1 },
    { ...REST, holding: undefined },
    { ...REST, holding: { due: "1", signal: 1 } },
    { ...REST, burst: { first: 1, due: 2 } },
    { ...REST, burst: [] },
    { ...REST, counted: [null] },
    { ...REST, throttledUntil: "5" },
  ];
  expect(wrong.filter((value) => readKeyState(value) !== null)).toEqual([]);
  expect(readKeyState(REST)).toEqual(REST);
});

test("what a build without elements remembered is read as if it had seen none", () => {
  const stored = { ...REST, holding: { due: 5, signal: 1 }, burst: { first: 1, due: 2, signal: 1 } };
  expect(readKeyState(stored)).toEqual({
    ...REST,
    holding: { due: 5, signal: 1, element: null },
    burst: { first: 1, due: 2, signal: 1, element: null },
  });
});

describe("a key can be forgotten", () => {
  test("at once by a rule without words", () => {
    expect(decide(PLAIN, REST, signal(5)).state).toEqual(REST);
    expect(isAtRest(PLAIN, REST, 0)).toBe(true);
  });

  test("when its throttle is over, and not before", () => {
    const rule = { ...PLAIN, throttleMs: 10 };
    const { state } = decide(rule, REST, signal(5));
    expect(restsFrom(rule, state)).toBe(15);
    expect([isAtRest(rule, state, 14), isAtRest(rule, state, 15)]).toEqual([false, true]);
  });

  test("when the last counted signal has left the window", () => {
    const rule = { ...PLAIN, count: { n: 3, withinMs: 10 } };
    const { state } = decide(rule, REST, signal(5));
    expect(restsFrom(rule, state)).toBe(16);
  });

  test("not while it matches or waits for something", () => {
    const rule: Rule = { ...PLAIN, hasWhen: true, edge: "rising" };
    expect(restsFrom(rule, decide(rule, REST, signal(5)).state)).toBeNull();
    const debounced = { ...PLAIN, debounce: { waitMs: 10, maxMs: null } };
    expect(restsFrom(debounced, decide(debounced, REST, signal(5)).state)).toBeNull();
  });
});

describe("a signal is told how far it came", () => {
  const stages = (rule: Rule, ...events: RuleEvent[]) => {
    let state = REST;
    return events.map((event) => {
      const outcome = decide(rule, state, event);
      state = outcome.state;
      return outcome.stage;
    });
  };
  const when: Rule = { ...PLAIN, hasWhen: true };

  test("`when`", () => {
    expect(stages(when, signal(1, false), signal(2))).toEqual([{ kind: "no-match" }, { kind: "fired" }]);
  });

  test("`edge`", () => {
    expect(stages({ ...when, edge: "rising" }, signal(1), signal(2), signal(3, false))).toEqual([
      { kind: "fired" },
      { kind: "no-edge", edge: "rising", isMatching: true },
      { kind: "no-match" },
    ]);
    expect(stages({ ...when, edge: "falling" }, signal(1, false), signal(2), signal(3), signal(4, false))).toEqual([
      { kind: "no-edge", edge: "falling", isMatching: false },
      { kind: "no-edge", edge: "falling", isMatching: true },
      { kind: "no-edge", edge: "falling", isMatching: true },
      { kind: "fired" },
    ]);
  });

  test("`for`", () => {
    expect(stages({ ...when, edge: "rising", forMs: 10 }, signal(1), signal(5), signal(7, false))).toEqual([
      { kind: "holding", until: 11 },
      { kind: "holding", until: 11 },
      { kind: "broken-off", due: 11 },
    ]);
  });

  test("`count`, `debounce`, `throttle`", () => {
    expect(stages({ ...PLAIN, count: { n: 2, withinMs: 10 } }, signal(1), signal(2))).toEqual([
      { kind: "counting", count: 1, n: 2 },
      { kind: "fired" },
    ]);
    expect(stages({ ...PLAIN, debounce: { waitMs: 5, maxMs: 7 } }, signal(1), signal(4))).toEqual([
      { kind: "debouncing", until: 6 },
      { kind: "debouncing", until: 8 },
    ]);
    expect(stages({ ...PLAIN, throttleMs: 5 }, signal(1), signal(4), signal(6))).toEqual([
      { kind: "fired" },
      { kind: "throttled", until: 6 },
      { kind: "fired" },
    ]);
  });
});
