/** What a run goes on with, told from its logs alone: by the table, and for whatever histories there may be. */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { historyOf as historyOfRun } from "../../../src/kernel/runs/history-fold.ts";
import { replayOf } from "../../../src/kernel/runs/replay.ts";
import { EMPTY_HISTORY, inheritable, type RunHistory, stepKey } from "../../../src/kernel/runs/run-history.ts";
import type { Log } from "../../../src/model/log.ts";
import type { RunEvent } from "../../../src/model/run.ts";
import { runLogOf } from "../../../src/model/run-log.ts";

/** Logs of run 1, a second apart from 1,000 on. `log`: a call of `thread.log`. */
const logsOf = (events: readonly (RunEvent | "log" | "output")[]): Log[] =>
  events.map((event, index) => ({
    id: index + 1,
    at: 1_000 * (index + 1),
    level: "info",
    source: "workflow:flow",
    event: typeof event === "string" ? event : event.event,
    run: 1,
    trace: "0".repeat(32),
    message: "",
    data: typeof event === "string" ? null : JSON.stringify(event.data),
  }));

const THROWN = { error: "TypeError: no; Error: why", name: "TypeError", message: "no", stack: "TypeError: no\n at x" };

const trigger = {
  id: null,
  sense: null,
  at: null,
  reflex: null,
  key: null,
  isElement: false,
  due: null,
  incident: null,
};
const queued: RunEvent = {
  event: "run.queued",
  data: { input: null, trigger, retry_of: null, from_step: null, decision: null, batch: null },
};
const started: RunEvent = { event: "run.started", data: { attempt: 1, code: "code-1", batch: null, joined: [] } };
const resumed = (
  reason: "slept" | "retry" | "restart" | "reload" | "worker-died",
  more: { code?: string; deaths?: number; ran_ms?: number } = {},
): RunEvent => ({ event: "run.resumed", data: { attempt: 1, reason, code: "code-1", deaths: 0, ran_ms: 0, ...more } });
const begun = (step: string, nth = 0, attempt = 1): RunEvent => ({
  event: "step.started",
  data: { step, nth, attempt },
});
const done = (step: string, result: string | number = 1, nth = 0, attempt = 1): RunEvent => ({
  event: "step.completed",
  data: { step, nth, attempt, result, duration_ms: 1 },
});
const failed = (step: string, due: number | null = null, attempt = 1, nth = 0): RunEvent => ({
  event: "step.failed",
  data: { step, nth, attempt, ...THROWN, duration_ms: 1, until: due, due },
});
const asleep = (nth: number, duration = "5m", name: string | null = null) => ({ duration, name, nth });
const sleeping = (due: number, sleeps: readonly number[] = [], ran_ms = 0): RunEvent => ({
  event: "run.sleeping",
  data: {
    until: due,
    due,
    sleeps: sleeps.map((nth) => ({ ...asleep(nth), until: due, due })),
    ran_ms,
    reason: "sleep",
  },
});
const slept = (nth: number): RunEvent => ({ event: "sleep.ended", data: asleep(nth) });
const retrying = (step: string | null): RunEvent => ({
  event: "run.retrying",
  data: {
    until: 9,
    due: 9,
    attempt: 2,
    error: "Error: no",
    stack: null,
    steps: step === null ? [] : [{ step, nth: 0 }],
  },
});

const ended = (event: "run.failed" | "run.timed-out" | "run.cancelled", step: string | null = null): RunEvent =>
  event === "run.failed"
    ? { event, data: { error: "Error: no", stack: null, steps: step === null ? [] : [{ step, nth: 0 }] } }
    : { event, data: { error: "too long" } };

const historyOf = (logs: readonly Log[], inherited?: RunHistory): RunHistory =>
  historyOfRun(logs.map(runLogOf), inherited);
const history = (...events: readonly (RunEvent | "log" | "output")[]): RunHistory =>
  historyOf(logsOf([queued, started, ...events]));
const stateOf = ({ steps }: RunHistory, step: string, nth = 0): string | undefined =>
  steps.get(stepKey(step, nth))?.state.state;
const namesOf = ({ steps }: RunHistory): string[] =>
  [...steps.values()]
    .filter(({ state }) => state.state === "completed")
    .map(({ step, nth }) => (nth === 0 ? step : `${step}#${nth}`))
    .sort();

describe("the history of a run", () => {
  test.each<[string, readonly RunEvent[], string | undefined]>([
    ["that never came to the step", [], undefined],
    ["that was interrupted in it", [begun("a")], "begun"],
    ["that finished it", [begun("a"), done("a")], "completed"],
    ["whose step failed for good", [begun("a"), failed("a")], "failed"],
    ["whose step is tried again", [begun("a"), failed("a", 5_000)], "retrying"],
    ["whose step is being tried again", [begun("a"), failed("a", 5_000), begun("a", 0, 2)], "retrying"],
    ["whose next attempt begins at the failed step", [begun("a"), failed("a"), retrying("a")], "begun"],
    [
      "whose next attempt keeps what failed and was handled",
      [begun("a"), failed("a"), begun("b"), failed("b"), retrying("b")],
      "failed",
    ],
    [
      "that slept after it had handled the failure",
      [begun("a"), failed("a"), sleeping(5_000, [0]), resumed("slept"), retrying(null)],
      "failed",
    ],
    ["whose error it threw in other words", [begun("a"), failed("a"), retrying(null)], "begun"],
    [
      "that died between the failure and its throw",
      [begun("a"), failed("a"), resumed("restart"), retrying(null)],
      "begun",
    ],
    ["whose steps failed side by side", [begun("a"), begun("b"), failed("a"), failed("b"), retrying("b")], "begun"],
    ["whose attempt failed outside of steps", [begun("a"), done("a"), retrying(null)], "completed"],
  ])("%s", (_, events, state) => {
    expect(stateOf(history(...events), "a")).toBe(state as string);
  });

  test("knows calls of one name apart by their number", () => {
    const told = history(begun("a"), begun("a", 1), done("a", "second", 1));
    expect([stateOf(told, "a"), stateOf(told, "a", 1), stateOf(told, "a", 2)]).toEqual([
      "begun",
      "completed",
      undefined as never,
    ]);
  });

  test("takes names for what they are, whatever is in them", () => {
    const told = history(begun("0\0a"), done("0\0a", 1), begun("a", 10), done("1\0a", 2, 0));
    expect(namesOf(told)).toEqual(["0\0a", "1\0a"]);
  });

  test("counts the calls of thread.log, and not what was printed", () => {
    expect(history("log", "output", begun("a"), "log").logged).toBe(2);
  });

  test("is forgotten by an attempt that runs a failed step again, from that step on", () => {
    const tried = ["log", begun("a"), failed("a"), "log", "log", retrying("a")] as const;
    expect(history(...tried).logged).toBe(1);
    expect(history(...tried, resumed("retry"), begun("a"), done("a"), "log").logged).toBe(2);
    const handled = [begun("a"), failed("a"), "log", begun("b"), failed("b"), "log", retrying("b")] as const;
    expect(history(...handled).logged).toBe(1);
  });

  test("remembers when each sleep is over, from when it began", () => {
    const told = history(
      { event: "sleep.started", data: { ...asleep(0), until: 7_000, due: 7_000 } },
      begun("a"),
      done("a"),
      sleeping(9_000, [1]),
      resumed("slept"),
    );
    expect([...told.sleeps.values()].map(({ place, due }) => [place.nth, due])).toEqual([
      [0, 7_000],
      [1, 9_000],
    ]);
  });

  test("counts deaths since the last finished step", () => {
    expect(history(resumed("worker-died", { deaths: 2 })).deaths).toBe(2);
    expect(history(resumed("worker-died", { deaths: 2 }), begun("a"), done("a")).deaths).toBe(0);
    expect(history(resumed("worker-died", { deaths: 2 }), begun("a"), failed("a")).deaths).toBe(2);
  });

  test("measures the running time of the attempt: not the queue, not sleep, not downtime", () => {
    // Queued at 1,000, started at 2,000, and at 4,000 still running.
    expect(history(begun("a"), done("a")).ranMs).toBe(2_000);
    expect(history(sleeping(9_000, [0], 1_234)).ranMs).toBe(1_234);
    expect(history(sleeping(9_000, [0], 1_234), resumed("slept", { ran_ms: 1_234 })).ranMs).toBe(1_234);
    expect(history(resumed("restart", { ran_ms: 700 }), begun("a")).ranMs).toBe(1_700);
    expect(history(begun("a"), retrying("a")).ranMs).toBe(0);
  });

  test("is not made negative by a clock that was set back", () => {
    const logs = logsOf([queued, started, begun("a"), done("a")]).map((log) => ({ ...log, at: -log.at }));
    expect(historyOf(logs).ranMs).toBe(0);
  });

  test("tells beside it what was recorded of it, which no set clock changes", () => {
    const logs = logsOf([queued, started, resumed("slept", { ran_ms: 300 }), begun("a")]);
    const ahead = logs.map((log, index) => (index === logs.length - 1 ? { ...log, at: log.at + 86_400_000 } : log));
    expect(historyOf(ahead).recordedMs).toBe(300);
    expect(historyOf(ahead).ranMs).toBeGreaterThan(86_400_000);
  });

  test("has nothing begun in a further attempt, until that attempt begins a step or a sleep", () => {
    const failing = [begun("a"), failed("a"), begun("b"), done("b"), retrying(null)];
    expect(history(begun("a")).isFurther).toBe(false);
    expect(history(...failing).isFurther).toBe(true);
    expect(history(...failing, resumed("retry")).isFurther).toBe(true);
    expect(history(...failing, resumed("retry"), begun("c")).isFurther).toBe(false);
    expect(history(...failing, resumed("retry"), sleeping(9_000, [0]), resumed("slept")).isFurther).toBe(false);
    const byHand = inheritable(history(...failing), null) ?? EMPTY_HISTORY;
    expect(historyOf(logsOf([queued, started]), byHand).isFurther).toBe(true);
  });

  test("names the code it last ran with", () => {
    expect(historyOf(logsOf([queued])).code).toBeNull();
    expect(history().code).toBe("code-1");
    expect(history(resumed("reload", { code: "code-2" })).code).toBe("code-2");
  });
});

describe("what the worker is told", () => {
  const step = (name: string, state: "completed" | "failed" | "retrying") => ({
    ...{ step: name, nth: 0, state, attempt: 1, result: null, failure: THROWN, leftMs: 0, keyRun: null },
  });

  test("is what finished, failed or is tried again, and how long waits have left", () => {
    const told = history(
      begun("a"),
      done("a", "x"),
      begun("b"),
      failed("b"),
      begun("c"),
      failed("c", 5_000, 3),
      begun("d"),
      sleeping(6_000, [0]),
      "log",
    );
    expect(replayOf(told, 4_000)).toEqual({
      steps: [
        { ...step("a", "completed"), settled: 0, result: "x", failure: null },
        { ...step("b", "failed"), settled: 1 },
        { ...step("c", "retrying"), settled: null, attempt: 3, leftMs: 1_000 },
      ],
      sleeps: [{ ...asleep(0), leftMs: 2_000, settled: null }],
      loose: [],
      logged: 1,
    });
    expect(replayOf(told, 99_000).steps.map(({ leftMs }) => leftMs)).toEqual([0, 0, 0]);
    expect(replayOf(told, 99_000).sleeps).toEqual([{ ...asleep(0), leftMs: 0, settled: null }]);
  });
});

describe("the order in which steps and sleeps settled", () => {
  const beside = (nth: number, due: number): RunEvent => ({
    event: "sleep.started",
    data: { ...asleep(nth), until: due, due },
  });
  const orderOf = (told: RunHistory): string[] => {
    const { steps, sleeps } = replayOf(told, 1_000_000);
    const settled = [
      ...steps.map(({ step, settled }) => ({ settled, name: step })),
      ...sleeps.map(({ nth, settled }) => ({ settled, name: `sleep ${nth}` })),
    ].filter((one) => one.settled !== null);
    settled.sort((one, other) => Number(one.settled) - Number(other.settled));
    expect(settled.map(({ settled }) => settled)).toEqual(settled.map((_, index) => index));
    return settled.map(({ name }) => name);
  };

  test("is that of the logs, whichever began first", () => {
    expect(orderOf(history(begun("a"), begun("b"), begun("c"), done("b"), failed("c"), done("a")))).toEqual([
      "b",
      "c",
      "a",
    ]);
  });

  test("has a sleep where its end was recorded, whatever the clocks said", () => {
    const told = [begun("a"), beside(0, 1), beside(1, 1), beside(2, 1), done("b"), slept(1), done("a"), slept(0)];
    expect(orderOf(history(...told))).toEqual(["b", "sleep 1", "a", "sleep 0"]);
    expect(replayOf(history(...told), 5).sleeps.map(({ settled }) => settled)).toEqual([3, 1, null]);
  });

  test("has one that gave the execution up where the run went on, whatever the clock was set to", () => {
    const told = history(begun("a"), done("a"), sleeping(900_000, [0]), resumed("slept"), begun("b"), done("b"));
    expect(orderOf(told)).toEqual(["a", "sleep 0", "b"]);
    expect(orderOf(history(begun("a"), done("a"), sleeping(900_000, [0])))).toEqual(["a"]);
  });

  test("has only the sleeps whose time was over when the run went on", () => {
    const both: RunEvent = {
      event: "run.sleeping",
      data: {
        until: 5_000,
        due: 5_000,
        sleeps: [
          { ...asleep(0), until: 9_000, due: 9_000 },
          { ...asleep(1), until: 5_000, due: 5_000 },
        ],
        ran_ms: 0,
        reason: "sleep",
      },
    };
    expect(orderOf(history(both, resumed("slept"), begun("a"), done("a")))).toEqual(["sleep 1", "a"]);
  });

  test("is kept by a retry by hand, whose own steps follow", () => {
    const kept = inheritable(history(begun("a"), begun("b"), done("b"), done("a"), failed("c")), null);
    expect(orderOf(historyOf(logsOf([queued, started, begun("c"), done("c")]), kept ?? undefined))).toEqual([
      "b",
      "a",
      "c",
    ]);
  });

  test("is loose from a failure on that is run again, up to where its attempt ended", () => {
    const tried = [begun("a"), done("a"), begun("b"), failed("b"), begun("undo"), done("undo"), retrying("b")];
    expect(replayOf(history(...tried), 0)).toMatchObject({ loose: [{ from: 1, to: 2 }] });
    const again = history(...tried, resumed("retry"), begun("b"), done("b"), begun("c"), done("c"));
    expect(orderOf(again)).toEqual(["a", "undo", "b", "c"]);
    expect(replayOf(again, 0)).toMatchObject({ loose: [{ from: 1, to: 2 }] });
    expect(replayOf(history(begun("a"), done("a"), retrying(null)), 0)).toMatchObject({ loose: [] });
  });
});

describe("logs of earlier versions", () => {
  const old = (event: string, data: object): RunEvent => ({ event, data }) as unknown as RunEvent;
  const oldSleep = (nth: number, until: number): RunEvent => old("sleep.started", { nth, until, due: until });

  test("have sleeps counted whatever their duration, each over before the first event after its time", () => {
    // Rows are a second apart from 1,000 on, so the last is of 7,000.
    const told = history(begun("a"), oldSleep(0, 6_500), oldSleep(1, 5_500), done("b"), done("a"));
    const counted = { duration: null, name: null };
    expect(replayOf(told, 0).sleeps).toEqual([
      { ...counted, nth: 0, settled: 2, leftMs: 6_500 },
      { ...counted, nth: 1, settled: 0, leftMs: 5_500 },
    ]);
    const steps = replayOf(told, 0).steps.map(({ step, settled }) => [step, settled]);
    expect(steps).toEqual([
      ["a", 3],
      ["b", 1],
    ]);
  });

  test.each([
    ["Error: x", "Error", "x"],
    ["TypeError: a: b\nc", "TypeError", "a: b\nc"],
    ["Error: ", "Error", ""],
    ["threw Error: x", "Error", "threw Error: x"],
    ["curl: (6) could not resolve", "Error", "curl: (6) could not resolve"],
    ["", "Error", ""],
  ])("have a failure in words, read as an error of that name and message: %j", (error, name, message) => {
    const event = old("step.failed", {
      step: "a",
      nth: 0,
      attempt: 1,
      error,
      stack: "at x",
      duration_ms: 1,
      due: null,
      until: null,
    });
    expect(replayOf(history(begun("a"), event), 0).steps).toMatchObject([
      { state: "failed", failure: { error, name, message, stack: "at x" } },
    ]);
  });

  test("name the one step at which the next attempt begins", () => {
    const failed = old("step.failed", {
      step: "a",
      nth: 0,
      attempt: 1,
      error: "x",
      stack: null,
      duration_ms: 1,
      due: null,
      until: null,
    });
    const after = [begun("a"), failed, begun("b"), done("b")];
    const retriedAt = (step: object | null): RunEvent =>
      old("run.retrying", { until: 9, due: 9, attempt: 2, error: "x", stack: null, step });
    expect(stateOf(history(...after, retriedAt(null)), "a")).toBe("failed");
    expect(stateOf(history(...after, retriedAt({ step: "a", nth: 0 })), "a")).toBe("begun");
  });
});

describe("a retry by hand keeps", () => {
  const first = history(
    begun("a"),
    done("a"),
    sleeping(3_000, [0]),
    resumed("slept"),
    begun("b"),
    failed("b"),
    "log",
    begun("c"),
    done("c"),
    begun("a", 1),
    done("a", 2, 1),
    begun("d"),
    failed("d"),
    ended("run.failed", "d"),
  );
  const kept = (from: string | null, of: RunHistory = first): RunHistory => {
    const found = inheritable(of, from);
    if (found === null) throw new Error(`there is no step ${from}`);
    return found;
  };

  test.each<[string | null, readonly string[], number]>([
    [null, ["a", "a#1", "c"], 1],
    ["d", ["a", "a#1", "c"], 1],
    ["c", ["a"], 1],
    ["b", ["a"], 1],
    ["a", [], 0],
  ])("from %p: the steps %p", (from, steps, sleeps) => {
    expect(namesOf(kept(from))).toEqual([...steps]);
    expect(kept(from).sleeps.size).toBe(sleeps);
  });

  test("nothing else of the run before: it logs, dies and is timed anew", () => {
    const { logged, code, deaths, ranMs } = kept(null);
    expect({ logged, code, deaths, ranMs }).toEqual({ logged: 0, code: null, deaths: 0, ranMs: 0 });
  });

  test("a step that failed for good and was dealt with as one that did; not the one the run ended with", () => {
    const told = replayOf(kept(null), 0).steps.map(({ step, nth, state }) => `${step}#${nth} ${state}`);
    expect(told).toEqual(["a#0 completed", "b#0 failed", "c#0 completed", "a#1 completed"]);
  });

  test.each([
    ["run.failed", null, "c"],
    ["run.timed-out", null, "c"],
    ["run.cancelled", null, "c"],
    // It waited for the second one and then threw the first one's error.
    ["run.failed", "b", "b"],
  ] as const)("nothing of what %s after, its step being %p: %p begins again", (event, step, again) => {
    const run = history(begun("b"), failed("b"), begun("c"), failed("c"), ended(event, step));
    expect(stateOf(kept(null, run), again)).toBe("begun");
    if (step === null) expect(stateOf(kept(null, run), "b")).toBe("failed");
  });

  test("all of a run that completed, the failures it had dealt with as well", () => {
    const completed: RunEvent = { event: "run.completed", data: { output: null, ran_ms: 1 } };
    const run = history(begun("b"), failed("b"), completed);
    expect(stateOf(kept(null, run), "b")).toBe("failed");
  });

  test("the idempotency key of a step that was under way when the run ended, and of no other", () => {
    const cancelled = history(
      begun("a"),
      done("a"),
      begun("b"),
      begun("c"),
      failed("c"),
      begun("d"),
      failed("d", 5_000),
      begun("e"),
      failed("e", 5_000),
      begun("e", 0, 2),
      ended("run.cancelled"),
    );
    const keysOf = (told: RunHistory) =>
      replayOf(told, 0).steps.map(({ step, state, keyRun }) => [step, state, keyRun]);
    expect(keysOf(kept(null, cancelled))).toEqual([
      ["a", "completed", null],
      ["b", "begun", 1],
      ["c", "failed", null],
      ["e", "begun", 1],
    ]);
    // Also with `--from-step`, and in a retry of the retry that did not come to the step.
    expect(keysOf(kept("a", cancelled))).toEqual([
      ["b", "begun", 1],
      ["e", "begun", 1],
    ]);
    const again = logsOf([queued, started, begun("b"), done("b"), ended("run.cancelled")]).map((log) => ({
      ...log,
      run: 2,
    }));
    expect(keysOf(kept(null, historyOf(again, kept(null, cancelled))))).toEqual([
      ["a", "completed", null],
      ["b", "completed", 1],
      ["c", "failed", null],
      ["e", "begun", 1],
    ]);
  });

  test("nothing at all from a step there never was", () => {
    expect(inheritable(first, "z")).toBeNull();
    expect(inheritable(EMPTY_HISTORY, null)?.steps.size).toBe(0);
  });

  test("in a retry of a retry, what came before the step in the run it stems from", () => {
    // `b` failed and `c`, which was called instead, failed too; then `e` was done and `d` failed.
    const before = history(
      begun("a"),
      done("a"),
      begun("b"),
      failed("b"),
      begun("c"),
      failed("c"),
      begun("e"),
      done("e"),
      begun("d"),
      failed("d"),
      ended("run.failed", "d"),
    );
    const own = [begun("d"), failed("d"), ended("run.failed", "d")];
    const second = historyOf(logsOf([queued, started, ...own]), kept(null, before));
    expect(namesOf(second)).toEqual(["a", "e"]);
    expect(namesOf(kept("d", second))).toEqual(["a", "e"]);
    expect(namesOf(kept("e", second))).toEqual(["a"]);
    expect(stateOf(kept("e", second), "c")).toBe("failed");
    expect(namesOf(kept("b", second))).toEqual(["a"]);
    expect(stateOf(kept("c", second), "b")).toBe("failed");
  });
});

describe("whatever happens to a run", () => {
  const place = {
    step: fc.constantFrom("a", "b", "c"),
    nth: fc.nat({ max: 2 }),
    attempt: fc.integer({ min: 1, max: 4 }),
  };
  const due = fc.option(fc.nat({ max: 50_000 }), { nil: null });
  const anyEvent: fc.Arbitrary<RunEvent | "log"> = fc.oneof(
    fc.constant<"log">("log"),
    fc.record(place).map(({ step, nth, attempt }) => begun(step, nth, attempt)),
    fc.record(place).map(({ step, nth, attempt }) => done(step, `${step}${nth}`, nth, attempt)),
    fc.tuple(fc.record(place), due).map(([{ step, nth, attempt }, at]) => failed(step, at, attempt, nth)),
    fc.tuple(fc.nat({ max: 50_000 }), fc.nat({ max: 2 })).map(([at, nth]) => sleeping(at, [nth], 5)),
    fc.constantFrom("a", "b", "c", null).map(retrying),
    fc.constantFrom("slept", "retry", "restart", "reload", "worker-died" as const).map((reason) => resumed(reason)),
  );
  const events = fc.array(anyEvent, { maxLength: 40 });

  test("finished steps stay finished, with what they returned, unless an attempt begins at them", () => {
    fc.assert(
      fc.property(events, (list) => {
        const told = history(...list);
        for (const [key, { step, nth, state }] of told.steps) {
          const last = list.filter(
            (event) =>
              event !== "log" &&
              "step" in event.data &&
              event.data.step === step &&
              event.data.nth === nth &&
              event.event !== "step.started",
          );
          const newest = last.at(-1) as RunEvent | undefined;
          expect(key).toBe(stepKey(step, nth));
          if (state.state === "completed")
            expect([newest?.event, state.result]).toEqual(["step.completed", `${step}${nth}`]);
          if (newest?.event === "step.completed") expect(state.state).toBe("completed");
        }
        const logged = list.filter((event) => event === "log").length;
        const isTriedAgain = list.some((event) => event !== "log" && event.event === "run.retrying");
        if (isTriedAgain) expect(told.logged).toBeLessThanOrEqual(logged);
        else expect(told.logged).toBe(logged);
        expect(told.ranMs).toBeGreaterThanOrEqual(0);
      }),
      { examples: [[[failed("a", null, 1, 1), done("a", "a1", 1), retrying("b")]]] },
    );
  });

  test("a retry by hand keeps only finished steps, each of which came before the one it begins at", () => {
    fc.assert(
      fc.property(events, fc.constantFrom("a", "b", "c"), (list, from) => {
        const told = history(...list);
        const all = inheritable(told, null) as RunHistory;
        expect(namesOf(all)).toEqual(namesOf(told));
        const some = inheritable(told, from);
        const calls = [...told.steps.values()].filter(({ step }) => step === from);
        if (some === null) return expect(calls).toEqual([]);
        const begins = Math.min(...calls.map(({ order }) => order));
        const before = [...told.steps.values()].filter(({ order }) => order < begins);
        expect(namesOf(some)).toEqual(
          namesOf({ ...told, steps: new Map(before.map((step) => [stepKey(step.step, step.nth), step])) }),
        );
        expect(namesOf(some).some((name) => name.split("#")[0] === from)).toBe(false);
      }),
    );
  });

  test("the worker is told of each step once, and of nothing that only began", () => {
    fc.assert(
      fc.property(events, fc.nat({ max: 60_000 }), (list, now) => {
        const told = history(...list);
        const { steps, sleeps } = replayOf(told, now);
        const keys = steps.map(({ step, nth }) => stepKey(step, nth));
        expect(new Set(keys).size).toBe(keys.length);
        expect(keys.every((key) => told.steps.get(key)?.state.state !== "begun")).toBe(true);
        expect([...steps, ...sleeps].every(({ leftMs }) => leftMs >= 0)).toBe(true);
      }),
    );
  });
});
