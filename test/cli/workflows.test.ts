/** `run`, `cancel`, `retry`, `rebuild` and the workflows of `status`, against a real daemon. */
import { Database } from "bun:sqlite";
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { join } from "node:path";
import { jsonOf, NERVE, type Nerve, project, runNerve, startNerve } from "../helpers/nerve.ts";
import { until } from "../helpers/until.ts";

const CONFIG = `senses: { load: }
reflexes: [{ sense: load, interval: 1h, on_start: true }]
workflows: { echo: {}, fails: {}, waits: {}, full: { overflow: drop } }
`;
const folder = project({
  "nerve.yaml": CONFIG,
  "workflows/echo/index.ts": `export const run = async (thread) => {
  const seen = await thread.step("look", () => ({ payload: thread.trigger.payload }));
  thread.log("info", "looked\\x07", { at: "it" });
  return seen;
};
`,
  "workflows/fails/index.ts": `export const run = async (thread) => {
  const first = await thread.step("first", () => Math.random());
  await thread.step("second", () => { throw new Error("no\\x1b[2J luck"); });
};
`,
  "workflows/full/index.ts": `export const run = (thread) =>
  thread.step("hold", ({ signal }) => new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason))));
`,
  "workflows/waits/index.ts": 'export const run = async (thread) => { await thread.sleep("1h"); };\n',
});

let daemon: Nerve;
beforeAll(async () => {
  daemon = await startNerve(folder.path);
});
afterAll(async () => {
  await daemon[Symbol.asyncDispose]();
  folder[Symbol.dispose]();
});

const nerve = (...args: string[]) => runNerve(folder.path, args);
const json = (...args: string[]) => jsonOf(folder.path, args);
const stateOf = async (id: number): Promise<string> => (await json("show", `run:${id}`)).value.run.state;

describe("run", () => {
  test("answers with the run, and the commands that watch it", async () => {
    const { code, stdout } = await nerve("run", "echo", "-c", "nerve.yaml");
    expect(code).toBe(0);
    const [, id = ""] = /^run (\d+) of echo is (?:queued|running)\n/.exec(stdout) ?? [];
    const here = ` -c ${join(folder.path, "nerve.yaml")}`;
    expect(stdout).toContain(`watch it: nerve show ${id}${here}, nerve runs -f${here}\n`);
    await until("the run has completed", async () => (await stateOf(Number(id))) === "completed");
  });

  test("--json answers with the run's id, state and trace", async () => {
    const { code, value } = await json("run", "echo");
    expect(code).toBe(0);
    expect(value).toEqual({
      run: expect.any(Number),
      workflow: "echo",
      state: expect.stringMatching(/queued|running/),
      trace: expect.stringMatching(/^[0-9a-f]{32}$/),
    });
  });

  test("--wait shows its logs on stderr and its output on stdout", async () => {
    const { code, stdout, stderr } = await nerve("run", "echo", "--wait", "--input", '{"a":["\\u001b"]}');
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toEqual({ payload: { a: ["\x1b"] } });
    expect(stderr).toMatch(/ {2}workflow:echo +looked\\u\{7\} {2}at it\n/);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not be there
    expect((stdout + stderr).replaceAll("\n", "")).not.toMatch(/[\x00-\x1f]/);
  });

  test("--wait with --json answers with the run's row alone", async () => {
    const { code, value, error } = await json("run", "echo", "--wait", "--input", "7");
    expect({ code, error }).toEqual({ code: 0, error: null });
    expect(value).toMatchObject({ workflow: "echo", state: "completed", input: 7, output: { payload: 7 }, attempt: 1 });
  });

  test("a run that fails is 1 with --wait, and says why", async () => {
    const { code, value, error } = await json("run", "fails", "--wait");
    expect(code).toBe(1);
    expect(value.state).toBe("failed");
    expect(error.kind).toBe("run.failed");
    expect(error.message).toStartWith(`run ${value.id} of fails failed: `);
    const { stdout: status } = await nerve("status");
    expect(status).toMatch(new RegExp(`^fails: run ${value.id} failed .+ ago: Error: no\\\\u`, "m"));
    expect(error.hint).toBe(`see \`nerve show ${value.id}\``);
  });

  test("input comes from a file or from stdin too", async () => {
    folder.write("input.json", '{ "from": "file" }\n');
    expect((await json("run", "echo", "--wait", "--input", "@input.json")).value.input).toEqual({ from: "file" });
    const child = Bun.spawn([...NERVE, "run", "echo", "--wait", "--json", "--input", "-"], {
      cwd: folder.path,
      stdio: [new Blob(['{"from":"stdin"}']), "pipe", "ignore"],
    });
    expect(JSON.parse(await new Response(child.stdout).text()).input).toEqual({ from: "stdin" });
  });

  test("input that is no JSON, or cannot be read, is a usage error", async () => {
    for (const input of ["{", "hello", "@missing.json", ""]) {
      expect((await json("run", "echo", "--input", input)).error, input).toMatchObject({ kind: "usage" });
    }
  });

  test.each([
    ['{"a":{"__proto__":1}}', "is refused: a.__proto__: the key __proto__ is refused"],
    ["1e400", "is refused: Infinity is not a JSON number"],
    [JSON.stringify("x".repeat(65_535)), "is over 64 KiB"],
  ])("input that no run can have is a usage error, and refused by the daemon as well: %.20s", async (text, why) => {
    folder.write("odd.json", text);
    const { code, error } = await json("run", "echo", "--input", "@odd.json");
    expect([code, error]).toMatchObject([2, { kind: "usage", message: `the input ${why}` }]);
    const told = await fetch("http://nerve/run", {
      unix: join(folder.path, "data", "nerve.sock"),
      method: "POST",
      body: `{"workflow":"echo","input":${text}}`,
    });
    expect(await told.json()).toMatchObject({ error: { message: `the body is not fit: the input ${why}` } });
  });

  test("an unknown workflow is 2", async () => {
    expect(await json("run", "ecoh")).toMatchObject({ code: 2, error: { kind: "unknown-workflow" } });
  });

  test("one there is no room for is 1, with its id; one that holds its slot can be cancelled", async () => {
    const { value: first } = await json("run", "full");
    const second = await json("run", "full");
    expect(second).toMatchObject({ code: 1, value: { state: "dropped" }, error: { kind: "run.dropped" } });
    expect(second.value.run).toBeGreaterThan(first.run);
    const third = await nerve("run", "full", "--wait");
    expect(third).toMatchObject({ code: 1, stdout: "" });
    expect(third.stderr).toContain("of full was dropped: ");
    await until(
      "the first step is recorded",
      async () => (await json("show", `run:${first.run}`)).value.runs[0].steps.length === 1,
    );
    expect((await nerve("cancel", String(first.run))).stdout).toBe(`run ${first.run} of full is cancelled\n`);
    expect(await stateOf(first.run)).toBe("cancelled");
  });
});

describe("cancel", () => {
  test("ends a run that is asleep", async () => {
    const { value } = await json("run", "waits");
    await until("the run sleeps", async () => (await stateOf(value.run)) === "sleeping");
    expect(await nerve("cancel", String(value.run))).toMatchObject({
      code: 0,
      stdout: `run ${value.run} of waits is cancelled\n`,
    });
    expect(await stateOf(value.run)).toBe("cancelled");
    expect(await json("cancel", `run:${value.run}`)).toMatchObject({ code: 1, error: { kind: "run-over" } });
  });

  test("an unknown run is 2, and so is what is no id", async () => {
    expect(await json("cancel", "4711")).toMatchObject({ code: 2, error: { kind: "unknown-run" } });
    expect(await json("cancel", "echo")).toMatchObject({ code: 2, error: { kind: "usage" } });
  });
});

describe("retry", () => {
  test("keeps what was finished, unless it is told from which step", async () => {
    const { value: failed } = await json("run", "fails", "--wait");
    const resultOf = async (id: number): Promise<unknown> => {
      const { value } = await json("show", `run:${id}`);
      return value.runs[0].steps.find(({ step }: { step: string }) => step === "first")?.result ?? null;
    };
    const first = await resultOf(failed.id);
    expect(first).toBeNumber();
    const again = await json("retry", String(failed.id), "--wait");
    expect(again).toMatchObject({ code: 1, value: { retry_of: failed.id, trace: failed.trace, state: "failed" } });
    // Not done again: there is no such step in the new run's own history.
    expect(await resultOf(again.value.id)).toBeNull();
    const anew = await json("retry", String(failed.id), "--from-step", "first", "--wait");
    expect(anew.code).toBe(1);
    expect(await resultOf(anew.value.id)).toBeNumber();
    expect(await resultOf(anew.value.id)).not.toBe(first);
  });

  test("without --wait answers with the new run", async () => {
    const { value } = await json("run", "echo", "--wait");
    const again = await json("retry", String(value.id));
    expect(again).toMatchObject({ code: 0, value: { workflow: "echo", trace: value.trace } });
    expect(again.value.run).toBeGreaterThan(value.id);
  });

  test("an unknown run or step is 2, one that is not over 1", async () => {
    expect(await json("retry", "4711")).toMatchObject({ code: 2, error: { kind: "unknown-run" } });
    const { value } = await json("run", "fails", "--wait");
    const wrong = await json("retry", String(value.id), "--from-step", "frist");
    expect(wrong).toMatchObject({ code: 2, error: { kind: "unknown-step" } });
    const { value: waiting } = await json("run", "waits");
    expect(await json("retry", String(waiting.run))).toMatchObject({ code: 1, error: { kind: "run-active" } });
    expect((await nerve("cancel", String(waiting.run))).code).toBe(0);
  });
});

test("status counts a workflow's runs", async () => {
  const { value } = await json("run", "waits");
  await until("the run sleeps", async () => (await stateOf(value.run)) === "sleeping");
  const { value: status } = await json("status");
  expect(status.workflows.find(({ name }: { name: string }) => name === "waits")).toEqual({
    name: "waits",
    running: 0,
    queued: 0,
    sleeping: 1,
    stale: false,
  });
  const { stdout } = await nerve("status");
  expect(stdout).toMatch(/^WORKFLOW +RUNNING +QUEUED +SLEEPING$/m);
  expect(stdout).toMatch(/^waits +0 +0 +1$/m);
  expect((await nerve("cancel", String(value.run))).code).toBe(0);
});

describe("rebuild", () => {
  const tamper = (...statements: string[]): void => {
    const db = new Database(join(daemon.data, "logs.db"));
    db.run("PRAGMA busy_timeout = 5000");
    for (const statement of statements) db.run(statement);
    db.close(true);
  };

  test("beside a running daemon finds nothing to do, and says of how much", async () => {
    const { code, stdout } = await nerve("rebuild", "--check");
    expect(code).toBe(0);
    expect(stdout).toMatch(/^the table of runs is what the logs say: \d+ runs from \d+ events\n$/);
    expect(await json("rebuild")).toMatchObject({
      code: 0,
      value: { equal: true, differing: 0, faulty: 0, faults: [] },
    });
  });

  test("--check is 1 with each difference, and changes nothing; rebuild puts it right", async () => {
    const { value: run } = await json("run", "echo", "--wait");
    tamper(`UPDATE workflow_runs SET state = 'x\x1b[2J', output = NULL WHERE id = ${run.id}`);
    for (let round = 0; round < 2; round++) {
      const checked = await json("rebuild", "--check");
      expect(checked).toMatchObject({
        code: 1,
        error: { kind: "runs-differ", message: "1 run differs from what the logs say" },
      });
      expect(checked.value.differences).toEqual([
        { run: run.id, column: "state", table: "x\x1b[2J", log: "completed" },
        { run: run.id, column: "output", table: null, log: JSON.stringify(run.output) },
      ]);
    }
    const { stdout } = await nerve("rebuild", "--check");
    expect(stdout).toMatch(/^ *RUN {2}COLUMN {2}TABLE +LOGS *$/m);
    expect(stdout).toContain("state   x\\u{1b}[2J");
    const rebuilt = await nerve("rebuild");
    expect(rebuilt.code).toBe(0);
    expect(rebuilt.stdout).toContain("put 1 run right, of ");
    expect((await nerve("rebuild", "--check")).code).toBe(0);
    expect((await json("show", `run:${run.id}`)).value.run).toEqual(run);
  });

  test("a history that cannot be is 1, with the id of its log", async () => {
    const { value: run } = await json("run", "echo", "--wait");
    tamper(
      `INSERT INTO logs (at, level, source, event, run, trace, message, data) VALUES (1, 'info', 'workflow:echo', 'run.failed', ${run.id}, '${"0".repeat(32)}', '', '{"error":"x","stack":null,"steps":[]}')`,
    );
    const { code, value, error } = await json("rebuild");
    expect(code).toBe(1);
    expect(value.faults).toEqual([{ run: run.id, log: expect.any(Number), message: error.message }]);
    expect(error).toMatchObject({ kind: "bad-history" });
    expect(error.message).toBe(`log ${value.faults[0].log}: run.failed of run ${run.id}, which is over`);
    tamper(`DELETE FROM logs WHERE id = ${value.faults[0].log}`);
  });

  test("a table that was dropped is back after a start, or a rebuild without a daemon", async () => {
    using other = project({ "nerve.yaml": CONFIG, "workflows/echo/index.ts": "export const run = () => 1;\n" });
    const drop = (): void => {
      const db = new Database(join(other.path, "data/logs.db"));
      db.run("DROP TABLE workflow_runs");
      db.close(true);
    };
    const runs = async () => (await runNerve(other.path, ["runs", "--json"])).stdout;
    {
      await using _ = await startNerve(other.path);
      for (let count = 0; count < 3; count++) await runNerve(other.path, ["run", "echo", "--wait"]);
    }
    const before = await runs();
    expect(before.split("\n").filter(Boolean)).toHaveLength(3);
    drop();
    const gone = await runNerve(other.path, ["runs"]);
    expect(gone.code).toBe(1);
    expect(gone.stderr).toContain("the table of runs is gone");
    expect(gone.stderr).toContain("`nerve rebuild` derives it from the logs");
    expect(gone.stderr).not.toContain("SQLITE");
    expect((await runNerve(other.path, ["rebuild", "--check"])).code).toBe(1);
    expect((await runNerve(other.path, ["rebuild"])).stdout).toStartWith("made the table of runs anew: 3 runs from ");
    expect(await runs()).toBe(before);
    drop();
    {
      await using again = await startNerve(other.path);
      const restored = { level: "warn", data: { runs: 3, faulty: 0 } };
      expect(again.logs({ event: "runs.restored" })).toMatchObject([restored, restored]);
      expect(await runs()).toBe(before);
      const next = await runNerve(other.path, ["run", "echo", "--wait", "--json"]);
      expect(JSON.parse(next.stdout).id).toBe(4);
    }
  });
});
