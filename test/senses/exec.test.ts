import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isAlive, withEnvironment } from "../../src/base/processes.ts";
import { openSense } from "../helpers/compute.ts";
import { until } from "../helpers/until.ts";

const FIXTURES = join(import.meta.dir, "../fixtures/senses/exec");
const fixture = (name: string): string => join(FIXTURES, name);
const print = (text: string, code = 0): string[] => [fixture("print.sh"), String(code), text];

const run = async (given: Record<string, unknown>, signal?: AbortSignal) => {
  using sense = openSense("exec", given);
  const payload = await sense.compute(signal ? { signal } : {});
  return { payload, logs: sense.logs };
};
const payloadOf = async (given: Record<string, unknown>) => (await run(given)).payload;
const errorOf = (given: Record<string, unknown>): Promise<string> =>
  run(given).then(
    () => "no error",
    (error: Error) => error.message,
  );

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "nerve-exec-"));
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

/** The pids a fixture wrote, once it has written `count` of them. */
async function pidsIn(file: string, count: number): Promise<number[]> {
  const pids = (): number[] =>
    existsSync(file) ? readFileSync(file, "utf8").split("\n").filter(Boolean).map(Number) : [];
  await until(`${count} processes have written their pids`, () => pids().length >= count);
  return pids();
}
const gone = (pids: readonly number[]): Promise<true> => until("all of them are gone", () => !pids.some(isAlive));

describe("what is printed becomes the payload", () => {
  test.each([
    ["json", '{"a": [1, null]}\n', { a: [1, null] }],
    ["json", " 42 ", 42],
    ["json", "", null],
    ["json", " \n", null],
    ["json", "null\n", null],
    ["lines", "a\\nb c\\r\\n\\nd\\n", { lines: ["a", "b c", "", "d"] }],
    ["lines", "no newline", { lines: ["no newline"] }],
    ["lines", "", { lines: [] }],
    ["json", "\\0357\\0273\\0277{}", {}],
    [
      "json",
      "[9007199254740992, -9007199254740991, 1e300, 0.123456789012345678]",
      [2 ** 53, 1 - 2 ** 53, 1e300, 0.12345678901234568],
    ],
    ["json", '{"id": "12345678901234567890"}', { id: "12345678901234567890" }],
    ["number", "9007199254740992", { value: 2 ** 53 }],
    ["number", "00000000000000000000000000000000007", { value: 7 }],
    ["number", " -1.5e3\\n", { value: -1500 }],
    ["number", "0", { value: 0 }],
    ["number", ".5", { value: 0.5 }],
  ])("%s of %j", async (parse, text, expected) => {
    expect(await payloadOf({ command: print(text), parse })).toEqual(expected);
  });

  test.each([
    ["json", "up 3 days", 'stdout is not one JSON value (JSON Parse error: Unexpected identifier "up"): "up 3 days"'],
    ["json", "{} {}", "stdout is not one JSON value"],
    ["jsonl", "{}\\n{]\\n", "line 2 of stdout is not one JSON value (JSON Parse error: "],
    ["jsonl", '{}\\n\\n{"id":12345678901234567890}\\n', "line 3: stdout holds a whole number beyond 2^53"],
    ["json", "{}\\n{}\\n", "; several values, one a line, are for `parse: jsonl`"],
    [
      "json",
      '{"a":[{"id":12345678901234567890}]}',
      'beyond 2^53, which would be changed: "id" is 12345678901234567890; print it as a text',
    ],
    ["json", "9007199254740993", "it is 9007199254740993"],
    ["json", "[-9007199254740993]", '"0" is -9007199254740993'],
    ["number", "9007199254740993", "it is 9007199254740993"],
    ["number", "12 apples", 'stdout is not a number: "12 apples"'],
    ["number", "", 'stdout is not a number: ""'],
    ["number", "0x10", "stdout is not a number"],
    ["number", "Infinity", "stdout is not a number"],
    ["number", "1e999", "stdout is not a number"],
  ])("%s of %j is an error", async (parse, text, message) => {
    expect(await errorOf({ command: print(text), parse })).toContain(message);
  });

  test.each([
    ["", []],
    ["null\\n\\n", []],
    ["7\\n", [7]],
    ['{"a": 1}\\r\\n\\n[2]\\nnull\\n"b"', [{ a: 1 }, [2], "b"]],
  ])("jsonl of %j: a signal for each value", async (text, payloads) => {
    expect(await payloadOf({ command: print(text), parse: "jsonl" })).toEqual(payloads);
  });

  test("jsonl of more values than a compute may return is an error that says how many", async () => {
    expect(await payloadOf({ command: ["seq", "500"], parse: "jsonl" })).toHaveLength(500);
    expect(await errorOf({ command: ["seq", "501"], parse: "jsonl" })).toContain(
      "stdout holds 501 values, and at most 500",
    );
  });

  test("bytes that are no UTF-8, and letters split between two reads, do no harm", async () => {
    expect(await payloadOf({ command: print("\\0303\\0251\\0377"), parse: "lines" })).toEqual({ lines: ["é\ufffd"] });
    const { lines } = await payloadOf({ command: ["perl", "-e", 'print "\\xe2\\x82\\xac" x 300000'], parse: "lines" });
    expect(lines[0]).toBe("€".repeat(300_000));
  });
});

describe("the program", () => {
  test("gets its arguments as they are, from no shell", async () => {
    const { lines } = await payloadOf({ command: ["printf", "%s\\n", "$HOME; *", "", "a b"], parse: "lines" });
    expect(lines).toEqual(["$HOME; *", "", "a b"]);
  });

  test("has the worker's environment, what `env` adds, and the mark it is found by", async () => {
    const command = ["sh", "-c", 'echo "$GREETING $PORT"; echo "$NERVE_EXEC"; [ -n "$PATH" ] && echo path'];
    const { lines } = await payloadOf({ command, env: { GREETING: "hello there", PORT: 80 }, parse: "lines" });
    expect(lines).toEqual(["hello there 80", expect.stringMatching(/^[0-9a-f-]{36}$/), "path"]);
  });

  test("runs in `cwd`, a relative program from there", async () => {
    expect(await payloadOf({ command: ["pwd"], cwd: "/", parse: "lines" })).toEqual({ lines: ["/"] });
    expect(await payloadOf({ command: ["./print.sh", "0", "7"], cwd: FIXTURES })).toBe(7);
  });

  test("reads nothing from stdin", async () => {
    expect(await payloadOf({ command: ["cat"], parse: "lines" })).toEqual({ lines: [] });
  });

  test("stays in the worker's process group, so it dies with it", async () => {
    const group = readFileSync("/proc/self/stat", "utf8").split(") ")[1]?.split(" ")[2];
    expect(await payloadOf({ command: ["sh", "-c", "cut -d' ' -f5 /proc/self/stat"], parse: "number" })).toEqual({
      value: Number(group),
    });
  });
});

describe("an error says what to do", () => {
  test.each([
    [["nerve-no-such-program"], 'cannot run "nerve-no-such-program": there is no such program in PATH'],
    [["/no/such/program"], 'cannot run "/no/such/program": there is no such file'],
    [[fixture("not-executable.sh")], "it may not be executed (chmod +x"],
    [["/tmp"], "it may not be executed"],
    [[fixture("no-interpreter")], "the interpreter on its first line does not exist"],
    [[fixture("no-shebang")], "it is no program: a script needs a first line such as #!/bin/sh"],
    [["/bin/echo", "x".repeat(3_000_000)], "too long"],
    [["sh", "-c", "kill -SEGV $$"], "sh was killed by SIGSEGV"],
    [["sh", "-c", "echo oh no >&2; exit 3"], "sh exited with 3: oh no"],
    [["false"], "false exited with 1"],
  ])("%j", async (command, message) => {
    expect(await errorOf({ command })).toContain(message);
  });

  test.each(["/no/such/folder", "/etc/passwd"])("cwd %s", async (cwd) => {
    expect(await errorOf({ command: ["true"], cwd })).toBe(`cwd "${cwd}" is not a directory`);
  });

  test("a program found in PATH whose interpreter is missing is not called missing", async () => {
    expect(await errorOf({ command: ["no-interpreter"], env: { PATH: FIXTURES } })).toContain("interpreter");
  });

  test("of 10 MB on stderr, the end", async () => {
    const message = await errorOf({ command: [fixture("chatty-stderr.sh")] });
    expect(message).toEndWith("xxx\nthe last words");
    expect(message.length).toBeLessThan(2500);
  });

  test("arguments, which may hold secrets, are not repeated", async () => {
    expect(await errorOf({ command: ["sh", "-c", "exit 1", "hunter2"] })).not.toContain("hunter2");
  });
});

describe("limits", () => {
  test("stdout of exactly 1 MiB is taken, a byte more is an error", async () => {
    const zeros = (count: number) => ["sh", "-c", `head -c ${count} /dev/zero | tr '\\0' ' '`];
    expect(await payloadOf({ command: zeros(1024 * 1024) })).toBeNull();
    expect(await errorOf({ command: zeros(1024 * 1024 + 1) })).toBe("sh printed more than 1 MiB to stdout");
  });

  test("100 MB are neither waited for nor kept", async () => {
    const before = process.memoryUsage.rss();
    const given = { command: [fixture("flood.sh")], env: { NERVE_TEST: folder } };
    expect(await errorOf(given)).toContain("printed more than 1 MiB to stdout");
    expect(process.memoryUsage.rss() - before).toBeLessThan(50_000_000);
    await until("nothing of the program is left", () => withEnvironment(`NERVE_TEST=${folder}`).length === 0);
  });
});

describe("the whole process tree dies with the timeout", () => {
  const abortedRun = (given: Record<string, unknown>) => {
    const timeout = new AbortController();
    const outcome = run(given, timeout.signal).catch((error: Error) => error);
    return {
      async abort() {
        timeout.abort(new Error("timed out"));
        expect(await outcome).toEqual(new Error("timed out"));
      },
    };
  };

  test("a tree that ignores SIGTERM", async () => {
    const file = join(folder, "pids");
    const compute = abortedRun({ command: [fixture("ignores-term.sh"), file] });
    const pids = await pidsIn(file, 2);
    await compute.abort();
    await gone(pids);
  });

  test.each(["loud", "quiet", "stay"])("a daemon that left tree, session and group (%s)", async (how) => {
    const file = join(folder, "pid");
    const compute = abortedRun({ command: [fixture("double-fork.py"), file, how] });
    const pids = await pidsIn(file, 1);
    await compute.abort().catch(() => {});
    await gone(pids);
  });

  test("a tree that never stops forking", async () => {
    const file = join(folder, "pid");
    const compute = abortedRun({
      command: ["sh", "-c", `sh ${fixture("fork-bomb.sh")} ${file}; sleep 600`],
      env: { NERVE_TEST: folder },
    });
    await pidsIn(file, 1);
    await compute.abort();
    await until("nothing of the program is left", () => withEnvironment(`NERVE_TEST=${folder}`).length === 0);
  });

  test("a stopped tree", async () => {
    const file = join(folder, "pid");
    const compute = abortedRun({ command: ["sh", "-c", `echo $$ > ${file}; kill -STOP $$`] });
    const pids = await pidsIn(file, 1);
    await compute.abort();
    await gone(pids);
  });

  test("an abort before the start starts nothing", async () => {
    const aborted = AbortSignal.abort(new Error("shutting down"));
    const file = join(folder, "ran");
    await expect(run({ command: ["touch", file] }, aborted)).rejects.toThrow("shutting down");
    expect(existsSync(file)).toBe(false);
  });
});

describe("what a program leaves behind when it ends", () => {
  test("may finish writing the output", async () => {
    expect(await payloadOf({ command: [fixture("late-writer.sh")] })).toEqual({ late: true });
  });

  test.each(["loud", "quiet"])("is killed, and said (%s)", async (how) => {
    const file = join(folder, "pid");
    const { payload, logs } = await run({ command: [fixture("double-fork.py"), file, how] });
    expect(payload).toEqual({ left: true });
    expect(logs).toEqual([`warn: ${fixture("double-fork.py")} left 1 processes behind, which were killed`]);
    await gone(await pidsIn(file, 1));
  });

  test("is killed after a failure, too", async () => {
    const file = join(folder, "pid");
    expect(await errorOf({ command: ["sh", "-c", `sleep 600 & echo $! > ${file}; exit 2`] })).toContain(
      "exited with 2",
    );
    await gone(await pidsIn(file, 1));
  });

  test("a hundred runs leave no descriptor open", async () => {
    const descriptors = (): number => readdirSync("/proc/self/fd").length;
    const open = descriptors();
    for (let round = 0; round < 10; round++) {
      await Promise.all(Array.from({ length: 10 }, () => payloadOf({ command: ["true"] })));
    }
    await until("the descriptors are closed", () => descriptors() <= open + 3);
  });
});
