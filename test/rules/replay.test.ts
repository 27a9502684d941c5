/**
 * A replay against the rules driven by hand, key by key, with timers that are late at random and nothing ever forgotten.
 * `NERVE_FUZZ=N` tries more, `NERVE_FUZZ_SEED=N` repeats a run.
 */
import { describe, expect, test } from "bun:test";
import type { Json, JsonObject } from "../../src/base/json.ts";
import type { ReflexConfig, WorkflowReflexConfig } from "../../src/model/config.ts";
import { type Course, type Down, UNEVENTFUL } from "../../src/rules/course.ts";
import type { RuleEvent } from "../../src/rules/decision.ts";
import { MAX_KEYS } from "../../src/rules/key.ts";
import { type KeyState, REST } from "../../src/rules/key-state.ts";
import { hasWords, matcherOf } from "../../src/rules/matcher.ts";
import { Replay } from "../../src/rules/replay.ts";
import type { Evaluation, Replayed } from "../../src/rules/replayed.ts";
import { decide } from "../../src/rules/rule.ts";
import { workflowReflex } from "../helpers/reflex.ts";
import { type Below, pick, randomOf, SEED, trials } from "./random.ts";

const TRIALS = trials(1_500);
const LONG_MS = 30 * 60_000;
const BEGIN = 1_700_000_000_000;

const reflex = (words: Partial<WorkflowReflexConfig>): WorkflowReflexConfig => workflowReflex({ on: ["a"], ...words });

interface Fact {
  readonly id: number;
  readonly sense: string;
  readonly at: number;
  readonly payload: string;
}

const maybe = <T>(below: Below, value: () => T): T | null => (below(2) === 0 ? value() : null);

const KEYS: readonly Partial<WorkflowReflexConfig>[] = [
  { key: null },
  { key: "k" },
  { key: "$sense" },
  { key: "$one" },
  { key: ["$sense", "k"] },
  { key: ["k", "v"] },
  { key: ["$sense", "k"], each: "items" },
];

function randomReflex(below: Below, name: string, unitMs: number): ReflexConfig {
  const duration = (): number => (1 + below(6)) * unitMs;
  const when = below(5) > 0 ? { v: "number >= 6" } : null;
  const clear = when !== null && below(3) === 0 ? { v: "number < 3" } : null;
  const edge = when === null ? null : maybe(below, () => pick(below, ["level", "rising", "falling"] as const));
  const forMs = when !== null && edge !== "level" && below(2) === 0 ? duration() : null;
  const count = forMs === null ? maybe(below, () => ({ n: 1 + below(4), withinMs: duration() })) : null;
  const debounce = maybe(below, () => {
    const waitMs = duration();
    return { waitMs, maxMs: maybe(below, () => waitMs + duration()) };
  });
  return reflex({
    name,
    on: pick(below, [["a"], ["b"], ["a", "b"]]),
    when,
    clear,
    edge,
    forMs,
    count,
    debounce,
    throttleMs: maybe(below, () => 2 * duration()),
    ...pick(below, KEYS),
  });
}

function randomFacts(below: Below, unitMs: number, downs: readonly Down[]): Fact[] {
  let at = BEGIN;
  return Array.from({ length: 1 + below(40) }, (_, index) => {
    at += below(3) === 0 ? below(2) : below(5) * unitMs;
    for (const { from, to } of downs) if (at > from && at < to) at = to + 1_001 + below(unitMs);
    const item = (): JsonObject => ({ v: below(10), ...(below(6) === 0 ? {} : { k: below(3) }) });
    const items = below(8) === 0 ? "none" : Array.from({ length: below(4) }, item);
    const payload: Json = { ...item(), items };
    return { id: index + 1, sense: pick(below, ["a", "b", "c"]), at, payload: JSON.stringify(payload) };
  });
}

type Bare = Omit<Replayed, "reflex" | "elapsed">;

/** A map of states and a deadline each, looked at `latency` late, when nerve runs. */
function byHand(config: ReflexConfig, facts: readonly Fact[], end: number, notices: (due: number) => number): Bare[] {
  const found: Bare[] = [];
  if (!hasWords(config)) {
    for (const { id, sense, at } of facts) {
      if (config.on.includes(sense)) found.push({ key: "", kind: "fire", signal: id, due: null, at, until: null });
    }
    return found;
  }
  const matcher = matcherOf(config);
  if (!matcher.ok) throw new Error(matcher.error.message);
  const { rule, match } = matcher.value;
  /** By sense, every key that one of its signals had. */
  const had = new Map<string, Set<string>>();
  const keys = new Map<string, { state: KeyState; noticed: number | null }>();
  const step = (key: string, event: RuleEvent): void => {
    const { state, decisions, deadline } = decide(rule, keys.get(key)?.state ?? REST, event);
    keys.set(key, { state, noticed: deadline === null ? null : notices(deadline) });
    for (const { kind, signal, due, elapsed, until } of decisions) {
      found.push({ key, kind, signal, due, at: elapsed, until });
    }
  };
  const runUntil = (limit: number): void => {
    for (;;) {
      const waiting = [...keys].filter(([, { noticed }]) => noticed !== null && noticed <= limit);
      const [next] = waiting.sort(([, one], [, other]) => (one.noticed as number) - (other.noticed as number));
      if (next === undefined) return;
      step(next[0], { kind: "time", elapsed: next[1].noticed as number });
    }
  };
  for (const { id, sense, at, payload } of facts) {
    runUntil(at);
    if (!config.on.includes(sense)) continue;
    const whole = JSON.parse(payload);
    const values: Json = config.each === null ? [whole] : whole[config.each];
    if (!Array.isArray(values)) continue;
    const present = new Set<string>();
    for (const value of values) {
      const { key, matches, clears } = match(sense, value);
      if (present.has(key)) continue;
      present.add(key);
      step(key, { kind: "signal", id, elapsed: at, matches, clears, element: null });
    }
    const before = had.get(sense) ?? new Set();
    had.set(sense, before.union(present));
    // To end what does not match changes nothing, so every key that is not there may be told so.
    if (config.each === null || config.when === null) continue;
    for (const key of before.difference(present)) {
      step(key, { kind: "signal", id, elapsed: at, matches: false, clears: true, element: null });
    }
  }
  runUntil(end);
  return found;
}

function replayed(
  reflexes: readonly ReflexConfig[],
  facts: readonly Fact[],
  end: number,
  course: Partial<Course> = {},
): { readonly decisions: Replayed[]; readonly looks: Evaluation[]; readonly replay: Replay } {
  const decisions: Replayed[] = [];
  const looks: Evaluation[] = [];
  const made = Replay.of({
    incidents: null,
    reflexes,
    course: { ...UNEVENTFUL, ...course },
    decided: (decision) => decisions.push(decision),
    observer: {
      evaluated: (evaluation) => looks.push(evaluation),
      passed: () => {},
      unreadable: () => {},
      forgot: () => {},
    },
  });
  if (!made.ok) throw new Error(made.error.message);
  for (const fact of facts) made.value.feed(fact);
  made.value.end(end);
  return { decisions, looks, replay: made.value };
}

/** Of keys on their own, the order among them is by chance. */
const sorted = (decisions: readonly Bare[]): Bare[] =>
  [...decisions].sort((a, b) => a.at - b.at || a.signal - b.signal || (a.key < b.key ? -1 : 1));

describe(`on ${TRIALS} random sets of reflexes and signals (seed ${SEED})`, () => {
  test(
    "decides what the rules decide with late timers and nothing forgotten, downtime included",
    () => {
      const below = randomOf(SEED);
      let compared = 0;
      let late = 0;
      for (let trial = 0; trial < TRIALS; trial++) {
        const unitMs = pick(below, [1, 400, 3_000]);
        const down = { from: BEGIN + below(20) * unitMs, to: BEGIN + (30 + below(30)) * unitMs };
        const downs = below(2) === 0 ? [down] : [];
        const reflexes = Array.from({ length: 1 + below(4) }, (_, index) => randomReflex(below, `r${index}`, unitMs));
        const facts = randomFacts(below, unitMs, downs);
        const end = (facts.at(-1)?.at ?? 0) + below(30) * unitMs + 60_000;
        const latencyMs = pick(below, [0, 1, 999]);
        const notices = (due: number): number => {
          const next = downs.find(({ to }) => due < to);
          const late = due + below(latencyMs + 1);
          const noticed = due <= end ? Math.min(late, end) : late;
          if (next === undefined) return noticed;
          return due > next.from ? next.to : Math.min(noticed, next.from);
        };
        const { decisions } = replayed(reflexes, facts, end, { downs });
        for (const [index, config] of reflexes.entries()) {
          const expected = sorted(byHand(config, facts, end, notices));
          const own = decisions.filter((decision) => decision.reflex === index);
          const found = sorted(own.map(({ reflex: _, elapsed: __, ...rest }) => rest));
          if (!Bun.deepEquals(found, expected)) {
            const story = JSON.stringify({ config, facts, downs, found, expected }, null, 1);
            throw new Error(`seed ${SEED}, trial ${trial}: ${story}`);
          }
          compared += found.length;
          late += found.filter(({ due, at }) => due !== null && due !== at).length;
        }
        const times = downs.length > 0 ? [] : decisions.map(({ at }) => at);
        expect(times).toEqual([...times].sort((a, b) => a - b));
      }
      expect(compared).toBeGreaterThan(TRIALS);
      expect(late).toBeGreaterThan(TRIALS / 100);
    },
    LONG_MS,
  );
});

const fact = (id: number, at: number, payload: Json, sense = "a"): Fact => ({
  id,
  sense,
  at: BEGIN + at,
  payload: JSON.stringify(payload),
});

describe("a reflex", () => {
  test("that does not listen to a sense is not shown its signals, whose payload is not even read", () => {
    const other = { id: 1, sense: "b", at: BEGIN, payload: "no JSON" };
    const { decisions, looks, replay } = replayed([reflex({ name: "r", when: { v: "1" } })], [other], BEGIN);
    expect({ decisions, looks }).toEqual({ decisions: [], looks: [] });
    expect(replay.counts(0)).toEqual({ signals: 0, matched: 0, fired: 0, throttled: 0, limited: 0 });
    expect(replay.senses).toEqual(["a"]);
  });

  test("whose words are not about the payload reads none", () => {
    const { replay } = replayed(
      [reflex({ name: "r", throttleMs: 5 })],
      [{ ...fact(1, 0, 0), payload: "no JSON" }],
      BEGIN,
    );
    expect(replay.counts(0)).toEqual({ signals: 1, matched: 1, fired: 1, throttled: 0, limited: 0 });
  });

  test("without words fires at each signal", () => {
    const { decisions } = replayed([reflex({ name: "r" })], [fact(4, 0, 1), fact(7, 1, 2)], BEGIN);
    expect(decisions.map(({ signal, key, due }) => [signal, key, due])).toEqual([
      [4, "", null],
      [7, "", null],
    ]);
  });

  const held = reflex({ name: "r", when: { v: "1" }, forMs: 1_000 });
  const firings = (facts: readonly Fact[], ...turns: Course["turns"]) =>
    replayed([held], facts, BEGIN + 10_000, { turns }).decisions.map(({ signal, due }) => [signal, due]);
  const turn = (at: number, kind: "disabled" | "enabled" | "cleared", name = "r") => ({
    reflex: name,
    elapsed: BEGIN + at,
    kind,
  });
  const one = fact(1, 0, { v: 1 });

  test("that is cleared begins anew, and what was pending never fires", () => {
    expect(firings([one, fact(2, 500, { v: 1 })], turn(100, "cleared"))).toEqual([[2, BEGIN + 1_500]]);
    expect(firings([one], turn(100, "cleared", "other"))).toEqual([[1, BEGIN + 1_000]]);
  });

  test("that is disabled looks at nothing, and begins anew when it is enabled", () => {
    expect(firings([one], turn(999, "disabled"))).toEqual([]);
    expect(firings([one], turn(1_000, "disabled"))).toEqual([[1, BEGIN + 1_000]]);
    const around = [one, fact(2, 500, { v: 1 }), fact(3, 900, { v: 1 })];
    expect(firings(around, turn(100, "disabled"), turn(800, "enabled"))).toEqual([[3, BEGIN + 1_900]]);
  });

  test("that begins after a signal forgets what it made of those up to it", () => {
    const begun = new Map([["r", 2]]);
    const facts = [one, fact(2, 100, { v: 1 }), fact(3, 200, { v: 1 })];
    const { decisions } = replayed([held], facts, BEGIN + 10_000, { begun });
    expect(decisions.map(({ signal, due }) => [signal, due])).toEqual([[3, BEGIN + 1_200]]);
    const seldom = reflex({ name: "r", throttleMs: 60_000 });
    const fired = replayed([seldom], facts, BEGIN, { begun }).decisions.filter(({ kind }) => kind === "fire");
    expect(fired.map(({ signal }) => signal)).toEqual([1, 3]);
  });

  test("passes by a payload that was damaged, if it needs it, and says so", () => {
    const needs = reflex({ name: "r", when: { v: "1" } });
    const made = Replay.of({
      incidents: null,
      reflexes: [needs, reflex({ name: "blind" })],
      course: UNEVENTFUL,
      decided: () => {},
      observer: null,
    });
    if (!made.ok) throw new Error(made.error.message);
    expect(made.value.feed({ ...one, payload: "no JSON" })).toBe(false);
    expect(made.value.feed(fact(2, 1, { v: 1 }))).toBe(true);
    expect([made.value.counts(0).fired, made.value.counts(1).fired]).toEqual([1, 2]);
  });

  test("that is enabled though it was goes on", () => {
    expect(firings([one], turn(500, "enabled"))).toEqual([[1, BEGIN + 1_000]]);
  });
});

describe("a set clock", () => {
  test("that went back is taken out of the time that passes", () => {
    const config = reflex({ name: "r", throttleMs: 10_000 });
    const facts = [fact(1, 0, 0), fact(2, -3_600_000, 0), fact(3, -3_600_000 + 9_999, 0), fact(4, -3_590_000, 0)];
    const { decisions } = replayed([config], facts, BEGIN);
    expect(decisions.map(({ kind, signal }) => [kind, signal])).toEqual([
      ["fire", 1],
      ["throttled", 2],
      ["throttled", 3],
      ["fire", 4],
    ]);
    expect(decisions[3]?.at).toBe(BEGIN - 3_590_000);
  });

  test("that was said to be is taken out, whichever way and however long no signal came", () => {
    const config = reflex({ name: "r", when: { v: "1" }, forMs: 60_000, key: "k" });
    for (const byMs of [86_400_000, -86_400_000, -50_000, 5_000]) {
      const steps = [{ elapsed: BEGIN + 30_500, byMs }];
      // Matching at 0 and 10 s; set at 30 s, noticed half a second later; another key at 40 s; the first again at 70 s.
      const facts = [
        fact(1, 0, { v: 1, k: 1 }),
        fact(2, 10_000, { v: 1, k: 2 }),
        fact(3, 40_000 + byMs, { v: 1, k: 3 }),
      ];
      const { decisions } = replayed([config], facts, BEGIN + 200_000 + byMs, { steps });
      expect(decisions.map(({ signal, due }) => [signal, due])).toEqual([
        [1, BEGIN + 60_000 + byMs],
        [2, BEGIN + 70_000 + byMs],
        [3, BEGIN + 100_000 + byMs],
      ]);
    }
  });
});

describe("keys", () => {
  test("beyond the limit are not looked at until others have come to rest", () => {
    const config = reflex({ name: "r", throttleMs: 1_000, key: "k" });
    const full = Array.from({ length: MAX_KEYS }, (_, k) => fact(k + 1, 60_000, { k }));
    const more = [fact(MAX_KEYS + 1, 60_500, { k: -1 }), fact(MAX_KEYS + 2, 200_000, { k: -1 })];
    const { replay, looks } = replayed([config], [...full, ...more], BEGIN + 200_000);
    expect(replay.counts(0)).toEqual({
      signals: MAX_KEYS + 2,
      matched: MAX_KEYS + 2,
      fired: MAX_KEYS + 1,
      throttled: 0,
      limited: 1,
    });
    expect(looks.filter(({ stage }) => stage === null).map(({ signal }) => signal.id)).toEqual([MAX_KEYS + 1]);
  });
});
