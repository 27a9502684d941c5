/** `runs` and `show` on runs that lie in a store, without a daemon, and while another process writes to it. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { openStore, type Store } from "../../src/store/open.ts";
import { NERVE, project, runNerve } from "../helpers/nerve.ts";
import { BY_HAND, type RunWriter, runWriter } from "../helpers/runs.ts";
import { until } from "../helpers/until.ts";

const folder = project({
  "nerve.yaml":
    "senses: { load: }\nreflexes: [{ sense: load, interval: 1h }]\nworkflows: { page: { use: exec }, mend: { use: exec } }\n",
});
const NOW = Date.now();
const HOUR = 3_600_000;
const traceAt = (at: number, tail: string): string => at.toString(16).padStart(12, "0") + tail.padStart(20, "0");
const TREE = traceAt(NOW - 10_000, "abc");
const T = NOW - 10_000;

let store: Store;
let writer: RunWriter;

const STACK = [
  "Error: no line",
  "    at new ShellPromise (native:75:16)",
  "    at dial (/etc/nerve/workflows/page/index.ts:7:12)",
  "    at #act (src/workflow-worker/execution.ts:271:37)",
  "    at run (/etc/nerve/workflows/page/index.ts:3:5)",
].join("\n");

/** Queued by hand an hour ago, completed. */
const OLD = 1;
/** Began with a signal, failed at its second attempt. */
const FAILED = 2;
const RETRY = 3;
const ASLEEP = 4;
const WAITING = 5;

beforeAll(() => {
  const data = join(folder.path, "data");
  mkdirSync(data, { mode: 0o700 });
  const opened = openStore(data, "normal", "boot", NOW);
  if (!opened.ok) throw new Error(opened.error.message);
  store = opened.value;
  writer = runWriter(store);
  const signal = (sense: string, at: number, cause: number | null): number =>
    store.commit(() => store.signals.append({ sense, at, payload: '{"load1":9}', cause, trace: TREE }));
  const before = NOW - 2 * HOUR;
  writer.queue({
    workflow: "page",
    at: before,
    trace: traceAt(before, "1"),
    input: { n: 1 },
    trigger: BY_HAND,
    retry_of: null,
  });
  writer.event(OLD, before + 1, "run.started", { attempt: 1, code: "", batch: null, joined: [] });
  writer.event(OLD, before + 2, "run.completed", { output: [1, null], ran_ms: 1 });

  const cause = signal("load", T + 1, null);
  signal("unrelated", T + 2, cause);
  const id = signal("health", T + 3, cause);
  const fired = { signal: id, run: FAILED };
  store.commit(() =>
    store.logs.append({
      at: T + 3,
      level: "info",
      source: "reflex:on-bad",
      event: "reflex.fired",
      run: null,
      trace: TREE,
      message: "fired",
      data: JSON.stringify(fired),
    }),
  );
  const trigger = {
    id,
    sense: "health",
    at: T + 3,
    reflex: "on-bad",
    key: null,
    isElement: false,
    due: null,
    incident: null,
  };
  writer.queue({ workflow: "page", at: T + 3, trace: TREE, input: { load1: 9 }, trigger, retry_of: null });
  const step = { nth: 0, attempt: 1 };
  writer.event(FAILED, T + 5, "run.started", { attempt: 1, code: "", batch: null, joined: [] });
  writer.event(FAILED, T + 5, "step.started", { ...step, step: "find" });
  writer.event(FAILED, T + 17, "step.completed", {
    ...step,
    step: "find",
    result: { owner: "\x1b[2Jann" },
    duration_ms: 12,
  });
  writer.log(FAILED, T + 18, "log", "found her", { owner: "ann" });
  writer.event(FAILED, T + 20, "step.started", { ...step, step: "call" });
  writer.event(FAILED, T + 25, "step.failed", {
    ...step,
    step: "call",
    error: "no line",
    name: "Error",
    message: "no line",
    stack: STACK,
    duration_ms: 5,
    until: null,
    due: null,
  });
  writer.event(FAILED, T + 26, "run.retrying", {
    until: T + 126,
    due: 0,
    attempt: 2,
    error: "no line",
    stack: null,
    steps: [],
  });
  writer.event(FAILED, T + 126, "run.resumed", { attempt: 2, reason: "retry", code: "", deaths: 0, ran_ms: 21 });
  writer.event(FAILED, T + 127, "step.started", { ...step, step: "call", attempt: 2 });
  writer.log(FAILED, T + 128, "output", "dialling\x07");
  writer.event(FAILED, T + 129, "run.failed", { error: "gave up\nat once", stack: null, steps: [] });

  writer.queue({
    workflow: "page",
    at: T + 5_000,
    trace: TREE,
    input: { load1: 9 },
    trigger: BY_HAND,
    retry_of: FAILED,
  });
  writer.event(RETRY, T + 5_001, "run.cancelled", { error: "by hand" });
  writer.queue({
    workflow: "mend",
    at: NOW - 20,
    trace: traceAt(NOW - 20, "2"),
    input: null,
    trigger: BY_HAND,
    retry_of: null,
  });
  writer.event(ASLEEP, NOW - 19, "run.started", { attempt: 1, code: "", batch: null, joined: [] });
  const due = NOW + HOUR;
  writer.event(ASLEEP, NOW - 18, "run.sleeping", { until: due, due, sleeps: [], ran_ms: 1, reason: "sleep" });
  writer.queue({
    workflow: "mend",
    at: NOW - 10,
    trace: traceAt(NOW - 10, "3"),
    input: null,
    trigger: BY_HAND,
    retry_of: null,
  });
});

afterAll(() => {
  store.close();
  folder[Symbol.dispose]();
});

const nerve = (...args: string[]) => runNerve(folder.path, args);
const rows = async (...args: string[]): Promise<{ id: number }[]> => {
  const { code, stdout, stderr } = await nerve("runs", ...args, "--json");
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  return stdout
    .split("\n")
    .filter(Boolean)
    .map((line) => JSON.parse(line));
};
const ids = async (...args: string[]): Promise<number[]> => (await rows(...args)).map(({ id }) => id);

describe("which runs", () => {
  test("all of them, newest last, and --limit of them", async () => {
    expect(await ids()).toEqual([1, 2, 3, 4, 5]);
    expect(await ids("--limit", "2")).toEqual([4, 5]);
  });
  test("--after an id, oldest first", async () => {
    expect(await ids("--after", "3")).toEqual([4, 5]);
    expect(await ids("--after", "0", "--limit", "2")).toEqual([1, 2]);
  });
  test("--workflow and --state, several times", async () => {
    expect(await ids("--workflow", "mend")).toEqual([4, 5]);
    expect(await ids("--workflow", "mend", "--workflow", "page", "--limit", "1")).toEqual([5]);
    expect(await ids("--state", "failed", "--state", "cancelled")).toEqual([2, 3]);
    expect(await ids("--state", "sleeping")).toEqual([4]);
    expect(await ids("--state", "sleeping", "--state", "completed")).toEqual([1, 4]);
  });
  test("--active, with every other filter", async () => {
    expect(await ids("--active")).toEqual([4, 5]);
    expect(await ids("--active", "--state", "queued")).toEqual([5]);
    expect(await ids("--active", "--workflow", "page")).toEqual([]);
    expect(await ids("--active", "--limit", "1")).toEqual([5]);
    expect(await ids("--active", "--after", "0", "--limit", "1")).toEqual([4]);
    expect(await ids("--active", "--after", "4")).toEqual([5]);
    expect(await ids("--active", "--trace", traceAt(NOW - 20, "2"))).toEqual([4]);
  });
  test("--since they were queued, --trace and --reflex", async () => {
    expect(await ids("--since", "1h")).toEqual([2, 3, 4, 5]);
    expect(await ids("--since", "1h", "--state", "failed")).toEqual([2]);
    expect(await ids("--trace", TREE)).toEqual([2, 3]);
    expect(await ids("--reflex", "on-bad")).toEqual([2]);
    expect(await ids("--reflex", "load#1")).toEqual([]);
  });
});

test("a row of --json has the columns as keys, and JSON columns as values", async () => {
  const [row] = await rows("--limit", "1", "--state", "completed");
  expect(row as unknown).toEqual({ ...writer.run(OLD), input: { n: 1 }, output: [1, null] });
});

test("for people a line says what it is, how it stands, how long it took, what began it and why it failed", async () => {
  const { stdout } = await nerve("runs");
  const lines = stdout.split("\n").map((line) => line.slice("2026-11-22 10:00:00.000  ".length));
  expect(lines[0]).toBe("page #1                completed took 1 ms · by hand");
  expect(lines[1]).toBe("page #2                failed    attempt 2, took 124 ms · on-bad · signal #3  gave up");
  expect(lines[2]).toBe("page #3                cancelled after 1 ms · retry of #2  by hand");
  expect(lines[3]).toMatch(/^mend #4 {16}sleeping {2}for .*, goes on in (59m \d+s|1h) · by hand$/);
  expect(lines[4]).toMatch(/^mend #5 {16}queued {4}for .* · by hand$/);
});

describe("what is no name", () => {
  test("a state, with the nearest one", async () => {
    const { code, stderr } = await nerve("runs", "--state", "complete");
    expect(code).toBe(2);
    expect(stderr).toContain("did you mean `completed`?");
  });
  test("an ended state that is to be active", async () => {
    expect((await nerve("runs", "--active", "--state", "failed")).code).toBe(2);
  });
  test("a workflow, when nothing is found", async () => {
    const { code, stderr } = await nerve("runs", "--workflow", "mned", "--json");
    expect(code).toBe(2);
    expect(JSON.parse(stderr).error).toMatchObject({ kind: "unknown-workflow", hint: "did you mean `mend`?" });
  });
  test("a reflex, when nothing is found", async () => {
    const { code, stderr } = await nerve("runs", "--reflex", "load#2", "--json");
    expect(code).toBe(2);
    expect(JSON.parse(stderr).error).toMatchObject({ kind: "unknown-reflex", hint: "did you mean `load#1`?" });
  });
  test("a source of logs, by its form or when nothing is found", async () => {
    const ofNoForm = await nerve("logs", "--source", "mend");
    expect({ code: ofNoForm.code, told: ofNoForm.stderr }).toEqual({
      code: 2,
      told: "error: there is no source `mend`\n  hint: one of kernel, sense:NAME, reflex:NAME, workflow:NAME\n",
    });
    const ofNobody = await nerve("logs", "--source", "workflow:mned", "--json");
    expect(ofNobody.code).toBe(2);
    expect(JSON.parse(ofNobody.stderr).error).toMatchObject({ kind: "unknown-workflow", hint: "did you mean `mend`?" });
    expect((await nerve("logs", "--source", "kernel", "--after", "0")).code).toBe(0);
  });
  test("a run or signal to show", async () => {
    for (const word of ["4711", "run:4711", "signal:4711", "run:x"]) {
      const { code, stdout } = await nerve("show", word);
      expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    }
  });
});

/** The tree alone, without its offsets. */
const tree = (stdout: string): string[] =>
  stdout
    .split("\n")
    .slice(stdout.split("\n").findIndex((line) => line.includes("●")))
    .map((line) => line.slice("   +0 ms  ".length + 1))
    .filter(Boolean);

const RUN_LINES = [
  "page #2                failed    attempt 2, took 124 ms · on-bad · signal #3  gave up",
  "├─ queued → load1 9",
  "├─ started",
  '├─ ✓ step find · 12 ms → owner "\\u001b[2Jann"',
  "├─ found her  owner ann",
  "├─ ✗ step call · 5 ms: no line at /etc/nerve/workflows/page/index.ts:7:12",
  "├─ attempt 2 follows after 100 ms: no line",
  "├─ run.resumed",
  "├─ … step call, attempt 2",
  "├─ dialling\\u{7}",
  "└─ failed: gave up",
  "     at once",
];

describe("show of a run", () => {
  test("tells what led to it and all that happened in it, and no more", async () => {
    const { code, stdout } = await nerve("show", "2");
    expect(code).toBe(0);
    const [title, about, trace, other] = stdout.split("\n");
    expect(title).toBe("run 2 of page · failed");
    expect(about).toEndWith(" · took 124 ms · 2 attempts · on-bad · signal #3");
    expect(trace).toBe(`trace ${TREE}`);
    expect(other).toBe("there is a signal #2 too: nerve show signal:2");
    const [first, ...rest] = RUN_LINES;
    expect(tree(stdout)).toEqual([
      "● a tick, a start, an item or a trigger by hand",
      "└─ load #1                load1 9",
      "   └─ health #3              load1 9",
      "      ├─ reflex:on-bad          fired",
      `      └─ ${first}`,
      ...rest.map((line) => `         ${line}`),
    ]);
    expect(stdout).toContain("   +25 ms           ├─ ✗ step call");
  });

  test("is the same with run: before the id, and signal: is the signal's trace", async () => {
    expect((await nerve("show", "run:2")).stdout).toBe(
      (await nerve("show", "2")).stdout.replace("there is a signal #2 too: nerve show signal:2\n", ""),
    );
    expect((await nerve("show", "signal:2")).stdout).toStartWith(`trace ${TREE}\n`);
  });

  test("that repeats another names it, and begins with itself", async () => {
    const { stdout } = await nerve("show", "run:3");
    expect(tree(stdout)).toEqual([
      "● run 2 again: nerve show run:2",
      "└─ page #3                cancelled after 1 ms · retry of #2  by hand",
      "   ├─ queued → load1 9",
      "   └─ cancelled: by hand",
    ]);
  });

  test("is one JSON object on demand, with its steps", async () => {
    const story = JSON.parse((await nerve("show", "2", "--json")).stdout);
    expect(story).toMatchObject({ kind: "run", trace: TREE, at: T, duration_ms: 129, run: { id: 2, state: "failed" } });
    expect(story.signals.map(({ id }: { id: number }) => id)).toEqual([1, 3]);
    expect(story.runs).toHaveLength(1);
    expect(story.runs[0].input).toEqual({ load1: 9 });
    expect(story.runs[0].steps).toEqual([
      {
        step: "find",
        nth: 0,
        attempt: 1,
        state: "completed",
        at: T + 17,
        duration_ms: 12,
        result: { owner: "\x1b[2Jann" },
        error: null,
        until: null,
      },
      {
        step: "call",
        nth: 0,
        attempt: 1,
        state: "failed",
        at: T + 25,
        duration_ms: 5,
        result: null,
        error: "no line",
        until: null,
      },
      {
        step: "call",
        nth: 0,
        attempt: 2,
        state: "started",
        at: T + 127,
        duration_ms: null,
        result: null,
        error: null,
        until: null,
      },
    ]);
    expect(story.logs.at(-1)).toMatchObject({ event: "run.failed", run: 2 });
  });
});

describe("show of a trace", () => {
  test("has its runs below the signals that started them", async () => {
    const { stdout } = await nerve("show", TREE);
    expect(stdout.split("\n")[1]).toEndWith(" · 3 signals · 2 runs · 15 logs · 5s");
    const [first, ...rest] = RUN_LINES;
    expect(tree(stdout)).toEqual([
      "● a tick, a start, an item or a trigger by hand",
      "├─ load #1                load1 9",
      "│  ├─ unrelated #2           load1 9",
      "│  └─ health #3              load1 9",
      "│     ├─ reflex:on-bad          fired",
      `│     └─ ${first}`,
      ...rest.map((line) => `│        ${line}`),
      "└─ page #3                cancelled after 1 ms · retry of #2  by hand",
      "   ├─ queued → load1 9",
      "   └─ cancelled: by hand",
    ]);
  });

  test("with --json has the runs", async () => {
    const story = JSON.parse((await nerve("show", TREE, "--json")).stdout);
    expect(story).toMatchObject({ kind: "trace", trace: TREE });
    expect(story.runs.map(({ id }: { id: number }) => id)).toEqual([2, 3]);
  });
});

test("what runs left is escaped for people", async () => {
  for (const args of [["runs"], ["show", "2"], ["show", TREE]]) {
    const { stdout } = await nerve(...args);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not be there
    expect(stdout.replaceAll("\n", "")).not.toMatch(/[\x00-\x1f\x7f-\x9f\u202e]/);
  }
});

describe("following", () => {
  const follow = (...args: string[]) => {
    const child = Bun.spawn([...NERVE, "runs", "-f", "--json", ...args], {
      cwd: folder.path,
      stdio: ["ignore", "pipe", "pipe"],
    });
    let output = "";
    const reading = (async () => {
      for await (const chunk of child.stdout) output += Buffer.from(chunk).toString("utf8");
    })();
    return {
      seen: (): string[] =>
        output
          .split("\n")
          .filter(Boolean)
          .map((line) => JSON.parse(line))
          .map(({ id, state, attempt }) => `${id} ${state} ${attempt}`),
      exited: child.exited,
      async [Symbol.asyncDispose]() {
        child.kill("SIGKILL");
        await Promise.all([child.exited, reading]);
      },
    };
  };

  test("begins with the newest, and shows every state a run comes to, however short, once", async () => {
    await using following = follow("--limit", "1");
    await until("the first row is printed", () => following.seen().length === 1);
    const at = Date.now();
    const id = writer.queue({
      workflow: "page",
      at,
      trace: traceAt(at, "9"),
      input: null,
      trigger: BY_HAND,
      retry_of: null,
    });
    writer.event(id, at, "run.started", { attempt: 1, code: "", batch: null, joined: [] });
    writer.event(id, at, "step.started", { step: "a", nth: 0, attempt: 1 });
    writer.event(ASLEEP, at, "run.resumed", { attempt: 1, reason: "slept", code: "", deaths: 0, ran_ms: 1 });
    writer.event(id, at, "run.retrying", { until: at, due: 0, attempt: 2, error: "x", stack: null, steps: [] });
    writer.event(id, at, "run.resumed", { attempt: 2, reason: "retry", code: "", deaths: 0, ran_ms: 1 });
    writer.event(id, at, "run.completed", { output: null, ran_ms: 1 });
    writer.event(WAITING, at, "run.dropped", { error: "no room" });
    const expected = [
      "5 queued 0",
      `${id} queued 0`,
      `${id} running 1`,
      "4 running 1",
      `${id} sleeping 1`,
      `${id} running 2`,
      `${id} completed 2`,
      "5 dropped 0",
    ];
    await until("all rows are printed", () => following.seen().length >= expected.length);
    expect(following.seen()).toEqual(expected);
  });

  test("with filters shows only what passes them, and after a cursor --limit ends it", async () => {
    const after = store.runs.lastId();
    await using following = follow(
      "--workflow",
      "mend",
      "--state",
      "completed",
      "--after",
      String(after),
      "--limit",
      "2",
    );
    const made: number[] = [];
    const begin = (workflow: string): number => {
      const at = Date.now();
      const id = writer.queue({ workflow, at, trace: traceAt(at, "9"), input: null, trigger: BY_HAND, retry_of: null });
      writer.event(id, at, "run.started", { attempt: 1, code: "", batch: null, joined: [] });
      writer.event(id, at, "run.completed", { output: null, ran_ms: 1 });
      return id;
    };
    for (let round = 0; round < 3; round++) {
      begin("page");
      made.push(begin("mend"));
      await Bun.sleep(1);
    }
    expect(await following.exited).toBe(0);
    await until("both rows are printed", () => following.seen().length === 2);
    expect(following.seen()).toEqual(made.slice(0, 2).map((id) => `${id} completed 1`));
  });
});
