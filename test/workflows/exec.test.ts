/** The built-in workflow `exec`: a program as the one step of a run, in a real worker. */
import { describe, expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { isAlive } from "../../src/base/processes.ts";

import { type Folder, temporaryFolder } from "../helpers/folder.ts";
import { until } from "../helpers/until.ts";
import { TestWorkflowWorker } from "../helpers/worker.ts";

const FIXTURES = join(import.meta.dir, "../fixtures/senses/exec");

/** A ready worker of `exec` with these options. */
async function worker(folder: Folder, options: unknown): Promise<TestWorkflowWorker> {
  const started = new TestWorkflowWorker(folder);
  const { problem } = await started.ready({ folder: null, use: "exec", options });
  expect(problem).toBeNull();
  return started;
}

const payload = (value: unknown) => ({
  trigger: {
    id: 3,
    sense: "disk",
    host: "here",
    at: 5,
    payload: value,
    reflex: "r",
    key: null,
    due: null,
    signal: null,
    incident: null,
    batch: null,
  },
});

async function outcome(options: unknown, request = payload({})) {
  using folder = temporaryFolder();
  await using exec = await worker(folder, options);
  exec.run(1, request);
  const end = await exec.end(1);
  return { end, exec };
}

describe("exec", () => {
  test("runs the program with its arguments filled in, from no shell, as one step", async () => {
    const command = ["printf", "%s\\n", "{{ payload.text }}", "{{ sense }}/{{ id }}", "$HOME; *"];
    const { end, exec } = await outcome({ command }, payload({ text: "a b\nc $(id)" }));
    expect(end).toMatchObject({
      type: "completed",
      output: { exit_code: 0, stdout: "a b\nc $(id)\ndisk/3\n$HOME; *\n", stderr: "" },
    });
    expect(exec.of("step-started").map(({ step, nth }) => [step, nth])).toEqual([["exec", 0]]);
  });

  test("takes env and cwd as the sense does", async () => {
    const options = { command: ["sh", "-c", 'echo "$GREETING"; pwd'], env: { GREETING: "hello {{ id }}" }, cwd: "/" };
    expect((await outcome(options)).end).toMatchObject({ output: { stdout: "hello {{ id }}\n/\n" } });
  });

  test("fails with the tail of stderr when the program does", async () => {
    const { end, exec } = await outcome({ command: ["sh", "-c", "echo out; echo broken pipe dream >&2; exit 4"] });
    const error = "Error: sh exited with 4: broken pipe dream";
    expect(end).toMatchObject({ type: "failed", error, steps: [{ step: "exec", nth: 0 }] });
    expect(exec.of("step-failed")).toMatchObject([{ error, retryInMs: null }]);
  });

  test("keeps the end of what is printed, however much and whatever that is", async () => {
    const noise = 'head -c 3000000 /dev/zero; printf "the end" ; head -c 300000 /dev/zero >&2; printf "é the end" >&2';
    const { end } = await outcome({ command: ["sh", "-c", noise] });
    const { stdout, stderr } = (end as unknown as { output: { stdout: string; stderr: string } }).output;
    expect(stdout).toBe(`${"\0".repeat(8 * 1024 - 7)}the end`);
    expect(stderr).toEndWith("é the end");
    expect(Buffer.byteLength(stderr)).toBe(2048);
    const cut = await outcome({ command: ["perl", "-e", 'print "x" . "\\xe2\\x82\\xac" x 9000'] });
    const euros = (cut.end as unknown as { output: { stdout: string } }).output.stdout;
    expect(euros).toBe("€".repeat(Math.floor((8 * 1024) / 3)));
  });

  test("fails before it starts anything where something is missing or would be an option", async () => {
    for (const [argument, error] of [
      ["{{ payload.nope }}", "Error: {{ payload.nope }}: the payload has no nope"],
      ["{{ payload.dash }}", 'Error: argument 1 of the command, "{{ payload.dash }}", would begin with "-"'],
    ]) {
      const { end, exec } = await outcome({ command: ["echo", argument] }, payload({ dash: "-e" }));
      expect(end).toMatchObject({ type: "failed", again: false, error: expect.stringContaining(error as string) });
      expect(exec.of("step-started")).toEqual([]);
    }
    const { end } = await outcome({ command: ["echo", "--", "{{ payload.dash }}"] }, payload({ dash: "-e" }));
    expect(end).toMatchObject({ type: "completed", output: { stdout: expect.stringContaining("-e") } });
  });

  test.each([
    [{}, "command is required: a list of texts"],
    [{ command: [] }, "command must begin with the program to run"],
    [
      { command: ["echo", "{{ paylod.x }}"] },
      "command must fill in only {{ payload.PATH }}, {{ signal.PATH }}, {{ incident.PATH }}, {{ batch.PATH }}, {{ sense }}, {{ host }}, {{ at }}, {{ id }}, {{ key }} and {{ due }}",
    ],
    [{ command: ["{{ payload.x }}"] }, "command must name the program itself, without {{ }}"],
    [{ command: ["true"], parse: "json" }, "parse is not an option: there are command, env, cwd"],
  ])("refuses %j when it is loaded", async (options, reason) => {
    using folder = temporaryFolder();
    await using exec = new TestWorkflowWorker(folder);
    const { problem } = await exec.ready({ folder: null, use: "exec", options });
    expect(problem?.kind).toBe("bad-options");
    expect(problem?.message).toContain(reason);
  });

  test.each(["timed-out", "stopped"])("leaves nothing of the process tree alive when the run is %s", async (how) => {
    using folder = temporaryFolder();
    const file = folder.file("pids");
    await using exec = await worker(folder, {
      command: ["sh", "-c", `${join(FIXTURES, "double-fork.py")} ${file} loud; echo $$ >> ${file}; sleep 600`],
    });
    const pids = (): number[] =>
      existsSync(file) ? readFileSync(file, "utf8").split("\n").filter(Boolean).map(Number) : [];
    // Long enough for the tree to be there in most runs; where it is not, nothing of it is either.
    exec.run(1, { timeoutMs: how === "timed-out" ? 1_500 : null });
    await until(
      "both processes have written their pids, or the time is over",
      () => pids().length >= 2 || exec.of("timed-out").length > 0,
    );
    if (how === "stopped") exec.send({ type: "cancel", generation: 1, run: 1 });
    expect((await exec.end(1)).type).toBe(how as never);
    await until("all of them are gone", () => !pids().some(isAlive));
  });
});
