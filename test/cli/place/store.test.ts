/** `signals`, `logs` and `show` on a store without a daemon, and while another process writes to it. */
import { Database } from "bun:sqlite";
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { LogLevel } from "../../../src/model/log.ts";
import { openStore, type Store } from "../../../src/store/open.ts";
import { NERVE, project, runNerve } from "../../helpers/nerve.ts";
import { until } from "../../helpers/until.ts";

const folder = project({ "nerve.yaml": "senses: { load: , memory: }\n" });
const NOW = Date.now();
const HOUR = 3_600_000;
const traceAt = (at: number, tail: string): string => at.toString(16).padStart(12, "0") + tail.padStart(20, "0");

let store: Store;
const signal = (sense: string, at: number, payload: unknown, trace: string, cause: number | null = null): number =>
  store.commit(() => store.signals.append({ sense, at, payload: JSON.stringify(payload), cause, trace }));
const log = (source: string, level: LogLevel, at: number, message: string, trace: string | null = null): number =>
  store.commit(() =>
    store.logs.append({ at, level, source, event: "output", run: null, trace, message, data: '{"a":[1]}' }),
  );

const TREE = traceAt(NOW - 1_000, "abc");

beforeAll(() => {
  const data = join(folder.path, "data");
  mkdirSync(data, { mode: 0o700 });
  const opened = openStore(data, "normal", "boot", NOW);
  if (!opened.ok) throw new Error(opened.error.message);
  store = opened.value;
  for (let index = 1; index <= 30; index++) {
    const at = NOW - 2 * HOUR + index * 1_000;
    signal("load", at, { load1: index }, traceAt(at, "0"));
  }
  const cause = signal("load", NOW - 998, { load1: 0.5 }, TREE);
  signal("memory", NOW - 990, { used: "\x1b[2J\u202e" }, TREE, cause);
  log("kernel", "info", NOW - 2 * HOUR, "started");
  log("sense:load", "debug", NOW - 999, "looking", TREE);
  log("sense:memory", "error", NOW - 991, "bad\x07 thing", TREE);
});

afterAll(() => {
  store.close();
  folder[Symbol.dispose]();
});

const nerve = (...args: string[]) => runNerve(folder.path, args);
const ids = async (...args: string[]): Promise<number[]> => {
  const { code, stdout, stderr } = await nerve(...args, "--json");
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  return stdout
    .split("\n")
    .filter(Boolean)
    .map((line) => JSON.parse(line).id);
};
const range = (from: number, to: number): number[] => Array.from({ length: to - from + 1 }, (_, index) => from + index);

describe("which rows", () => {
  test("the newest 20, newest last", async () => expect(await ids("signals")).toEqual(range(13, 32)));
  test("--limit of them", async () => expect(await ids("signals", "--limit", "3")).toEqual(range(30, 32)));
  test("-n is --limit, and --until ends them", async () => {
    expect(await ids("signals", "-n", "3")).toEqual(range(30, 32));
    expect(await ids("signals", "-n", "2", "--until", "1h")).toEqual([29, 30]);
    expect(await ids("signals", "--since", "3h", "--until", new Date(NOW - 2 * HOUR + 4_000).toISOString())).toEqual(
      range(1, 4),
    );
    expect(await ids("logs", "--until", "1h")).toEqual([1]);
  });
  test("--until refuses what it cannot go with", async () => {
    for (const args of [["-f"], ["--since", "1h"]]) {
      expect((await nerve("signals", "--until", "2h", ...args)).code).toBe(2);
    }
    expect((await nerve("runs", "--until", "soon")).stderr).toContain("`--until` takes a time, not `soon`");
  });
  test("--limit of fewer than none is none", async () => {
    for (const args of [["--limit", "-1"], ["--limit=-1"], ["-n", "-1"], ["-n-1"]])
      expect((await nerve("signals", ...args)).stderr).toContain("`--limit` takes a whole number, not `-1`");
  });
  test("--after an id, oldest first", async () => {
    expect(await ids("signals", "--after", "28")).toEqual(range(29, 32));
    expect(await ids("signals", "--after", "0")).toEqual(range(1, 32));
    expect(await ids("signals", "--after", "5", "--limit", "2")).toEqual([6, 7]);
    expect(await ids("signals", "--after", "32")).toEqual([]);
  });
  test("--sense, several times", async () => {
    expect(await ids("signals", "--sense", "memory")).toEqual([32]);
    expect(await ids("signals", "--sense", "memory", "--sense", "load", "--limit", "2")).toEqual([31, 32]);
  });
  test("--since a while ago", async () => {
    expect(await ids("signals", "--since", "1h")).toEqual([31, 32]);
    expect(await ids("signals", "--since", "1d")).toEqual(range(1, 32));
    expect(await ids("signals", "--since", "1d", "--limit", "2")).toEqual([31, 32]);
    expect(await ids("signals", "--since", "1ms")).toEqual([]);
  });
  test("--trace", async () => expect(await ids("signals", "--trace", TREE.toUpperCase())).toEqual([31, 32]));
  test("logs by source, by sense and by level", async () => {
    expect(await ids("logs")).toEqual([1, 2, 3]);
    expect(await ids("logs", "--source", "kernel")).toEqual([1]);
    expect(await ids("logs", "--sense", "load", "--source", "kernel")).toEqual([1, 2]);
    expect(await ids("logs", "--level", "info")).toEqual([1, 3]);
    expect(await ids("logs", "--level", "warn", "--trace", TREE)).toEqual([3]);
  });
});

test("rows whose time is not that of their place are found: a clock was set, or another hand wrote them", async () => {
  using other = project({ "nerve.yaml": "senses: { load: }\n" });
  const data = join(other.path, "data");
  mkdirSync(data, { mode: 0o700 });
  const opened = openStore(data, "normal", "boot", NOW);
  if (!opened.ok) throw new Error(opened.error.message);
  const foreign = "f".repeat(32);
  const many = 9_000;
  opened.value.commit(() => {
    const write = (at: number, trace: string): void => {
      opened.value.signals.append({ sense: "load", at, payload: "1", cause: null, trace });
      const row = { level: "info", source: "kernel", event: "test", run: null, message: "", data: null } as const;
      opened.value.logs.append({ ...row, at, trace });
    };
    write(NOW, traceAt(NOW, "1"));
    for (let n = 0; n < 100; n++) write(NOW - 5 * HOUR, n === 50 ? foreign : traceAt(NOW - 5 * HOUR, "2"));
  });
  const listed = async (...args: string[]): Promise<number[]> => {
    const { stdout } = await runNerve(other.path, [...args, "--json"]);
    return stdout
      .split("\n")
      .filter(Boolean)
      .map((line) => JSON.parse(line).id);
  };
  for (const list of ["signals", "logs"]) expect(await listed(list, "--since", "1h")).toEqual([1]);
  opened.value.commit(() => {
    for (let n = 0; n < many; n++) {
      opened.value.signals.append({ sense: "load", at: NOW, payload: "1", cause: null, trace: traceAt(NOW, "3") });
    }
  });
  for (const list of ["signals", "logs"]) {
    expect(await listed(list, "--trace", foreign)).toEqual([52]);
    expect(await listed(list, "--trace", foreign, "--limit", "1")).toEqual([52]);
  }
  opened.value.close();
});

test("a row of --json has the columns as keys, and JSON columns as values", async () => {
  const { stdout } = await nerve("signals", "--limit", "1", "--json");
  expect(JSON.parse(stdout)).toEqual({
    id: 32,
    sense: "memory",
    at: NOW - 990,
    payload: { used: "\x1b[2J\u202e" },
    cause: 31,
    trace: TREE,
    ...{ origin: null, origin_id: null, origin_at: null, late: null },
  });
  const logs = await nerve("logs", "--limit", "1", "--json");
  expect(JSON.parse(logs.stdout)).toEqual({
    id: 3,
    at: NOW - 991,
    level: "error",
    source: "sense:memory",
    event: "output",
    run: null,
    trace: TREE,
    message: "bad\x07 thing",
    data: { a: [1] },
  });
});

test("what senses wrote is escaped for people", async () => {
  for (const args of [["signals"], ["logs"], ["show", "32"]]) {
    const { stdout } = await nerve(...args);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not be there
    expect(stdout.replaceAll("\n", "")).not.toMatch(/[\x00-\x1f\x7f-\x9f\u202e]/);
  }
  expect((await nerve("logs", "--limit", "1")).stdout).toContain("sense:memory           error bad\\u{7} thing");
});

test("as JSON it holds nothing a terminal obeys either", async () => {
  for (const args of [["signals"], ["logs"], ["show", "32"]]) {
    const { stdout } = await nerve(...args, "--json");
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not be there
    expect(stdout.replaceAll("\n", "")).not.toMatch(/[\x00-\x1f\x7f-\x9f\u202e]/);
  }
});

describe("a name nobody has", () => {
  test("is told with the nearest one when nothing is found", async () => {
    const { code, stderr } = await nerve("signals", "--sense", "lod");
    expect(code).toBe(2);
    expect(stderr).toContain("did you mean `load`?");
    expect((await nerve("logs", "--sense", "lod")).code).toBe(2);
  });
  test("a level", async () => {
    const { code, stderr } = await nerve("logs", "--level", "eror");
    expect(code).toBe(2);
    expect(stderr).toContain("did you mean `error`?");
  });
  test("a trace, a signal, and what is neither", async () => {
    for (const word of ["ffffffff", "ffffffffffffffffffffffffffffffff", "4711", "abc", "xyz", "0"]) {
      const { code, stdout } = await nerve("show", word);
      expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    }
  });
});

test("numbers, times and traces that are none are usage errors", async () => {
  for (const args of [
    ["--limit", "x"],
    ["--limit", "-1"],
    ["--after", "1.5"],
    ["--since", "soon"],
    ["--trace", "ab"],
  ]) {
    expect((await nerve("signals", ...args)).code, args.join(" ")).toBe(2);
  }
});

describe("show", () => {
  test("tells the story of a signal's trace as a tree with offsets", async () => {
    const { code, stdout } = await nerve("show", "32");
    expect(code).toBe(0);
    const lines = stdout.split("\n");
    expect(lines[0]).toBe(`trace ${TREE}`);
    expect(lines[1]).toEndWith("2 signals · 2 logs · 10 ms");
    expect(lines.slice(4).map((line) => line.replace(/ {2,}/g, " "))).toEqual([
      " +1 ms ├─ sense:load debug looking",
      " +2 ms └─ load #31 load1 0.5",
      " +9 ms ├─ sense:memory error bad\\u{7} thing",
      expect.stringContaining("└─ memory #32"),
      "",
    ]);
  });

  test("finds a trace by its beginning, and by all of it", async () => {
    const { stdout } = await nerve("show", "31");
    for (const word of [TREE, TREE.toUpperCase(), TREE.slice(0, 12)])
      expect((await nerve("show", word)).stdout).toBe(stdout);
  });

  test("a beginning that several traces share is refused, naming some", async () => {
    // One in the midst: wherever the digits turn over, it has a neighbour.
    const shared = traceAt(NOW - 2 * HOUR + 15_000, "0").slice(0, 8);
    const { code, stderr } = await nerve("show", shared);
    expect(code).toBe(2);
    expect(stderr).toContain(`several traces begin with ${shared}: ${shared}`);
  });

  test("finds a trace that a set clock put out of its order", async () => {
    const trace = traceAt(NOW + 24 * HOUR, "feed");
    const id = signal("load", NOW, { load1: 9 }, trace);
    expect((await nerve("show", trace)).stdout).toContain(`load #${id}`);
  });

  test("what is not there is said with what is", async () => {
    const unknown = await nerve("show", "signal:99999");
    expect(unknown.code).toBe(2);
    expect(unknown.stderr).toContain(`those kept are #1 to #${store.signals.lastId()}`);
    const trace = await nerve("show", "00000000abc");
    expect(trace.code).toBe(2);
    expect(trace.stderr).toContain("`logs --json` show traces");
  });

  test("is one JSON object on demand", async () => {
    const { stdout } = await nerve("show", "31", "--json");
    const story = JSON.parse(stdout);
    expect(story).toMatchObject({ trace: TREE, at: NOW - 1_000, duration_ms: 10 });
    expect(story.signals.map(({ id }: { id: number }) => id)).toEqual([31, 32]);
    expect(story.logs.map(({ id }: { id: number }) => id)).toEqual([2, 3]);
  });
});

describe("following", () => {
  const follow = (...args: string[]) => {
    const child = Bun.spawn([...NERVE, ...args], { cwd: folder.path, stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    const reading = (async () => {
      for await (const chunk of child.stdout) output += Buffer.from(chunk).toString("utf8");
    })();
    return {
      lines: () => output.split("\n").filter(Boolean),
      exited: child.exited,
      async [Symbol.asyncDispose]() {
        child.kill("SIGKILL");
        await Promise.all([child.exited, reading]);
      },
    };
  };
  const at = () => Date.now();

  test("begins with the newest and goes on with what is committed", async () => {
    await using following = follow("signals", "-f", "--limit", "1", "--json", "--sense", "memory");
    await until("the first row is printed", () => following.lines().length === 1);
    signal("load", at(), { load1: 1 }, TREE);
    const id = signal("memory", at(), { used: 1 }, TREE);
    await until("the second row is printed", () => following.lines().length === 2);
    expect(JSON.parse(following.lines()[1] ?? "")).toMatchObject({ id, payload: { used: 1 } });
  });

  test("after a cursor nothing is missed or shown twice, and --limit ends it", async () => {
    const last = store.signals.lastId();
    await using following = follow("signals", "-f", "--after", String(last - 2), "--limit", "52", "--json");
    for (let index = 0; index < 50; index++) {
      signal("load", at(), { load1: index }, TREE);
      if (index % 10 === 0) await until("the rows so far are printed", () => following.lines().length > index);
    }
    expect(await following.exited).toBe(0);
    await until("all 52 rows are printed", () => following.lines().length === 52);
    expect(following.lines().map((line) => JSON.parse(line).id)).toEqual(range(last - 1, last + 50));
  });

  test("logs too", async () => {
    const before = log("kernel", "error", at(), "what it begins with");
    await using following = follow("logs", "-f", "--after", String(before - 1), "--level", "warn", "--json");
    await until("the first row is printed", () => following.lines().length === 1);
    log("kernel", "info", at(), "not this");
    log("kernel", "error", at(), "but this");
    await until("the second row is printed", () => following.lines().length === 2);
    expect(following.lines().map((line) => JSON.parse(line).message)).toEqual(["what it begins with", "but this"]);
  });
});

test("a reader that has seen enough ends it quietly", async () => {
  const command = `${NERVE.join(" ")} signals --after 0 | head -1`;
  const child = Bun.spawn(["bash", "-c", `set -o pipefail; ${command}`], {
    cwd: folder.path,
    stdio: ["ignore", "pipe", "pipe"],
  });
  const [stdout, stderr] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()]);
  expect(stdout.split("\n")).toHaveLength(2);
  expect(stderr).toBe("");
  expect(await child.exited).toBe(0);
});

test("a store of a newer build, or none at all, is refused as such", async () => {
  for (const [name, content] of [
    ["garbage", "this is no database, but long enough to be taken for the header of one ".repeat(20)],
    ["newer", null],
  ] as const) {
    using other = project({ "nerve.yaml": "senses: { load: }\n" });
    const data = join(other.path, "data");
    mkdirSync(data, { mode: 0o700 });
    if (content !== null) other.write("data/logs.db", content);
    else {
      const made = openStore(data, "normal", "boot", NOW);
      if (!made.ok) throw new Error(made.error.message);
      made.value.close();
      const { Database } = await import("bun:sqlite");
      const db = new Database(join(data, "logs.db"));
      db.run("INSERT INTO _migrations VALUES ('9999_future.sql', 0, '')");
      db.close();
    }
    const { code, stderr } = await runNerve(other.path, ["signals"]);
    expect(code, name).toBe(78);
    expect(stderr).toContain(content === null ? "9999_future.sql" : "not a database");
  }
});

test.each(["workflow_runs", "incidents"])("a table that the logs can make again is a finding: %s", async (table) => {
  using place = project({ "nerve.yaml": "senses: { load: }\n" });
  const data = join(place.path, "data");
  mkdirSync(data, { mode: 0o700 });
  const opened = openStore(data, "normal", "boot", NOW);
  if (!opened.ok) throw new Error(opened.error.message);
  opened.value.close();
  const db = new Database(opened.value.file);
  db.run(`DROP TABLE ${table}`);
  db.close(true);
  const { code, stderr } = await runNerve(place.path, ["signals"]);
  expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining("`nerve rebuild` derives it") });
});
