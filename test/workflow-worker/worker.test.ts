/** One workflow's process, as the kernel meets it: what is committed before the thread goes on, what is run again and what is not. */
import { Database } from "bun:sqlite";
import { describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import type { WorkflowMessage, WorkflowParentMessageOf } from "../../src/ipc/workflow-definitions.ts";
import { acquireLock } from "../../src/sqlite/lock.ts";
import { stepId } from "../../src/workflow-worker/step-id.ts";

import { type Folder, temporaryFolder } from "../helpers/folder.ts";
import { until } from "../helpers/until.ts";
import { TestWorkflowWorker } from "../helpers/worker.ts";

const TRACE = "0".repeat(32);

function write(folder: Folder, text: string): void {
  mkdirSync(folder.file("workflows", "probe"), { recursive: true });
  writeFileSync(folder.file("workflows", "probe", "index.ts"), text);
}

interface Bench extends AsyncDisposable {
  readonly worker: TestWorkflowWorker;
  readonly folder: Folder;
  /** What `mark(…)` of the workflow's code wrote, in order. */
  marks(): string[];
  /** Lets `await gate(name)` of the workflow's code go on. */
  open(name: string): void;
}

const HELPERS = (path: string): string => `
  import { appendFileSync, existsSync } from "node:fs";
  const mark = (text) => appendFileSync(${JSON.stringify(`${path}/marks`)}, text + "\\n");
  const gate = async (name) => { while (!existsSync(${JSON.stringify(path)} + "/gate-" + name)) await Bun.sleep(2); };
`;

/** A ready worker of a workflow whose `run` has this body. */
async function bench(body: string, init: object = {}): Promise<Bench> {
  const folder = temporaryFolder();
  write(folder, `${HELPERS(folder.path)} export const run = async (thread, context) => { ${body} };`);
  const worker = new TestWorkflowWorker(folder);
  const ready = await worker.ready(init);
  expect(ready.problem).toBeNull();
  return {
    worker,
    folder,
    marks: () =>
      existsSync(folder.file("marks")) ? readFileSync(folder.file("marks"), "utf8").split("\n").slice(0, -1) : [],
    open: (name) => writeFileSync(folder.file(`gate-${name}`), ""),
    async [Symbol.asyncDispose]() {
      await worker[Symbol.asyncDispose]();
      folder[Symbol.dispose]();
    },
  };
}

/** What is left of a wait at the end of the turn in which it began. */
const leftOf = (ms: number) => expect.closeTo(ms, -3);

const types = (messages: readonly WorkflowMessage[]): string[] => messages.map(({ type }) => type);

const completed = (step: string, result: unknown, nth = 0) => ({
  ...{
    step,
    nth,
    state: "completed" as const,
    result,
    failure: null,
    attempt: 1,
    leftMs: 0,
    keyRun: null,
    settled: -1,
  },
});
const failed = (step: string, name: string, message: string, nth = 0) => ({
  ...completed(step, null, nth),
  state: "failed" as const,
  failure: { error: `${name}: ${message}`, name, message, stack: `${name}: ${message}\n    at author.ts:1:1` },
});
const retrying = (step: string, attempt: number, leftMs: number) => ({
  ...failed(step, "Error", "no"),
  ...{ state: "retrying" as const, attempt, leftMs, settled: null },
});
/** A sleep that is over; `leftMs`: one that is not, as far as is recorded. */
const slept = (duration: string, nth = 0, leftMs: number | null = null) => ({
  ...{ duration, name: null as string | null, nth, leftMs: leftMs ?? 0, settled: leftMs === null ? -1 : null },
});
type Known = WorkflowParentMessageOf<"run">["steps" | "sleeps"][number];

/** A history in which these settled one after the other. */
function past(...known: readonly Known[]): Pick<WorkflowParentMessageOf<"run">, "steps" | "sleeps"> {
  let place = 0;
  const placed = known.map((one) => ({ ...one, settled: one.settled === null ? null : place++ }));
  return {
    steps: placed.flatMap((one) => ("step" in one ? one : [])),
    sleeps: placed.flatMap((one) => ("duration" in one ? one : [])),
  };
}

describe("a workflow worker", () => {
  const BROKEN: readonly (readonly [name: string, text: string, init: object, problem: object])[] = [
    ["is loaded", "export const run = () => 1;", {}, {}],
    [
      "is loaded with options",
      'import { type } from "arktype"; export const options = type({ x: "number = 3" }); export const run = () => 1;',
      { options: { x: 1 } },
      {},
    ],
    [
      "exports nothing",
      "export {};",
      {},
      {
        kind: "missing-export",
        message: "workflow `probe` does not export `run`",
        hint: /export const run: Run = async/,
      },
    ],
    ["throws", 'throw new Error("top");', {}, { kind: "module-threw", message: /Error: top/ }],
    [
      "takes no options",
      "export const run = () => 1;",
      { options: { x: 1 } },
      { kind: "bad-options", hint: "correct `with` of workflows.probe in nerve.yaml" },
    ],
    [
      "is no built-in",
      "",
      { folder: null, use: "nope" },
      { kind: "unknown-workflow", message: "there is no built-in workflow `nope`" },
    ],
  ];
  test.each(BROKEN)("says of a module that it %s", async (_, text, init, expected) => {
    using folder = temporaryFolder();
    write(folder, text);
    await using worker = new TestWorkflowWorker(folder);
    const { problem } = await worker.ready(init);
    expect(problem === null).toBe(Object.keys(expected).length === 0);
    for (const [key, value] of Object.entries(expected)) {
      const found = (problem as unknown as Record<string, string>)[key];
      if (value instanceof RegExp) expect(found).toMatch(value);
      else expect(found).toBe(value);
    }
    expect(types(worker.messages)).toEqual(["started", "ready"]);
    expect(worker.messages[0]).toMatchObject({ run: null });
    await worker.leave();
    expect(worker.exited).toMatchObject({ code: 0, signal: null });
    expect(worker.of("bye")).toHaveLength(1);
  });

  test("G4: refuses to start beside another that holds its lock", async () => {
    using folder = temporaryFolder();
    write(folder, "export const run = () => 1;");
    const lock = acquireLock(folder.file("workflow.lock"));
    await using worker = new TestWorkflowWorker(folder);
    worker.send(worker.init({}));
    await until("the worker has left", () => worker.exited !== null);
    expect(worker.of("error")).toMatchObject([
      { kind: "worker", run: null, message: `another worker holds ${folder.file("workflow.lock")}` },
    ]);
    expect([worker.of("ready"), worker.exited?.code]).toEqual([[], 0]);
    lock?.release();
  });

  test("answers what is malformed or unexpected with an error, and believes none of it", async () => {
    using folder = temporaryFolder();
    write(folder, "export const run = (thread) => thread.step('a', () => 1);");
    await using worker = new TestWorkflowWorker(folder);
    worker.run(1);
    await worker.ready({});
    worker.commits = false;
    worker.send("nonsense", { type: "run" }, worker.init({}), { type: "shutdown", generation: 9 });
    worker.ack(5);
    worker.run(2);
    await until("the step has completed", () => worker.of("step-completed").length === 1);
    worker.run(2);
    await until("all seven errors are reported", () => worker.of("error").length === 7);
    expect(worker.of("error").map(({ kind, run, message }) => [kind, run, message])).toEqual([
      ["malformed-message", null, '"run" before init'],
      ["malformed-message", null, '"nonsense" instead of a message'],
      ["malformed-message", null, '"run" without generation'],
      ["malformed-message", null, "a second init"],
      ["malformed-message", null, '"shutdown" of generation 9'],
      ["malformed-message", null, '"ack" up to 5, which was never said'],
      ["malformed-message", null, '"run" of run 2, which is under way already'],
    ]);
    worker.ack(2);
    expect(await worker.end(2)).toMatchObject({ type: "completed", output: 1 });
  });

  test("has every sense's database, read-only, the options, and blobs", async () => {
    await using b = await bench(
      `
      const { sql } = await import("drizzle-orm");
      const rows = context.peers.disk.all(sql\`SELECT * FROM a\`);
      const blob = await context.blobs.put("hello", { type: "text/plain" });
      const text = new TextDecoder().decode(await context.blobs.get(blob));
      let error; try { context.peers.disk.all(sql\`DELETE FROM a\`); } catch (thrown) { error = thrown.message; }
      return { rows, text, error, peers: Object.keys(context.peers), options: context.options };`,
    );
    using db = new Database(b.folder.file("disk.db"));
    db.run("CREATE TABLE a (x)");
    db.run("INSERT INTO a VALUES (4)");
    db.run("CREATE TABLE _outbox (id)");
    b.worker.send({
      type: "peers",
      generation: 1,
      peers: ["disk", "probe"].map((name) => ({ name, database: b.folder.file(`${name}.db`) })),
    });
    b.worker.run(1);
    expect(await b.worker.end(1)).toMatchObject({
      output: { rows: [{ x: 4 }], text: "hello", peers: ["disk", "probe"], options: {}, error: expect.any(String) },
    });
  });
});

describe("a run", () => {
  test("gets what started it, frozen to the bottom", async () => {
    await using b = await bench(`
      "use strict";
      const { trigger } = thread;
      const frozen = [trigger, trigger.payload, trigger.payload.deep].every(Object.isFrozen);
      return { trigger, frozen, thread: Object.isFrozen(thread) };`);
    const trigger = {
      id: 7,
      sense: "disk",
      host: "here",
      at: 5,
      payload: { deep: [1] },
      reflex: "r",
      key: null,
      due: null,
      signal: null,
      incident: null,
      batch: null,
    };
    b.worker.run(1, { trigger });
    const { host: _, ...copied } = trigger;
    const end = await b.worker.end(1);
    expect(end).toMatchObject({ output: { trigger: copied, frozen: true, thread: true } });
    expect((end as { output?: { trigger: object } }).output?.trigger).not.toHaveProperty("host");
  });

  test("reads the host of its trigger and of the items of a batch, and no copy of the trigger has one", async () => {
    await using b = await bench(
      "const { host, batch } = thread.trigger; return { host, hosts: batch.items.map((item) => item.host), copy: thread.trigger };",
    );
    const none = { id: null, at: null, payload: 1, reflex: null, key: null, due: null, signal: null, incident: null };
    const item = { ...none, sense: "web1/load", host: "web1", batch: null };
    const batch = { items: [item, { ...item, sense: "load", host: "hub" }], more: 0 };
    b.worker.run(1, { trigger: { ...none, sense: "web1/load", host: "web1", batch } });
    const { host: _, ...copied } = item;
    expect(await b.worker.end(1)).toMatchObject({ output: { host: "web1", hosts: ["web1", "hub"] } });
    b.worker.run(2, { trigger: { ...none, sense: null, host: "hub", batch: { items: [item], more: 0 } } });
    const { output } = (await b.worker.end(2)) as { output?: { copy?: { batch?: { items?: unknown[] } } } };
    expect(output?.copy?.batch?.items).toEqual([copied]);
  });

  test("gets a payload as deep as 64 KiB allow", async () => {
    await using b = await bench("return Object.isFrozen(thread.trigger.payload[0]);");
    const payload = JSON.parse(`${"[".repeat(32_000)}${"]".repeat(32_000)}`);
    b.worker.run(1, {
      trigger: {
        id: null,
        sense: null,
        host: "here",
        at: null,
        payload,
        reflex: null,
        key: null,
        due: null,
        signal: null,
        incident: null,
        batch: null,
      },
    });
    expect(await b.worker.end(1)).toMatchObject({ type: "completed", output: true });
  });

  test("is said to have started before its code is entered, even if that never yields", async () => {
    await using b = await bench("for (;;) {}");
    b.worker.run(3);
    await until("run 3 has started", () => b.worker.of("started").some(({ run }) => run === 3));
  });

  test("goes on only after a step's result is committed", async () => {
    await using b = await bench(
      "const x = await thread.step('a', () => { mark('a'); return { x: 1 }; }); mark('after'); return x;",
    );
    b.worker.commits = false;
    b.worker.run(1);
    await until("the first step has completed", () => b.worker.of("step-completed").length === 1);
    const [done] = b.worker.of("step-completed");
    b.worker.ack((done?.seq ?? 0) - 1);
    b.worker.run(2);
    await until("the second step has completed", () => b.worker.of("step-completed").length === 2);
    expect(b.marks()).toEqual(["a", "a"]);
    b.worker.ack(done?.seq ?? 0);
    expect(await b.worker.end(1)).toMatchObject({ type: "completed", output: { x: 1 } });
    expect(b.marks()).toEqual(["a", "a", "after"]);
    expect(types(b.worker.saidOf(1))).toEqual(["started", "step-started", "step-completed", "completed"]);
    expect(b.worker.malformed).toEqual([]);
  });

  test("is told of a step's start before the step can block", async () => {
    await using b = await bench("await thread.step('spin', () => { for (;;) {} });");
    b.worker.run(1);
    await until("the step has started", () => b.worker.of("step-started").length === 1);
    expect(b.worker.of("step-started")).toMatchObject([{ run: 1, step: "spin", nth: 0, attempt: 1 }]);
  });

  test("is told of every step that starts beside another before the first of them can block", async () => {
    await using b = await bench(`
      await Promise.all([thread.step("spin", () => { for (;;) {} }), thread.step("beside", () => mark("entered"))]);`);
    b.worker.run(1);
    await until("both steps have started", () => b.worker.of("step-started").length === 2);
    expect(b.worker.of("step-started").map(({ step }) => step)).toEqual(["spin", "beside"]);
    expect(b.marks()).toEqual([]);
  });

  test("is answered from its history: finished steps are not run again, failed ones throw the same", async () => {
    await using b = await bench(`
      const first = await thread.step("a", () => mark("a0"));
      const second = await thread.step("a", () => mark("a1"));
      let error; try { await thread.step("b", () => mark("b")); } catch (thrown) { error = thrown; }
      const fresh = await thread.step("a", () => { mark("a2"); });
      return { first, second, fresh, name: error.name, message: error.message, is: error instanceof Error };`);
    b.worker.run(1, {
      ...past(
        completed("a", { x: [1] }),
        completed("a", "two", 1),
        failed("b", "TypeError", "boom: it broke"),
        completed("vanished", 1),
      ),
    });
    expect(await b.worker.end(1)).toMatchObject({
      output: { first: { x: [1] }, second: "two", fresh: null, name: "TypeError", message: "boom: it broke", is: true },
    });
    expect(b.marks()).toEqual(["a2"]);
    expect(b.worker.of("step-started")).toMatchObject([{ step: "a", nth: 2, attempt: 1 }]);
  });

  test("throws the same error when a step fails as when it is answered from the history", async () => {
    await using b = await bench(`
      const seen = [];
      class Timeout extends Error { name = "Timeout" }
      const cause = new TypeError("c");
      for (const thrown of [new RangeError("r"), new Error("e", { cause }), "text", null, { a: 1 }, new Timeout("slow\\nvery"), new DOMException("q", "QuotaExceeded"), { name: "Foreign", message: "m" }]) {
        try { await thread.step("s", () => { throw thrown; }); }
        catch (error) { seen.push([error.name, error.message, String(error.cause ?? ""), error instanceof Error, error.stack.split("\\n")[0]]); }
      }
      return seen;`);
    b.worker.run(1);
    const live = (await b.worker.end(1)) as { output: unknown };
    expect(live.output).toEqual([
      ["RangeError", "r", "", true, "RangeError: r"],
      ["Error", "e", "TypeError: c", true, "Error: e"],
      ["Error", "text", "", true, "Error: text"],
      ["Error", "null", "", true, "Error: null"],
      ["Error", "{ a: 1 }", "", true, "Error: { a: 1 }"],
      ["Timeout", "slow\nvery", "", true, "Timeout: slow"],
      ["QuotaExceeded", "q", "", true, "QuotaExceeded: q"],
      ["Foreign", "m", "", true, "Foreign: m"],
    ]);
    const steps = b.worker.of("step-failed").map(({ nth, error, name, message, stack }) => ({
      ...failed("s", name, message, nth),
      failure: { error, name, message, stack },
    }));
    b.worker.run(2, past(...steps));
    expect(await b.worker.end(2)).toMatchObject({ output: live.output });
    expect(b.worker.of("step-started").filter(({ run }) => run === 2)).toEqual([]);
  });

  test("that fails names the step whose error ended it, by the error or by its cause", async () => {
    await using b = await bench(`
      const { how } = thread.trigger.payload;
      if (how === "own") throw new Error("own");
      try { await thread.step("s", () => { throw new RangeError("inner"); }); }
      catch (error) { throw how === "step" ? error : how === "cause" ? new Error("outer", { cause: error }) : "text"; }`);
    for (const [run, how] of ["own", "step", "cause", "text"].entries()) {
      b.worker.run(run + 1, {
        trigger: {
          id: null,
          sense: null,
          host: "here",
          at: null,
          payload: { how },
          reflex: null,
          key: null,
          due: null,
          signal: null,
          incident: null,
          batch: null,
        },
      });
    }
    const steps = [{ step: "s", nth: 0 }];
    expect(await b.worker.end(1)).toMatchObject({ type: "failed", error: "Error: own", steps: [] });
    expect(await b.worker.end(2)).toMatchObject({
      type: "failed",
      error: "RangeError: inner",
      steps,
      stack: expect.stringContaining("workflows/probe/index.ts"),
    });
    expect(await b.worker.end(3)).toMatchObject({ error: "Error: outer; RangeError: inner", steps });
    expect(await b.worker.end(4)).toMatchObject({ error: 'threw "text"', stack: null, steps: [] });
  });

  test("has steps of one name beside one another, each known by the order of the calls", async () => {
    await using b = await bench(
      `return Promise.all([0, 1, 2].map((n) => thread.step("p", async (step) => { if (n === 0) await gate("first"); return [n, step.id]; })));`,
    );
    b.worker.run(4);
    await until("both steps have completed", () => b.worker.of("step-completed").length === 2);
    expect(b.worker.of("step-completed").map(({ nth }) => nth)).toEqual([1, 2]);
    b.open("first");
    expect(await b.worker.end(4)).toMatchObject({
      output: [0, 1, 2].map((nth) => [nth, stepId(TRACE, 4, "p", nth)]),
    });
  });

  test("beside others in one process: each has its own history, and its own output", async () => {
    await using b = await bench(
      `console.log("hello from " + thread.trigger.payload); await gate("both"); return thread.step("a", () => thread.trigger.payload);`,
    );
    const trigger = (payload: string) => ({
      id: null,
      sense: null,
      host: "here",
      at: null,
      payload,
      reflex: null,
      key: null,
      due: null,
      signal: null,
      incident: null,
      batch: null,
    });
    b.worker.run(1, { trigger: trigger("one"), trace: "1".repeat(32) });
    b.worker.run(2, { trigger: trigger("two"), ...past(completed("a", "old")) });
    await until("both lines are logged", () => b.worker.of("log").length === 2);
    b.open("both");
    expect(await b.worker.end(1)).toMatchObject({ output: "one" });
    expect(await b.worker.end(2)).toMatchObject({ output: "old" });
    expect(b.worker.of("log")).toMatchObject([
      { run: 1, trace: "1".repeat(32), event: "output", message: "hello from one" },
      { run: 2, trace: TRACE, event: "output", message: "hello from two" },
    ]);
  });

  const OUTPUTS: readonly (readonly [body: string, end: object])[] = [
    ["", { type: "completed", output: null }],
    ["return null", { type: "completed", output: null }],
    ["return { a: [1, 'x'] }", { type: "completed", output: { a: [1, "x"] } }],
    [
      "return { at: new Date() }",
      { type: "failed", error: "the run's output is not JSON: at: Date is not a JSON value", stack: null, steps: [] },
    ],
    [
      "return 'x'.repeat(65536)",
      {
        type: "failed",
        error: "the run's output is over 64 KiB; put the bytes in a blob with blobs.put and return the reference",
      },
    ],
    [
      "return { get x() { throw new Error('trap'); } }",
      { type: "failed", error: "the run's output cannot be read: Error: trap" },
    ],
    ["throw Object.create(null)", { type: "failed", error: "threw [Object: null prototype] {}" }],
    ["throw { a: 1 }", { type: "failed", error: "threw { a: 1 }" }],
  ];
  test.each(OUTPUTS)("ends as it should: %s", async (body, end) => {
    await using b = await bench(body);
    b.worker.run(1);
    expect(await b.worker.end(1)).toMatchObject(end);
  });
});

describe("a step", () => {
  const RESULTS: readonly (readonly [value: string, error: string])[] = [
    ["Number.NaN", "NaN is not a JSON number"],
    ["{ a: { b: new Date() } }", "a.b: Date is not a JSON value"],
    ["[new Map()]", "[0]: Map is not a JSON value"],
    ["{ f() {} }", "f: a function is not a JSON value"],
    ["[1n]", "[0]: a bigint is not a JSON value"],
    ["(() => { const a = {}; a.a = a; return a; })()", "a: the value contains itself"],
    ["JSON.parse('{\"__proto__\": 1}')", "__proto__: the key __proto__ is refused"],
  ];
  test.each(RESULTS)("whose result is %s fails for good, naming itself and the path", async (value, reason) => {
    await using b = await bench(`await thread.step("s", () => (${value}), { retry: { limit: 5, interval: 1 } });`);
    b.worker.run(1);
    expect(await b.worker.end(1)).toMatchObject({
      type: "failed",
      error: `Error: the result of step "s" is not JSON: ${reason}`,
      steps: [{ step: "s", nth: 0 }],
    });
    expect(b.worker.of("step-failed")).toMatchObject([{ retryInMs: null, attempt: 1 }]);
  });

  test("may return 64 KiB of UTF-8 and no byte more", async () => {
    await using b = await bench(
      `return (await thread.step("s", () => "é".repeat((65536 - 2) / 2) + (thread.trigger.payload ?? ""))).length;`,
    );
    const trigger = (payload: string | null) => ({
      id: null,
      sense: null,
      host: "here",
      at: null,
      payload,
      reflex: null,
      key: null,
      due: null,
      signal: null,
      incident: null,
      batch: null,
    });
    b.worker.run(1, { trigger: trigger(null) });
    b.worker.run(2, { trigger: trigger("x") });
    expect(await b.worker.end(1)).toMatchObject({ output: 32767 });
    expect(await b.worker.end(2)).toMatchObject({
      error:
        'Error: the result of step "s" is over 64 KiB; put the bytes in a blob with blobs.put and return the reference',
    });
  });

  test("hands out a copy of its result, as it is in the log", async () => {
    await using b = await bench(`
      const given = { n: 1 };
      const got = await thread.step("s", () => given);
      given.n = 2;
      return { got, same: got === given };`);
    b.worker.run(1);
    expect(await b.worker.end(1)).toMatchObject({ output: { got: { n: 1 }, same: false } });
  });

  test("is tried again as its retry says, in the same process while another step is under way", async () => {
    await using b = await bench(`
      const beside = thread.step("beside", () => gate("beside"));
      const tries = [];
      const x = await thread.step("s", ({ attempt, id }) => { tries.push([attempt, id]); if (attempt < 4) throw new Error("no " + attempt); return "yes"; },
        { retry: { limit: 3, interval: 1, backoff: 2, max_interval: "3ms" } });
      await beside;
      return { x, tries };`);
    b.worker.run(1);
    await until("step s has completed", () => b.worker.of("step-completed").some(({ step }) => step === "s"));
    b.open("beside");
    const id = stepId(TRACE, 1, "s", 0);
    expect(await b.worker.end(1)).toMatchObject({ output: { x: "yes", tries: [1, 2, 3, 4].map((n) => [n, id]) } });
    expect(b.worker.of("step-failed").map(({ attempt, retryInMs, error }) => [attempt, retryInMs, error])).toEqual([
      [1, 1, "Error: no 1"],
      [2, 2, "Error: no 2"],
      [3, 3, "Error: no 3"],
    ]);
  });

  test("that waits for its next try, alone, gives the execution up; the next one goes on with that try", async () => {
    await using b = await bench(`
      return thread.step("s", ({ attempt }) => { mark("try " + attempt); if (attempt < 3) throw new Error("no"); return attempt; }, { retry: { limit: 2 } });`);
    b.worker.run(1);
    expect(await b.worker.end(1)).toMatchObject({ type: "suspended", leftMs: leftOf(5_000), sleeps: [] });
    expect(b.worker.of("step-failed")).toMatchObject([{ attempt: 1, retryInMs: 5_000 }]);
    b.worker.run(1, past(retrying("s", 1, 3_000)));
    expect(await b.worker.end(1, 1)).toMatchObject({ type: "suspended", leftMs: leftOf(3_000) });
    b.worker.run(1, past(retrying("s", 1, 0)));
    expect(await b.worker.end(1, 2)).toMatchObject({ type: "suspended", leftMs: leftOf(10_000) });
    b.worker.run(1, past(retrying("s", 2, 0)));
    expect(await b.worker.end(1, 3)).toMatchObject({ type: "completed", output: 3 });
    expect(b.marks()).toEqual(["try 1", "try 2", "try 3"]);
  });

  test("that has no try left fails for good", async () => {
    await using b = await bench(
      `try { await thread.step("s", () => { throw new Error("no"); }, { retry: { limit: 1, interval: 1 } }); } catch (error) { return error.message; }`,
    );
    b.worker.run(1, past(retrying("s", 1, 0)));
    expect(await b.worker.end(1)).toMatchObject({ output: "no" });
    expect(b.worker.of("step-failed")).toMatchObject([{ attempt: 2, retryInMs: null }]);
  });

  test("inside another's function is refused, and so is a sleep there", async () => {
    await using b = await bench(`
      const seen = await thread.step("outer", async () => {
        await Bun.sleep(1);
        const refused = [];
        for (const call of [() => thread.step("inner", () => mark("inner")), () => thread.sleep(1)])
          await call().catch((error) => refused.push(error.message));
        return refused;
      });
      return [seen, await thread.step("inner", () => "between")];`);
    b.worker.run(1);
    expect(await b.worker.end(1)).toMatchObject({
      output: [
        [
          'thread.step("inner") is called inside the step "outer": call it between steps',
          'thread.sleep is called inside the step "outer": call it between steps',
        ],
        "between",
      ],
    });
    expect(b.marks()).toEqual([]);
    expect(b.worker.of("step-started").map(({ step, nth }) => [step, nth])).toEqual([
      ["outer", 0],
      ["inner", 0],
    ]);
  });
});

describe("a sleep", () => {
  test("gives the execution up at the end of the turn, and the next one from the top goes on after it", async () => {
    await using b = await bench(`
      mark("top");
      await thread.step("a", () => mark("a"));
      await thread.sleep("15m");
      mark("slept");
      await thread.sleep(1_500);
      return "done";`);
    b.worker.run(1);
    expect(await b.worker.end(1)).toMatchObject({
      type: "suspended",
      leftMs: 900_000,
      sleeps: [{ duration: "15m", name: null, nth: 0, ms: 900_000 }],
    });
    const a = completed("a", null);
    b.worker.run(1, past(a, slept("15m", 0, 60_000)));
    expect(await b.worker.end(1, 1)).toMatchObject({ type: "suspended", leftMs: leftOf(60_000), sleeps: [] });
    b.worker.run(1, past(a, slept("15m")));
    expect(await b.worker.end(1, 2)).toMatchObject({
      type: "suspended",
      leftMs: 1_500,
      sleeps: [{ duration: "1500", name: null, nth: 0, ms: 1_500 }],
    });
    b.worker.run(1, past(a, slept("15m"), slept("1500")));
    expect(await b.worker.end(1, 3)).toMatchObject({ type: "completed", output: "done" });
    expect(b.marks()).toEqual(["top", "a", "top", "top", "slept", "top", "slept"]);
  });

  test("beside a step under way is recorded, and simply passes", async () => {
    await using b = await bench(`
      const beside = thread.step("beside", () => gate("beside"));
      await thread.sleep(20);
      mark("slept");
      return beside;`);
    b.worker.run(1);
    await until("the sleep is over", () => b.marks().includes("slept"));
    b.open("beside");
    expect(await b.worker.end(1)).toMatchObject({ type: "completed" });
    const told = ["started", "step-started", "sleep", "slept", "step-completed", "completed"];
    expect(types(b.worker.saidOf(1))).toEqual(told);
    expect(b.worker.of("sleep")).toMatchObject([{ duration: "20", name: null, nth: 0, ms: 20 }]);
    expect(b.worker.of("slept")).toMatchObject([{ duration: "20", name: null, nth: 0 }]);
  });

  test("that outlasts the steps beside it gives the execution up then, for what is left of it", async () => {
    await using b = await bench(
      `await Promise.all([thread.sleep("1h"), thread.sleep("2h"), thread.step("beside", () => gate("beside"))]);`,
    );
    b.worker.run(1);
    await until("both sleeps have begun", () => b.worker.of("sleep").length === 2);
    b.open("beside");
    const end = await b.worker.end(1);
    expect(end).toMatchObject({ type: "suspended", sleeps: [] });
    expect((end as { leftMs: number }).leftMs).toBeWithin(3_500_000, 3_600_001);
    expect(types(b.worker.saidOf(1)).filter((type) => type === "sleep")).toHaveLength(2);
  });

  test("that nobody waits for does not hold a run that settles in the same turn", async () => {
    await using b = await bench(`
      thread.sleep("1h");
      return Promise.race([thread.sleep("1d"), thread.step("a", () => "won")]);`);
    b.worker.run(1);
    expect(await b.worker.end(1)).toMatchObject({ type: "completed", output: "won" });
    expect(b.worker.of("suspended")).toEqual([]);
  });

  test("of nothing passes at once; while the run awaits something of its own alone it is simply under way", async () => {
    await using b = await bench(`await thread.sleep(0); await gate("own"); return thread.step("a", () => 1);`);
    b.worker.run(1);
    await until("run 1 has started", () => b.worker.of("started").some(({ run }) => run === 1));
    b.open("own");
    expect(await b.worker.end(1)).toMatchObject({ type: "completed", output: 1 });
    expect(b.worker.of("suspended")).toEqual([]);
  });

  test("once the execution is given up nothing of it goes on or is said", async () => {
    await using b = await bench(`
      if (thread.trigger.payload === "first") gate("late").then(async () => { mark("late"); thread.log("info", "late"); mark("called"); await thread.step("late", () => mark("step")); mark("never"); });
      await thread.sleep("1h");`);
    b.worker.run(1, {
      trigger: {
        id: null,
        sense: null,
        host: "here",
        at: null,
        payload: "first",
        reflex: null,
        key: null,
        due: null,
        signal: null,
        incident: null,
        batch: null,
      },
    });
    await b.worker.end(1);
    const said = b.worker.saidOf(1).length;
    b.open("late");
    await until("the function was called", () => b.marks().includes("called"));
    // What the code after it would have said had been said by the time another run has come and gone.
    b.worker.run(2);
    await b.worker.end(2);
    expect(b.marks()).toEqual(["late", "called"]);
    expect(b.worker.saidOf(1)).toHaveLength(said);
  });
});

describe("a replay", () => {
  const RACE = `
    const winner = await Promise.race([
      thread.step("a", () => 0).then(() => "a"),
      thread.step("b", () => 0).then(async () => "b"),
      thread.step("c", () => 0).catch(() => "c"),
      thread.sleep("1h").then(() => "late"),
    ]);
    return winner;`;
  const [a, b, c] = [completed("a", 1), completed("b", 1), failed("c", "Error", "no")];
  const late = slept("1h");

  test.each<[string, readonly Known[]]>([
    ["a", [a, b, c, late]],
    ["b", [b, a, late, c]],
    ["c", [c, late, b, a]],
    ["late", [late, a, c, b]],
    ["a", [a, c, b, slept("1h", 0, 0)]],
  ])("has the winner the race had: %s", async (winner, known) => {
    await using site = await bench(RACE);
    site.worker.run(1, past(...known));
    expect(await site.worker.end(1)).toMatchObject({ type: "completed", output: winner });
  });

  test("of what was committed at once has the winner it had, however far behind it the race is", async () => {
    const far = `
      const far = thread.step("far", () => gate("go")).then(async () => {}).then(async () => {}).then(() => "far");
      return Promise.race([far, thread.step("near", () => gate("go")).then(() => "near")]);`;
    await using site = await bench(far);
    site.worker.commits = false;
    site.worker.run(1);
    await until("both steps have started", () => site.worker.of("step-started").length === 2);
    site.open("go");
    await until("both steps have completed", () => site.worker.of("step-completed").length === 2);
    const [first] = site.worker.of("step-completed");
    site.worker.ack(Math.max(...site.worker.of("step-completed").map(({ seq }) => seq)));
    expect(await site.worker.end(1)).toMatchObject({ output: first?.step });
  });

  test("comes to its end before a sleep beside it gives the execution up", async () => {
    await using site = await bench(`
      const chain = async () => { for (let n = 0; n < 5; n++) await thread.step("s", () => n); return thread.step("new", () => 9); };
      await Promise.all([thread.sleep("1h"), chain()]);`);
    const steps = [0, 1, 2, 3, 4].map((nth) => completed("s", nth, nth));
    site.worker.run(1, past(...steps, slept("1h", 0, 60_000)));
    expect((await site.worker.end(1)).type).toBe("suspended");
    expect(site.worker.of("step-completed").map(({ step }) => step)).toEqual(["new"]);
  });
});

describe("what a run logs", () => {
  test("is said once: what is in the log already is not said again", async () => {
    await using b = await bench(`
      thread.log("info", "one", { n: 1 });
      const { log } = thread;
      log("odd", "two");
      await thread.step("a", () => thread.log("debug", "within"));
      thread.log("error", "three");`);
    b.worker.run(1);
    await b.worker.end(1);
    const rows = (run: number) =>
      b.worker
        .of("log")
        .flatMap(({ run: whose, event, level, message, data }) =>
          whose === run ? [[event, level, message, data]] : [],
        );
    expect(rows(1)).toEqual([
      ["log", "info", "one", { n: 1 }],
      ["log", "info", "two", null],
      ["output", "debug", "within", null],
      ["log", "error", "three", null],
    ]);
    b.worker.run(2, { logged: 2, ...past(completed("a", null)) });
    await b.worker.end(2);
    expect(rows(2)).toEqual([["log", "error", "three", null]]);
  });

  test("is told as text where it is no JSON, whatever it is", async () => {
    await using b = await bench(`
      thread.log("info", "date", { at: new Date(0), n: undefined });
      thread.log("info", "error", { error: new RangeError("boom") });
      thread.log("info", "number", Number.NaN);
      thread.log("info", "trap", { toString() { throw new Error("trap"); } });
      thread.log("info", "bare", Object.assign(Object.create(null), { n: undefined }));`);
    b.worker.run(1);
    expect((await b.worker.end(1)).type).toBe("completed");
    const told = b.worker.of("log").map(({ data }) => data);
    expect(told).toEqual([
      "{ at: 1970-01-01T00:00:00.000Z, n: undefined }",
      expect.stringContaining("RangeError: boom"),
      "NaN",
      expect.stringContaining("toString"),
      expect.stringContaining("n: undefined"),
    ]);
  });

  test("about being ended from outside does not count as said by the next attempt", async () => {
    await using b = await bench(`
      try { await thread.step("s", () => gate("step")); }
      catch (error) { thread.log("warn", "gave up"); throw error; }`);
    b.worker.run(1, { timeoutMs: 500 });
    await until("the line is logged", () => b.worker.of("log").length === 1);
    b.open("step");
    expect((await b.worker.end(1)).type).toBe("timed-out");
    expect(b.worker.of("log").map(({ event, message }) => [event, message])).toEqual([["output", "gave up"]]);
  });
});

test("a step that nobody waited for is spoken of, and its result is not kept", async () => {
  await using b = await bench(`thread.step("forgotten", () => gate("never")); return "done";`);
  b.worker.run(1);
  expect(await b.worker.end(1)).toMatchObject({ type: "completed", output: "done" });
  expect(b.worker.of("log").map(({ run, level, message }) => [run, level, message])).toEqual([
    [1, "warn", `step "forgotten" was under way when the run ended (is an await missing?): its result is not kept`],
  ]);
  expect(b.worker.of("step-completed")).toEqual([]);
});

describe("a step that is under way when its run ends", () => {
  /** The steps of which an `await` is said to be missing. */
  const forgotten = (worker: TestWorkflowWorker): string[] =>
    worker.of("log").flatMap(({ message }) => /^step "(.*)" was under way when the run ended/.exec(message)?.[1] ?? []);
  const lateOr = (others: string): string => `
    const lost = thread.step("lost", () => gate("never"));
    return Promise.race([${others}, thread.step("won", () => "won")]);`;

  test.each<[string, string]>([
    ["a race", lateOr("lost")],
    [
      "a race, by what follows from the step",
      lateOr(`lost.then(() => "late").catch(() => "failed").finally(() => {})`),
    ],
    ["a race of an async function that waits for the step", lateOr("(async () => { await lost; })()")],
    ["a race of several at once", lateOr("Promise.all([lost, lost])")],
    ["a race of a promise of the run's own", lateOr("new Promise((resolve) => lost.then(resolve))")],
    ["an any", lateOr("lost").replace("race", "any")],
    ["a race over a set", lateOr("lost").replace(/race\((.*)\);/s, "race(new Set($1));")],
    [
      "an all that failed, which the run dealt with",
      `const fails = thread.step("fails", () => { throw new Error("no"); });
       await Promise.all([thread.step("lost", () => gate("never")), fails]).catch(() => {});
       return "won";`,
    ],
    [
      "a race before, and is the next one of a function that goes on without it",
      `const two = async () => { await thread.step("one", () => gate("one")); await thread.step("two", () => gate("never")); };
       const won = await Promise.race([two(), thread.step("won", () => "won")]);
       await thread.step("waits", () => gate("two"));
       return won;`,
    ],
    [
      "a race with a sleep",
      `return Promise.race([thread.step("lost", () => gate("never")), thread.sleep("1ms").then(() => "won")]);`,
    ],
  ])("is forgotten by nobody where it has lost %s", async (_, code) => {
    await using b = await bench(code);
    b.worker.run(1);
    if (code.includes('gate("two")')) {
      await until("the race is over", () => b.worker.of("step-started").some(({ step }) => step === "waits"));
      b.open("one");
      await until("the step that follows has begun", () =>
        b.worker.of("step-started").some(({ step }) => step === "two"),
      );
      b.open("two");
    }
    expect(await b.worker.end(1)).toMatchObject({ type: "completed", output: "won" });
    expect(forgotten(b.worker)).toEqual([]);
  });

  test.each<[string, string]>([
    [
      "beside a race",
      `thread.step("lost", () => gate("never")); return Promise.race([thread.step("a", () => gate("never")), thread.step("won", () => "won")]);`,
    ],
    [
      "beside the race of a step and its deadline",
      `thread.step("lost", () => gate("never"));
       return Promise.race([thread.step("won", () => "won"), thread.sleep("5m").then(() => "late")]);`,
    ],
    ["with what follows from it", `thread.step("lost", () => gate("never")).then(() => {}); return "won";`],
    [
      "with the function that waits for it",
      `(async () => { await thread.step("lost", () => gate("never")); })(); return "won";`,
    ],
    ["with the race that it is in", `Promise.race([thread.step("lost", () => gate("never"))]); return "won";`],
    ["with all that it is one of", `Promise.all([thread.step("lost", () => gate("never"))]); return "won";`],
    [
      "after a race",
      `const won = await Promise.race([thread.step("a", () => gate("never")), thread.step("won", () => "won")]);
       thread.step("lost", () => gate("never"));
       return won;`,
    ],
  ])("is named where it is forgotten %s", async (_, code) => {
    await using b = await bench(code);
    b.worker.run(1);
    expect(await b.worker.end(1)).toMatchObject({ type: "completed", output: "won" });
    expect(forgotten(b.worker)).toEqual(["lost"]);
  });
});

describe("calls of one name that begin beside one another", () => {
  const warnings = (worker: TestWorkflowWorker): string[] =>
    worker.of("log").flatMap(({ level, message }) => (level === "warn" ? message : []));

  test("after awaits of the run's own are warned of, once", async () => {
    // Each call begins some turns after the one before it, by an await that has nothing to do with the thread.
    await using b = await bench(`
      const turn = () => new Promise((resolve) => setImmediate(resolve));
      const own = ["a", "b", "c"].map(() => Promise.withResolvers());
      const all = own.map(async ({ promise }) => { await promise; return thread.step("check", () => gate("all").then(() => 1)); });
      for (const { resolve } of own) { await turn(); await turn(); resolve(); await turn(); await turn(); }
      return Promise.all(all);`);
    b.worker.run(1);
    await until("all steps have begun", () => b.worker.of("step-started").length === 3);
    b.open("all");
    expect((await b.worker.end(1)).type).toBe("completed");
    await until("the warning is logged", () => warnings(b.worker).length > 0);
    await b.worker.leave();
    expect(warnings(b.worker)).toEqual([expect.stringContaining('steps called "check" begin beside one another')]);
  });

  test.each([
    ["at once", `return Promise.all([1, 2, 3].map((n) => thread.step("p", () => gate("all").then(() => 1))));`],
    [
      "after one await of all",
      `await Bun.sleep(2); return Promise.all([1, 2].map((n) => thread.step("p", () => gate("all").then(() => 1))));`,
    ],
    [
      "one after the other",
      `await gate("all"); for (const n of [1, 2]) { await Bun.sleep(2); await thread.step("p", () => n); }`,
    ],
    [
      "each behind a step",
      `return Promise.all([1, 2].map(async (n) => { await thread.step("first" + n, () => n); return thread.step("p", () => gate("all").then(() => 1)); }));`,
    ],
    [
      "under other names",
      `return Promise.all([1, 2].map(async (n) => { await Bun.sleep(n); return thread.step("p" + n, () => gate("all").then(() => 1)); }));`,
    ],
  ])("%s are not warned of", async (_, body) => {
    await using b = await bench(body);
    b.worker.run(1);
    b.open("all");
    expect(await b.worker.end(1)).toMatchObject({ type: "completed" });
    expect(warnings(b.worker)).toEqual([]);
  });
});

describe("a run that is ended from outside", () => {
  const BODY = `
    context.signal.addEventListener("abort", () => mark("signal " + context.signal.reason.name));
    try { await thread.step("s", async ({ signal }) => { await gate("step"); mark("step settles"); return signal.aborted; }); }
    catch (error) { mark("step " + error.name); }
    thread.step("nobody awaits", () => mark("nobody"));
    try { await thread.step("more", () => mark("more ran")); } catch (error) { mark("more " + error.name); }
    try { await thread.sleep(5); } catch (error) { mark("sleep " + error.name); }
    await gate("settle");
    return "too late";`;

  test.each([
    ["by its timeout", "timed-out", "TimeoutError"],
    ["by a cancel", "stopped", "AbortError"],
  ])("%s rejects what it waits for and what it begins, and is over when it has settled", async (how, type, name) => {
    await using b = await bench(BODY);
    b.worker.run(1, { timeoutMs: type === "timed-out" ? 500 : null });
    await until("the step has started", () => b.worker.of("step-started").length === 1);
    if (how === "by a cancel") b.worker.send({ type: "cancel", generation: 1, run: 1 });
    await until(
      "the run is overdue and all marks are made",
      () => b.worker.of("overdue").length === 1 && b.marks().length === 4,
    );
    expect(b.marks().sort()).toEqual([`more ${name}`, `signal ${name}`, `sleep ${name}`, `step ${name}`]);
    const told = ["started", "step-started", "overdue"];
    expect(types(b.worker.saidOf(1))).toEqual(told);
    b.open("step");
    await until("the step has settled", () => b.marks().includes("step settles"));
    if (type === "timed-out") {
      told.push("step-completed");
      await until("what the step returned is reported", () => b.worker.of("step-completed").length === 1);
    }
    expect(types(b.worker.saidOf(1))).toEqual(told);
    b.open("settle");
    expect((await b.worker.end(1)).type).toBe(type as never);
    expect(b.worker.of("error")).toEqual([]);
    b.worker.run(2, {
      ...past(...["s", "more", "nobody awaits"].map((step) => completed(step, 1)), slept("5")),
    });
    expect(await b.worker.end(2)).toMatchObject({ output: "too late" });
    expect(types(b.worker.saidOf(1))).toEqual([...told, type]);
  });

  test("says so even if it throws, and a cancel of what is not there costs nothing", async () => {
    await using b = await bench(`await thread.step("s", () => gate("step"));`);
    b.worker.send({ type: "cancel", generation: 1, run: 9 });
    b.worker.run(1);
    await until("the step has started", () => b.worker.of("step-started").length === 1);
    b.worker.send({ type: "cancel", generation: 1, run: 1 }, { type: "cancel", generation: 1, run: 1 });
    b.open("step");
    expect(await b.worker.end(1)).toMatchObject({ type: "stopped", ranMs: expect.any(Number) });
    expect(b.worker.of("error")).toEqual([]);
    expect(b.worker.of("failed")).toEqual([]);
  });

  test("is not over while a step's function still runs, whatever the run makes of that", async () => {
    await using b = await bench(`
      context.signal.addEventListener("abort", () => mark("told"));
      try { await Promise.all([thread.step("a", () => gate("a")), thread.step("b", () => gate("b"))]); }
      finally { mark("settled"); }`);
    b.worker.run(1, { timeoutMs: 500 });
    await until("the run has settled", () => b.marks().includes("settled"));
    await until("it is said to be overdue", () => b.worker.of("overdue").length === 1);
    b.open("a");
    await until("what the step returned is reported", () => b.worker.of("step-completed").length === 1);
    b.worker.run(2, past(completed("a", 1), completed("b", 1)));
    await b.worker.end(2);
    const told = ["started", "step-started", "step-started", "overdue", "step-completed"];
    expect(types(b.worker.saidOf(1))).toEqual(told);
    b.open("b");
    expect((await b.worker.end(1)).type).toBe("timed-out");
    expect(types(b.worker.saidOf(1))).toEqual([...told, "step-completed", "timed-out"]);
  });

  test("is not said to be overdue when it settles at once", async () => {
    await using b = await bench(`
      await thread.step("s", ({ signal }) =>
        new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason))));`);
    b.worker.run(1, { timeoutMs: 500 });
    expect((await b.worker.end(1)).type).toBe("timed-out");
    expect(types(b.worker.saidOf(1))).toEqual(["started", "step-started", "timed-out"]);
  });

  test("a step left running when its attempt fails is told to end, and counts where it finishes all the same", async () => {
    await using b = await bench(`
      const left = thread.step("left", async ({ signal }) => {
        signal.addEventListener("abort", () => mark("told"));
        await gate("left");
        return "done";
      });
      await Promise.all([left, thread.step("fails", () => { throw new Error("no"); })]);`);
    b.worker.run(1);
    expect(await b.worker.end(1)).toMatchObject({ type: "failed", lingers: true, steps: [{ step: "fails", nth: 0 }] });
    await until("the step is told", () => b.marks().includes("told"));
    b.open("left");
    expect(await b.worker.end(1, 1)).toMatchObject({ type: "stopped" });
    expect(b.worker.of("step-completed")).toMatchObject([{ step: "left", nth: 0, attempt: 1, result: "done" }]);
    expect(types(b.worker.saidOf(1)).slice(-3)).toEqual(["failed", "step-completed", "stopped"]);
  });

  test("steps left running when it settles are told, and what they return is ignored", async () => {
    await using b = await bench(`
      thread.step("left", async ({ signal }) => {
        signal.addEventListener("abort", () => mark("told"));
        mark("begun");
        await gate("left");
        mark("left settles");
      });
      return "done";`);
    b.worker.run(1);
    expect(await b.worker.end(1)).toMatchObject({ type: "completed", output: "done" });
    await until("the run is told", () => b.marks().includes("told"));
    b.open("left");
    await until("the step left behind has settled", () => b.marks().includes("left settles"));
    b.worker.run(2, past(completed("left", 1)));
    await b.worker.end(2);
    expect(b.worker.of("step-completed")).toEqual([]);
    expect(b.marks()).toEqual(["begun", "told", "left settles"]);
  });
});

test("a program that fails, and a peer that is none, are described in a step and between steps", async () => {
  const inStep = 'await thread.step("s", () => context.peers.memry.select());';
  const between = "context.peers.memry.select();";
  for (const source of [inStep, between]) {
    await using b = await bench(source);
    b.worker.run(1);
    expect(await b.worker.end(1)).toMatchObject({
      type: "failed",
      error: expect.stringMatching(/^TypeError: undefined is not an object .* \(there is no sense `memry`/),
    });
  }
  const shell = "ShellError: Failed with exit code 4: no room";
  const program = 'await thread.step("s", () => Bun.$`sh -c "echo no room >&2; exit 4"`.quiet())';
  const wrapped = `try { ${program} } catch (cause) { throw new Error("backup failed", { cause }); }`;
  const reworded = `try { ${program} } catch (error) { error.message = "backup failed"; throw error; }`;
  for (const [source, error] of [
    [program, shell],
    [wrapped, `Error: backup failed; ${shell}`],
    [reworded, "ShellError: backup failed"],
  ] as const) {
    await using b = await bench(source);
    b.worker.run(1);
    expect(await b.worker.end(1)).toMatchObject({ type: "failed", error });
    expect(b.worker.of("step-failed")).toMatchObject([{ error: shell, message: "Failed with exit code 4" }]);
  }
});

describe("at shutdown", () => {
  test("steps under way finish and are committed, no step begins, and what is between steps is given up", async () => {
    await using b = await bench(`
      const { what } = thread.trigger.payload;
      if (what === "between") { mark("between"); await gate("never"); }
      if (what === "waits") await Promise.all([thread.sleep("1h"), thread.step("w", () => gate("step"))]);
      await thread.step("s", () => gate("step"));
      mark("went on");
      await thread.step("next", () => mark("next"));`);
    for (const [run, what] of ["between", "waits", "steps"].entries()) {
      b.worker.run(run + 1, {
        trigger: {
          id: null,
          sense: null,
          host: "here",
          at: null,
          payload: { what },
          reflex: null,
          key: null,
          due: null,
          signal: null,
          incident: null,
          batch: null,
        },
      });
    }
    await until(
      "both steps have started",
      () => b.worker.of("step-started").length === 2 && b.marks().includes("between"),
    );
    b.worker.commits = false;
    b.worker.send({ type: "shutdown", generation: 1 });
    b.worker.run(9);
    await until("the error is reported", () => b.worker.of("error").length === 1);
    b.open("step");
    await until("both steps have completed", () => b.worker.of("step-completed").length === 2);
    expect(b.worker.exited).toBeNull();
    b.worker.ack(Math.max(...b.worker.of("step-completed").map(({ seq }) => seq)));
    await until("the worker has left", () => b.worker.exited !== null);
    expect(b.worker.exited).toMatchObject({ code: 0, signal: null });
    expect(b.worker.messages.at(-1)?.type).toBe("bye");
    expect(b.marks()).toEqual(["between"]);
    expect(b.worker.of("error")).toMatchObject([{ message: '"run" of run 9, but this worker is leaving' }]);
    for (const type of ["completed", "failed", "suspended"] as const) expect(b.worker.of(type)).toEqual([]);
  });

  test("a step that is to be tried again is left for the next worker", async () => {
    await using b = await bench(
      `await thread.step("s", async () => { await gate("step"); throw new Error("no"); }, { retry: { limit: 9, interval: 1 } });`,
    );
    b.worker.run(1);
    await until("the step has started", () => b.worker.of("step-started").length === 1);
    b.worker.send({ type: "shutdown", generation: 1 });
    b.open("step");
    await until("the worker has left", () => b.worker.exited !== null);
    expect(types(b.worker.saidOf(1))).toEqual(["started", "step-started", "step-failed"]);
  });

  test("a run that ends with its step is not asked to wait", async () => {
    await using b = await bench(`console.log("x"); process.stdout.write("no end"); return 1;`);
    b.worker.run(1);
    await b.worker.end(1);
    await b.worker.leave();
    expect(b.worker.of("log").map(({ message }) => message)).toEqual(["x", "no end"]);
  });
});

describe("G5: whatever user code does that is not spinning", () => {
  const BODIES = [
    "throw new Proxy(new Error('x'), { get() { throw 1; } })",
    "const error = new Error('x'.repeat(1e6)); error.stack = { odd: true }; throw error",
    "await thread.step('s', () => { throw new Proxy(new Error('x'), { get() { throw 1; }, getPrototypeOf() { throw 2; } }); })",
    "await thread.step('s', () => { throw new Error('y'.repeat(1e6)); })",
    "return Object.assign([], { toJSON() { throw new Error('trap'); } })",
    "process.emit('message', [{ type: 'nonsense' }])",
    "process.send?.({ type: 'bye' }); process.disconnect?.()",
    "process.kill(process.pid, 'SIGTERM')",
    "Promise.reject(Object.create(null))",
    "thread.log({ toString() { return 'z'.repeat(1e6); } }, 'x'.repeat(1e6), { big: 'y'.repeat(1e6) })",
    "throw Object.defineProperty(new Error('x'), 'cause', { get() { throw 1; } })",
  ];
  test("is survived, and bounded", async () => {
    await using b = await bench(
      `${BODIES.map((body, index) => `if (thread.trigger.payload === ${index}) { ${body}; }`).join("\n")}`,
    );
    for (const index of BODIES.keys()) {
      b.worker.run(index + 1, {
        trigger: {
          id: null,
          sense: null,
          host: "here",
          at: null,
          payload: index,
          reflex: null,
          key: null,
          due: null,
          signal: null,
          incident: null,
          batch: null,
        },
      });
      expect(["completed", "failed"]).toContain((await b.worker.end(index + 1)).type);
    }
    expect(b.worker.malformed).toEqual([]);
    for (const message of b.worker.messages) expect(JSON.stringify(message).length).toBeLessThan(40_000);
    // What is thrown by a step is the step's, however odd it is.
    expect(b.worker.of("step-failed").map(({ run, error }) => [run, error.slice(0, 40)])).toEqual([
      [3, "threw something that cannot be shown"],
      [4, `Error: ${"y".repeat(33)}`],
    ]);
    await b.worker.leave();
    expect(b.worker.of("bye")).toHaveLength(1);
  });

  test("an error nobody waited for is said with its run where that is known", async () => {
    await using b = await bench(`setTimeout(() => { throw new Error("late"); }, 1); await gate("end");`);
    b.worker.run(5);
    await until("the error is reported", () => b.worker.of("error").length === 1);
    expect(b.worker.of("error")).toMatchObject([
      { kind: "worker", run: 5, message: "an error nobody waited for: Error: late" },
    ]);
    b.open("end");
    expect(await b.worker.end(5)).toMatchObject({ type: "completed" });
  });
});

describe("a past that comes in pieces", () => {
  const pieceOf = (run: number, ...steps: WorkflowParentMessageOf<"past">["steps"]) =>
    ({ type: "past", generation: 1, run, steps }) as const;
  const BODY = `
    const results = [];
    for (let nth = 0; nth < 3; nth++) results.push(await thread.step("a", () => "new" + nth));
    return results;
  `;

  test("is one history with the rest, and each piece is answered", async () => {
    await using one = await bench(BODY);
    const { worker } = one;
    const { steps } = past(completed("a", "old0", 0), completed("a", "old1", 1), completed("a", "old2", 2));
    const [first, second, third] = steps as [(typeof steps)[0], (typeof steps)[0], (typeof steps)[0]];
    worker.send(pieceOf(1, first));
    worker.send(pieceOf(1, second));
    worker.run(1, { steps: [third] });
    expect(await worker.end(1)).toMatchObject({ type: "completed", output: ["old0", "old1", "old2"] });
    expect(types(worker.saidOf(1)).slice(0, 2)).toEqual(["taken", "taken"]);
  });

  test("is forgotten with a cancel of the run", async () => {
    await using one = await bench(BODY);
    const { worker } = one;
    worker.send(pieceOf(1, ...past(completed("a", "old0", 0)).steps));
    worker.send({ type: "cancel", generation: 1, run: 1 });
    worker.run(1);
    expect(await worker.end(1)).toMatchObject({ type: "completed", output: ["new0", "new1", "new2"] });
  });
});
