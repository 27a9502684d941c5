/** What an event does to a run, by the table; what cannot follow is refused; and the fold of any history is a row that makes sense. */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { isQuiet } from "../../src/model/quiet-events.ts";
import {
  ACTIVE_STATES,
  advance,
  ENDINGS,
  isOver,
  isRunEvent,
  type Recorded,
  RUN_EVENTS,
  type Run,
  type RunEvent,
  type RunEventData,
} from "../../src/model/run.ts";

const TRACE = "a".repeat(32);
const recorded = (id: number): Recorded => ({ id, at: 1_000 + id, run: 7, workflow: "page", trace: TRACE });
const trigger = {
  id: 41,
  sense: "disk",
  at: 900,
  reflex: "full",
  key: "/var",
  isElement: false,
  due: null,
  incident: null,
};
const place = { step: "find owner", nth: 0, attempt: 1 };

const sleep = { duration: "5s", name: null, nth: 0 };

const DATA: RunEventData = {
  "run.queued": {
    input: { host: "a" },
    trigger,
    retry_of: null,
    from_step: null,
    decision: "signal:41:/var",
    batch: { group: "reflex full", until: 930, due: 9.5 },
  },
  "run.started": { attempt: 1, code: "abc", batch: null, joined: [] },
  "run.resumed": { attempt: 2, reason: "retry", code: "abc", deaths: 0, ran_ms: 3 },
  "step.started": place,
  "step.completed": { ...place, result: [1], duration_ms: 2 },
  "step.failed": {
    ...place,
    error: "Error: no",
    name: "Error",
    message: "no",
    stack: null,
    duration_ms: 2,
    until: null,
    due: null,
  },
  "sleep.started": { ...sleep, until: 5_000, due: 50 },
  "sleep.ended": sleep,
  "run.sleeping": { until: 5_000, due: 50, sleeps: [{ ...sleep, until: 5_000, due: 50 }], ran_ms: 4, reason: "sleep" },
  "run.retrying": { until: 6_000, due: 60, attempt: 2, error: "Error: no", stack: "at x", steps: [] },
  "run.completed": { output: { done: true }, ran_ms: 9 },
  "run.failed": { error: "Error: boom", stack: null, steps: [] },
  "run.timed-out": { error: "too long" },
  "run.cancelled": { error: null },
  "run.dropped": { error: "the queue is full" },
  "run.joined": { into: 9 },
};
const event = <Name extends RunEvent["event"]>(name: Name, data: RunEventData[Name] = DATA[name]): RunEvent =>
  ({ event: name, data }) as RunEvent;
const after = (...names: readonly RunEvent["event"][]): Run => {
  let run: Run | null = null;
  for (const [index, name] of names.entries()) run = advance(run, recorded(index + 1), event(name));
  if (run === null) throw new Error("nothing happened");
  return run;
};

/** What may happen to a run that is alive, by its state. */
const COMES_IN: Readonly<Record<string, readonly RunEvent["event"][]>> = {
  queued: ["run.started", "run.dropped", "run.joined", "run.failed", "run.cancelled"],
  running: RUN_EVENTS.filter((name) => !["run.queued", "run.started", "run.dropped", "run.joined"].includes(name)),
  sleeping: ["run.resumed", "run.failed", "run.cancelled", "step.completed"],
};

const QUEUED: Run = {
  id: 7,
  workflow: "page",
  reflex: "full",
  state: "queued",
  signal_id: 41,
  input: '{"host":"a"}',
  output: null,
  attempt: 0,
  queued_at: 1_001,
  started_at: null,
  ended_at: null,
  error: null,
  trace: TRACE,
  last_log_id: 1,
  retry_of: null,
  first_log_id: 1,
  until: null,
  key: "/var",
  decision: "signal:41:/var",
  events: 1,
};

test("a run begins as its order says", () => {
  expect(after("run.queued")).toEqual(QUEUED);
  const byHand = {
    id: null,
    sense: null,
    at: null,
    reflex: null,
    key: null,
    isElement: false,
    due: null,
    incident: null,
  };
  const data = { input: null, trigger: byHand, retry_of: 3, from_step: "a", decision: null, batch: null };
  expect(advance(null, recorded(1), event("run.queued", data))).toEqual({
    ...QUEUED,
    reflex: null,
    signal_id: null,
    input: "null",
    retry_of: 3,
    key: null,
    decision: null,
  });
});

describe("an event changes", () => {
  const running = { state: "running", attempt: 1, started_at: 1_002 } as const;
  test.each<[RunEvent["event"], readonly RunEvent["event"][], Partial<Run>]>([
    ["run.started", ["run.queued"], running],
    ["run.dropped", ["run.queued"], { state: "dropped", ended_at: 1_002, error: "the queue is full" }],
    ["run.joined", ["run.queued"], { state: "joined", ended_at: 1_002 }],
    ["run.cancelled", ["run.queued"], { state: "cancelled", ended_at: 1_002 }],
    ["step.completed", ["run.queued", "run.started", "run.sleeping"], { ...running, state: "sleeping", until: 5_000 }],
    ["run.sleeping", ["run.queued", "run.started"], { ...running, state: "sleeping", until: 5_000 }],
    [
      "run.retrying",
      ["run.queued", "run.started"],
      { ...running, state: "sleeping", until: 6_000, error: "Error: no" },
    ],
    ["run.resumed", ["run.queued", "run.started", "run.sleeping"], { ...running, attempt: 2 }],
    ["run.resumed", ["run.queued", "run.started", "run.retrying"], { ...running, attempt: 2, error: "Error: no" }],
    [
      "run.completed",
      ["run.queued", "run.started"],
      { ...running, state: "completed", ended_at: 1_003, output: '{"done":true}' },
    ],
    [
      "run.failed",
      ["run.queued", "run.started"],
      { ...running, state: "failed", ended_at: 1_003, error: "Error: boom" },
    ],
    [
      "run.timed-out",
      ["run.queued", "run.started"],
      { ...running, state: "timed-out", ended_at: 1_003, error: "too long" },
    ],
    [
      "run.cancelled",
      ["run.queued", "run.started", "run.sleeping"],
      { ...running, state: "cancelled", ended_at: 1_004 },
    ],
    [
      "run.completed",
      ["run.queued", "run.started", "run.retrying", "run.resumed"],
      { ...running, attempt: 2, state: "completed", ended_at: 1_005, output: '{"done":true}' },
    ],
  ])("%s after %p", (name, before, changes) => {
    const run = after(...before, name);
    expect(run).toEqual({ ...QUEUED, ...changes, last_log_id: before.length + 1, events: before.length + 1 });
  });

  test.each(["run.failed", "run.timed-out", "run.cancelled", "run.retrying"] as const)(
    "what %s says went wrong into what a column can hold",
    (name) => {
      const before = after("run.queued", "run.started");
      const { error } = advance(before, recorded(3), {
        event: name,
        data: { ...DATA[name], error: "\ud800 \0 💥" },
      } as RunEvent);
      expect(error).toBe("\ufffd \0 💥");
    },
  );

  test.each(["step.started", "step.completed", "step.failed", "sleep.started", "sleep.ended"] as const)(
    "nothing where it is %s of a running run, and the next event counts it",
    (name) => {
      const before = after("run.queued", "run.started");
      expect(advance(before, recorded(3), event(name))).toBe(before);
      expect(advance(before, recorded(5), event("run.completed"), 2)).toMatchObject({ last_log_id: 5, events: 5 });
    },
  );

  test("nothing of the run it is applied to", () => {
    const run = Object.freeze(after("run.queued", "run.started"));
    advance(run, recorded(3), event("run.completed"));
    expect(run.state).toBe("running");
  });
});

describe("refused is", () => {
  const rest = RUN_EVENTS.filter((name) => name !== "run.queued");

  test.each(rest)("%s of a run that was not queued", (name) => {
    expect(() => advance(null, recorded(3), event(name))).toThrow(`log 3: ${name} of run 7, which was not queued`);
  });

  test.each(["run.queued", "run.started", "run.sleeping"] as const)("a second run.queued, after %s", (name) => {
    const before = { "run.queued": [], "run.started": [name], "run.sleeping": ["run.started", name] } as const;
    const run = after("run.queued", ...before[name]);
    expect(() => advance(run, recorded(9), event("run.queued"))).toThrow("log 9: run 7 was queued before");
  });

  test.each(
    (["run.completed", "run.failed", "run.cancelled", "run.timed-out", "run.dropped", "run.joined"] as const).flatMap(
      (ending) => rest.map((name) => [name, ending] as const),
    ),
  )("%s after %s", (name, ending) => {
    const run = ["run.dropped", "run.joined"].includes(ending)
      ? after("run.queued", ending)
      : after("run.queued", "run.started", ending);
    expect(() => advance(run, recorded(9), event(name))).toThrow(`log 9: ${name} of run 7, which is ${run.state}`);
  });
});

describe("refused is, as no state leads to it,", () => {
  const alive = [
    ["queued", ["run.queued"]],
    ["running", ["run.queued", "run.started"]],
    ["sleeping", ["run.queued", "run.started", "run.sleeping"]],
  ] as const;

  test.each(
    alive.flatMap(([state, before]) =>
      RUN_EVENTS.filter((name) => name !== "run.queued" && !COMES_IN[state]?.includes(name)).map(
        (name) => [name, state, before] as const,
      ),
    ),
  )("%s of a run that is %s", (name, state, before) => {
    expect(() => advance(after(...before), recorded(9), event(name))).toThrow(
      `log 9: ${name} of run 7, which is ${state}`,
    );
  });
});

test("events of runs are told from others by name", () => {
  expect(RUN_EVENTS.every(isRunEvent)).toBe(true);
  for (const name of ["log", "output", "toString", "run", ""]) expect(isRunEvent(name)).toBe(false);
});

test("refused is an event of another workflow", () => {
  const run = after("run.queued");
  expect(() => advance(run, { ...recorded(2), workflow: "mend" }, event("run.started"))).toThrow(
    "log 2: run.started of run 7 of mend, which is a run of page",
  );
});

describe("whatever happens", () => {
  const json = fc.jsonValue({ maxDepth: 2 });
  const until = fc.nat();
  const anyEvent: fc.Arbitrary<RunEvent> = fc.oneof(
    ...RUN_EVENTS.map((name) => fc.constant(event(name))),
    json.map((output) => event("run.completed", { output: output as never, ran_ms: 1 })),
    until.map((due) => event("run.sleeping", { until: due, due, sleeps: [], ran_ms: 1, reason: "sleep" })),
    fc.string().map((error) => event("run.failed", { error, stack: null, steps: [] })),
  );
  const histories = fc.array(anyEvent, { maxLength: 30 }).map((events) => [event("run.queued"), ...events]);

  test("what can follow does, what cannot is refused, and the row makes sense", () => {
    fc.assert(
      fc.property(histories, (events) => {
        let run: Run | null = null;
        for (const [index, next] of events.entries()) {
          const before: Run | null = run;
          const refused = before !== null && !COMES_IN[before.state]?.includes(next.event);
          try {
            run = advance(before, recorded(index + 1), next);
            expect(refused).toBe(false);
          } catch (error) {
            if (!refused) throw error;
            expect(run).toBe(before);
            continue;
          }
          if (before !== null && isQuiet(before.state, next.event)) expect(run).toBe(before);
          else expect(run.last_log_id).toBe(index + 1);
          expect(run.ended_at !== null).toBe(isOver(run.state));
          expect(run.output !== null).toBe(run.state === "completed");
          expect(run.until !== null).toBe(run.state === "sleeping");
          expect([...ACTIVE_STATES, ...ENDINGS]).toContain(run.state);
          const { id, workflow, reflex, signal_id, input, queued_at, trace, retry_of, first_log_id } = QUEUED;
          expect(run).toMatchObject({
            id,
            workflow,
            reflex,
            signal_id,
            input,
            queued_at,
            trace,
            retry_of,
            first_log_id,
          });
        }
      }),
    );
  });
});
