/** A log of a run is parsed as strictly as a config, whatever lies there; and its events follow one another. */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { readJson } from "../../src/base/json.ts";
import { itemOf } from "../../src/model/batch.ts";
import type { Log } from "../../src/model/log.ts";
import { RUN_EVENTS, type RunEvent, type RunEventData, type RunEventName } from "../../src/model/run.ts";
import { parseRunData } from "../../src/model/run-data.ts";
import { RUN_EVENT_KINDS } from "../../src/model/run-events.ts";
import { agrees, damagedMessage, EventsGone, RunChain, runLogOf } from "../../src/model/run-log.ts";

const TRACE = "a".repeat(32);
const incident = {
  id: 3,
  notification: "opened",
  state: "open",
  reason: null,
  severity: "warning",
  summary: "full",
  opened_at: 5,
  duration_ms: 0,
  count: 1,
  acked_by: null,
  suppressed_ms: 0,
  suppressed_by: ["silence"],
} as const;
const trigger = { id: 41, sense: "disk", at: 900, reflex: "full", key: "/var", isElement: false, due: 7, incident };
const place = { step: "find owner", nth: 0, attempt: 1 };
const sleep = { duration: "5s", name: null, nth: 0 };

const item = itemOf({ trigger, input: { host: "a" } });

const DATA: RunEventData = {
  "run.queued": {
    input: { host: "a" },
    trigger,
    retry_of: null,
    from_step: null,
    decision: "signal:41:/var",
    batch: { group: "reflex full", until: 930, due: 9.5 },
  },
  "run.started": { attempt: 1, code: "abc", batch: { items: [item], more: 2 }, joined: [8, 9] },
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
  "run.retrying": { until: 6_000, due: 60, attempt: 2, error: "Error: no", stack: "at x", steps: [sleepless("a")] },
  "run.completed": { output: { done: true }, ran_ms: 9 },
  "run.failed": { error: "Error: boom", stack: null, steps: [] },
  "run.timed-out": { error: "too long" },
  "run.cancelled": { error: null },
  "run.dropped": { error: "the queue is full" },
  "run.joined": { into: 3 },
};
function sleepless(step: string) {
  return { step, nth: 0 };
}

const logOf = (event: string, data: string | null, more: Partial<Log> = {}): Log => ({
  id: 5,
  at: 6,
  level: "info",
  source: "workflow:page",
  event,
  run: 7,
  trace: TRACE,
  message: "",
  data,
  ...more,
});
const whole = (event: RunEventName, id: number): Log => logOf(event, JSON.stringify(DATA[event]), { id, at: id });

/** What earlier versions did not record. */
const LATER = ["decision", "batch", "joined", "name", "message", "reason", "steps"];

/** What is wrong with a log, or its kind. */
function told(log: Log): string {
  const found = runLogOf(log);
  return found.kind === "damaged" ? damagedMessage(found) : found.kind;
}

/** Every value within `data`, by its path. */
function* pathsOf(data: unknown, path: readonly (string | number)[] = []): Generator<readonly (string | number)[]> {
  if (typeof data !== "object" || data === null) return;
  for (const [key, value] of Object.entries(data)) {
    yield [...path, key];
    yield* pathsOf(value, [...path, key]);
  }
}
const isAny = ([key, ...path]: readonly (string | number)[]): boolean =>
  key === "input" || key === "result" || key === "output" || path.includes("payload");

describe("a log of a run", () => {
  test("is its event, with the data as it was written", () => {
    for (const event of RUN_EVENTS) {
      const log = whole(event, 5);
      const found = runLogOf(log);
      expect(found).toMatchObject({ kind: "event", row: { id: 5, at: 5, run: 7, workflow: "page", trace: TRACE } });
      if (found.kind === "event") expect(JSON.stringify(found.event.data)).toBe(log.data ?? "");
    }
  });

  test.each<[string, Partial<Log>, string]>([
    ["of no run", { run: null }, "beside"],
    ["of what a run said", { event: "log" }, "beside"],
    ["that says why a run waits", { event: "run.waiting", data: null }, "beside"],
    ["of an event there is not", { event: "nope" }, 'log 5: event is "nope", which is no event of a run'],
    ["of a sense that says so", { source: "sense:page" }, 'log 5: source is "sense:page", which is no workflow'],
    ["without a trace", { trace: null }, "log 5: trace is NULL"],
    ["without data", { data: null }, "log 5: data of run.started is no JSON"],
    ["whose data is no JSON", { data: "{" }, "log 5: data of run.started is no JSON"],
    ["whose data is a list", { data: "[]" }, "log 5: data of run.started is a list, which is no object"],
    ["whose data is empty", { data: "{}" }, "log 5: data of run.started has no attempt"],
    [
      "whose data has another type",
      { data: '{"attempt":"x","code":""}' },
      'log 5: data of run.started has "x" as attempt, which is not a number from 1 on',
    ],
  ])("%s is told for what it is", (_, more, what) => {
    expect(told({ ...logOf("run.started", '{"attempt":1,"code":""}'), ...more })).toBe(what);
  });

  test("that lacks a field of its event is damaged, and so is one whose field has another type", () => {
    for (const event of RUN_EVENTS) {
      for (const field of Object.keys(RUN_EVENT_KINDS[event].data)) {
        if (field === "n?") continue;
        const { [field]: _, ...rest } = DATA[event] as unknown as Record<string, unknown>;
        // Earlier versions did not record these: they are filled in.
        if (LATER.includes(field) && event !== "run.resumed" && !(event === "run.started" && field === "batch"))
          continue;
        if (!event.startsWith("sleep.") || field === "nth")
          expect(told(logOf(event, JSON.stringify(rest)))).toBe(`log 5: data of ${event} has no ${field}`);
        if (isAny([field])) continue;
        expect(told(logOf(event, JSON.stringify({ ...rest, [field]: [[]] })))).toContain(`as ${field}`);
      }
    }
  });

  test("whose number is no number is damaged, and one without a number is not", () => {
    const { "step.started": data } = DATA;
    expect(runLogOf(logOf("step.started", JSON.stringify(data)))).toMatchObject({ kind: "event", n: null });
    expect(runLogOf(logOf("step.started", JSON.stringify({ ...data, n: 3 })))).toMatchObject({ kind: "event", n: 3 });
    for (const n of [0, -1, 0.5, "3", null, [], {}]) {
      const { kind, ...damage } = runLogOf(logOf("step.started", JSON.stringify({ ...data, n })));
      expect([kind, damage]).toMatchObject([
        "damaged",
        { column: "data", why: "of step.started has no number from 1 on as n" },
      ]);
    }
  });

  test("of which any one value is another kind of value is damaged, or means the same to every reader", () => {
    const foreign = fc.constantFrom<unknown>({}, [], [null], true, -1, 0.5, 1e300, "", { a: 1 });
    const paths = RUN_EVENTS.flatMap((event) =>
      [...pathsOf(DATA[event])].filter((path) => !isAny(path)).map((path) => ({ event, path })),
    );
    fc.assert(
      fc.property(fc.constantFrom(...paths), foreign, ({ event, path }, value) => {
        const data = JSON.parse(JSON.stringify(DATA[event]));
        let parent = data;
        for (const key of path.slice(0, -1)) parent = parent[key];
        parent[path.at(-1) as string] = value;
        const parsed = parseRunData(event, readJson(JSON.stringify(data)));
        if (!parsed.ok) return expect(parsed.error).toContain(String(path[0]));
        const was = path.reduce((at: unknown, key) => (at as Record<string, unknown>)[key], DATA[event]);
        const kind = (one: unknown): string => (Array.isArray(one) ? "list" : one === null ? "null" : typeof one);
        // Null stands where a text, a number or (of a key) anything may.
        if (was !== null && path.at(-1) !== "key") expect(kind(value)).toBe(kind(was));
      }),
    );
  });

  test("is read whatever lies there", () => {
    fc.assert(
      fc.property(fc.constantFrom(...RUN_EVENTS), fc.jsonValue(), (event, data) => {
        const found = runLogOf(logOf(event, JSON.stringify(data)));
        expect(["event", "damaged"]).toContain(found.kind);
      }),
    );
  });
});

describe("a log of an earlier version", () => {
  const dataOf = (event: string, data: object): unknown => {
    const found = runLogOf(logOf(event, JSON.stringify(data)));
    return found.kind === "event" ? found.event.data : told(logOf(event, JSON.stringify(data)));
  };

  test("has what it did not record filled in", () => {
    const { decision, batch, ...undecided } = DATA["run.queued"];
    const { key, isElement, due, incident: _, ...plain } = trigger;
    expect(dataOf("run.queued", { ...undecided, trigger: plain })).toEqual({
      ...undecided,
      trigger: { key: null, isElement: false, due: null, incident: null, ...plain },
      decision: "signal:41",
      batch: null,
    });
    expect(dataOf("run.started", { attempt: 1, code: "abc" })).toEqual({
      attempt: 1,
      code: "abc",
      batch: null,
      joined: [],
    });
    const { reason, ...sleeping } = DATA["run.sleeping"];
    expect(dataOf("run.sleeping", sleeping)).toEqual({ ...sleeping, reason: "sleep" });
    const { steps, ...retrying } = DATA["run.retrying"];
    expect(dataOf("run.retrying", { ...retrying, step: null })).toMatchObject({ steps: [] });
    expect(dataOf("run.retrying", { ...retrying, step: { step: "a", nth: 1 } })).toMatchObject({
      steps: [{ step: "a", nth: 1 }],
    });
    expect(dataOf("run.failed", { error: "x", stack: null })).toEqual({ error: "x", stack: null, steps: [] });
    const { name, message, ...failed } = DATA["step.failed"];
    expect(dataOf("step.failed", { ...failed, error: "TypeError: a: b" })).toMatchObject({
      name: "TypeError",
      message: "a: b",
    });
  });

  test("counts sleeps whatever their duration", () => {
    expect(dataOf("sleep.started", { nth: 2, until: 5, due: 5 })).toEqual({ nth: 2, until: 5, due: 5 });
    expect(dataOf("sleep.started", { nth: 2, due: 5 })).toBe("log 5: data of sleep.started has no until");
  });
});

describe("a chain of events", () => {
  const chainOf = (...events: readonly RunEventName[]): RunChain => {
    let chain: RunChain | null = null;
    for (const [index, name] of events.entries()) {
      const found = runLogOf(whole(name, index + 1));
      if (found.kind !== "event") throw new Error(told(whole(name, index + 1)));
      if (chain === null) chain = new RunChain(found.row, found.event);
      else chain.take(found.row, found.event, found.n);
    }
    if (chain === null) throw new Error("nothing happened");
    return chain;
  };

  test("counts quiet events with the next one that changes the row", () => {
    const running = chainOf("run.queued", "run.started", "step.started", "step.completed");
    expect(running.row).toMatchObject({ events: 2, last_log_id: 2, state: "running" });
    expect(running.quiet).toBe(2);
    expect(running.counted).toEqual({ ...running.row, events: 4, last_log_id: 4 });
    const over = chainOf("run.queued", "run.started", "step.started", "step.completed", "run.completed");
    expect(over.row).toMatchObject({ events: 5, last_log_id: 5, state: "completed" });
    expect([over.quiet, over.counted]).toEqual([0, over.row]);
  });

  test.each<[string, readonly RunEventName[]]>([
    ["a step that did not begin", ["run.queued", "run.started", "step.completed"]],
    ["a step that failed before it began", ["run.queued", "run.started", "step.failed"]],
    ["a step that settled before", ["run.queued", "run.started", "step.started", "step.completed", "step.failed"]],
  ])("refuses the end of %s", (_, events) => {
    const last = events.at(-1);
    expect(() => chainOf(...events)).toThrow(
      `log ${events.length}: ${last} of run 7, step "find owner", number 0 of that name, whose try 1 did not begin`,
    );
  });

  test("misses what its next event says was there", () => {
    const chain = chainOf("run.queued", "run.started", "step.started");
    const found = runLogOf(whole("step.completed", 9));
    if (found.kind !== "event") throw new Error("it is damaged");
    expect(() => chain.take(found.row, found.event, 6)).toThrow(
      new EventsGone("log 9: of the 5 events of run 7 before step.completed 2 are gone"),
    );
    chain.take(found.row, found.event, 4);
    expect(chain.counted.events).toBe(4);
  });

  test("takes the end of a step from the try that began, whatever came between", () => {
    expect(chainOf("run.queued", "run.started", "step.started", "run.retrying", "step.completed").row.state).toBe(
      "sleeping",
    );
  });
});

describe("a row", () => {
  const linked = (...events: readonly RunEvent["event"][]) => {
    const logs = events.map((name, index) => runLogOf(whole(name, index + 1)));
    const [first, ...rest] = logs.map((log) => (log.kind === "event" ? log : null));
    if (!first) throw new Error("nothing happened");
    const chain = new RunChain(first.row, first.event);
    let newest = first;
    for (const log of rest) {
      if (!log) continue;
      const before = chain.row;
      chain.take(log.row, log.event, log.n);
      if (chain.row !== before) newest = log;
    }
    return { row: chain.row, counted: chain.counted, first, newest, last: rest.at(-1) ?? first };
  };
  const HISTORIES = [
    ["run.queued"],
    ["run.queued", "run.started"],
    ["run.queued", "run.started", "step.started"],
    ["run.queued", "run.started", "run.sleeping"],
    ["run.queued", "run.started", "run.retrying"],
    ["run.queued", "run.started", "run.retrying", "run.resumed"],
  ] as const;

  test.each(HISTORIES.map((events) => [events]))("after %p agrees with the oldest and the newest of them", (events) => {
    const { row, first, newest } = linked(...events);
    expect(agrees(row, first, newest)).toBe(true);
    expect(agrees({ ...row, events: null }, first, newest)).toBe(true);
  });

  test("of an earlier build, which names a quiet event, agrees with that", () => {
    const { counted, first, last } = linked("run.queued", "run.started", "step.started", "step.completed");
    expect(agrees(counted, first, last)).toBe(true);
    expect(agrees({ ...counted, last_log_id: 3 }, first, last)).toBe(false);
    expect(agrees({ ...counted, state: "queued" }, first, last)).toBe(false);
  });

  test("of a run that sleeps does not agree where its newest event does not say until when", () => {
    const { row, first, newest } = linked(
      "run.queued",
      "run.started",
      "step.started",
      "run.sleeping",
      "step.completed",
    );
    expect(agrees(row, first, newest)).toBe(false);
  });

  test.each(HISTORIES.map((events) => [events]))("after %p does not agree once any column is another", (events) => {
    const { row, first, newest } = linked(...events);
    // What only the events between say of it is seen when the run goes on.
    const between = new Set(["events", "started_at", "error", "attempt"]);
    for (const column of Object.keys(row) as (keyof typeof row)[]) {
      if (between.has(column) && events.length > 1) continue;
      const other = typeof row[column] === "number" ? (row[column] as number) + 1 : "another";
      expect([column, agrees({ ...row, [column]: other }, first, newest)]).toEqual([column, false]);
    }
  });
});
