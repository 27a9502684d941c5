/** `nerve sql` as a person calls it: on a store with an archive and two senses, whole and damaged. */
import { Database } from "bun:sqlite";
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdirSync, readdirSync, readFileSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type ArchiveBench, archiveBench, june, logAt } from "../helpers/archive.ts";
import { projects, runInTmp, runNerve } from "../helpers/nerve.ts";
import { allGone } from "../helpers/processes.ts";

const made = projects();
const folder = made.make({});
let bench: ArchiveBench;

const ask = async (args: readonly string[]) => runInTmp(folder, ["sql", ...args]);
/** The rows of an answer, which is whole. */
async function rowsOf(sql: string, ...args: string[]) {
  const { code, stdout, stderr } = await ask(["--json", ...args, sql]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  return stdout
    .split("\n")
    .slice(0, -1)
    .map((line) => JSON.parse(line));
}
async function refused(sql: string, ...args: string[]) {
  const { code, stderr } = await ask(["--json", ...args, sql]);
  const { message, hint, line, column } = JSON.parse(stderr).error;
  return { code, message, hint, place: line === null ? null : `${line}:${column}` };
}

/** The database of a sense, as a sense leaves it. */
function senseTable(data: string, name: string, count: number): void {
  mkdirSync(join(data, "senses"), { recursive: true, mode: 0o700 });
  const db = new Database(join(data, "senses", `${name}.db`), { create: true });
  db.run("PRAGMA journal_mode = WAL");
  db.run("CREATE TABLE samples (id INTEGER PRIMARY KEY, at INTEGER, used REAL)");
  const insert = db.prepare("INSERT INTO samples VALUES (?, ?, ?)");
  db.transaction(() => {
    for (let id = 1; id <= count; id++) insert.run(id, june(30) + id, id / 2);
  })();
  db.close();
}

beforeAll(async () => {
  bench = archiveBench();
  const { data } = bench;
  folder.write("nerve.yaml", `data: ${data}\nsenses: { cpu-usage: , memory: , load: }\nreflexes: []\n`);
  bench.fill([june(27), june(28), june(29)].map((at) => logAt(at, { data: '{"day":1}' })));
  await bench.archive(june(29));
  bench.fill([logAt(june(30)), logAt(june(30))]);
  bench.store.commit(() => {
    for (let at = 1; at <= 3; at++) {
      bench.store.signals.append({
        sense: "memory",
        at: june(30) + at,
        payload: `{"used":${at}}`,
        cause: null,
        trace: "0".repeat(32),
      });
    }
  });
  senseTable(data, "cpu-usage", 20);
  senseTable(data, "memory", 20);
});

afterAll(async () => {
  await allGone(bench.data);
  bench[Symbol.dispose]();
  made[Symbol.dispose]();
});

const EVER = ["--days", "36500"];

describe("an answer", () => {
  test("joins the store, two senses and the archive", async () => {
    const sql = `SELECT s.id, c.used AS cpu, m.used AS memory, (SELECT count(*) FROM archive.logs) AS archived
      FROM signals s JOIN "cpu-usage".samples c ON c.at = s.at JOIN memory.samples m ON m.at = s.at ORDER BY s.id`;
    expect(await rowsOf(sql, ...EVER)).toEqual(
      [1, 2, 3].map((id) => ({ id, cpu: id / 2, memory: id / 2, archived: 2 })),
    );
  });

  test("with `logs` beside `archive.logs` has every log once, those too that lie in both for a while", async () => {
    const [file = ""] = readdirSync(bench.folder);
    const [line = ""] = readFileSync(join(bench.folder, file), "utf8").split("\n");
    const { id, at, level, source, event, trace, message, data } = JSON.parse(line);
    bench.sql(
      `INSERT INTO logs (id, at, level, source, event, trace, message, data) VALUES (${id}, ${at}, '${level}', '${source}', '${event}', '${trace}', '${message}', '${data}')`,
    );
    const both = await rowsOf(
      "SELECT id, data FROM archive.logs UNION ALL SELECT id, data FROM logs ORDER BY id",
      ...EVER,
    );
    bench.sql("DELETE FROM logs WHERE id = 1");
    const last = both.at(-1).id;
    expect(last).toBeGreaterThanOrEqual(5);
    expect(both.map(({ id }) => id)).toEqual(Array.from({ length: last }, (_, before) => before + 1));
    expect(both[0].data).toEqual({ day: 1 });
  });

  test("holds the days that were asked for, and leaves no file behind", async () => {
    expect(await rowsOf("SELECT count(*) AS n FROM archive.logs")).toEqual([{ n: 0 }]);
    expect(readdirSync(join(folder.path, "tmp")).filter((name) => name.startsWith("nerve-sql"))).toEqual([]);
  });

  test("is a table for a person, and CSV for a spreadsheet", async () => {
    const sql = "SELECT id, sense, payload ->> 'used' AS used, NULL AS void FROM signals WHERE id < 3";
    const table = await ask([sql]);
    expect(table.stderr).toBe("");
    expect(table.stdout.split("\n")).toEqual([
      "id  sense   used  void",
      " 1  memory     1  NULL",
      " 2  memory     2  NULL",
      "",
    ]);
    expect((await ask(["--csv", sql])).stdout).toBe("id,sense,used,void\n1,memory,1,\n2,memory,2,\n");
    expect(await ask(["SELECT 1 AS one WHERE 0"])).toEqual({ code: 0, stdout: "one\n", stderr: "" });
  });

  test("goes on to a reader that stops reading, and ends with it", async () => {
    const bomb = "WITH RECURSIVE c(x) AS (VALUES(1) UNION ALL SELECT x + 1 FROM c) SELECT x FROM c";
    const [command = "", ...start] = (await import("../helpers/nerve.ts")).NERVE;
    const shell = `"$@" | head -n 3`;
    const { stdout } = await runNerve(folder.path, ["-c", shell, "sh", command, ...start, "sql", "--json", bomb], {
      command: ["sh"],
    });
    expect(stdout).toBe('{"x":1}\n{"x":2}\n{"x":3}\n');
    await allGone(bench.data);
  });
});

describe("refused, with the place and the remedy", () => {
  const READS = "a query can only read";
  test.each([
    ["DELETE FROM signals", "1:1", "DELETE is not SELECT"],
    ["WITH x AS (SELECT 1) DELETE FROM signals", "1:1", READS],
    ["WITH x AS (SELECT 1) INSERT INTO memory.samples VALUES (99, 1, 1)", "1:1", READS],
    ["ATTACH '/etc/passwd' AS x", "1:1", "ATTACH is not SELECT"],
    ["DETACH memory", "1:1", "DETACH is not SELECT"],
    ["PRAGMA journal_mode = DELETE", "1:1", "PRAGMA is not SELECT"],
    ["SELECT * FROM pragma_journal_mode", "1:1", "the pragma journal_mode is not allowed"],
    ["VACUUM INTO '/tmp/x'", "1:1", "VACUUM is not SELECT"],
    ["SELECT load_extension('x')", "1:8", "the function load_extension is not allowed"],
    ["SELECT readfile('/etc/passwd')", "1:8", "no such function: readfile"],
    ["SELECT writefile('/tmp/x', 1)", "1:8", "no such function: writefile"],
    ["SELECT fts3_tokenizer('x', 1)", "1:8", "the function fts3_tokenizer is not allowed"],
    ["SELECT 1; SELECT 2", "1:11", "a query is a single statement"],
    ["/* nothing */", "1:1", "there is no statement"],
    ["SELECT\n  1,, 2", "2:5", 'near ",": syntax error'],
    ["SELECT 1 FROM", "1:14", "incomplete input"],
  ])("%s", async (sql, place, message) => {
    const found = await refused(sql);
    expect(found).toMatchObject({ code: 2, place });
    expect(found.message).toStartWith(message);
  });

  test.each([
    ["SELECT * FROM signal", "1:15", "did you mean `signals`?"],
    ["SELECT sens FROM signals", "1:8", "did you mean `sense`?"],
    ["SELECT cuont(*) FROM signals", "1:8", "did you mean `count`?"],
    ["SELECT * FROM cpu-usage.samples", "1:18", 'a name with a dash needs quotes: "cpu-usage".TABLE'],
    ['SELECT * FROM "cpu-usge".samples', "1:26", 'did you mean `"cpu-usage".samples`?'],
    ["SELECT * FROM memory.sample", "1:22", "did you mean `samples`?"],
    ["SELECT * FROM memory", "1:15", "`memory` is a sense: name a table of it, memory.TABLE"],
    ["SELECT * FROM archive.signals, archive.logs", "1:23", "the archive has one table: `archive.logs`"],
  ])("%s", async (sql, place, hint) => {
    expect(await refused(sql)).toMatchObject({ code: 2, place, hint });
  });

  test("a sense that has no database yet, more senses than can be attached, and a limit that is none", async () => {
    expect(await refused("SELECT * FROM load.samples")).toMatchObject({
      code: 2,
      message: expect.stringContaining("the sense load keeps no table"),
    });
    for (let nth = 0; nth < 10; nth++) senseTable(bench.data, `s${nth}`, 1);
    const from = (count: number): string => Array.from({ length: count }, (_, nth) => `s${nth}.samples`).join(", ");
    expect((await refused(`SELECT 1 FROM ${from(10)}`)).message).toContain("names 10 senses, and at most 9");
    expect(await rowsOf(`SELECT count(*) AS n FROM archive.logs, ${from(9)}`, ...EVER)).toEqual([{ n: 2 }]);
    expect((await refused("SELECT 1", "--timeout", "soon")).code).toBe(2);
    expect((await refused("SELECT 1", "--days", "0")).code).toBe(2);
    expect((await ask(["--json", "--csv", "SELECT 1"])).code).toBe(2);
  });

  test("nothing of it changed a byte of the store or of a sense", async () => {
    const files = ["logs.db", "senses/memory.db"].map((name) => join(bench.data, name));
    const before = files.map((file) => readFileSync(file).toString("base64"));
    for (const sql of ["WITH x AS (SELECT 1) DELETE FROM memory.samples", "SELECT * FROM memory.samples, logs"])
      await ask([sql]);
    expect(files.map((file) => readFileSync(file).toString("base64"))).toEqual(before);
  });
});

describe("ended, with what came so far", () => {
  const ENDLESS = "WITH RECURSIVE c(x) AS (VALUES(1) UNION ALL SELECT x + 1 FROM c)";

  test("by the deadline: a bomb that says nothing, and one that says much", async () => {
    const silent = await ask(["--timeout", "700ms", `${ENDLESS} SELECT max(x) FROM c`]);
    expect(silent).toMatchObject({ code: 1, stderr: expect.stringContaining("the query was ended after 700ms") });
    const loud = await ask(["--json", "--timeout", "1500ms", `${ENDLESS} SELECT x FROM c`]);
    expect(loud.code).toBe(1);
    expect(JSON.parse(loud.stderr).error.kind).toBe("timeout");
    expect(loud.stdout).toStartWith('{"x":1}\n');
    await allGone(bench.data);
  });

  test("by the memory that a query may take", async () => {
    const sql = "SELECT length(hex(zeroblob(450000000)) || x) FROM (SELECT 1 AS x UNION ALL SELECT 2)";
    const { code, stderr } = await ask(["--timeout", "60s", sql]);
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining("more than 512 MB of memory") });
  });

  test("by a value that is too large, which names its column", async () => {
    const found = await refused("SELECT 1 AS a UNION ALL SELECT hex(zeroblob(1000000))");
    expect(found).toMatchObject({
      code: 1,
      message: "a value of `a` has 2000000 characters, and at most 1048576 are shown",
    });
  });

  test("by what a row makes of the query", async () => {
    expect(await refused("SELECT json_extract(message, '$') FROM logs")).toMatchObject({
      code: 1,
      message: "malformed JSON",
    });
  });
});

describe("damage is named by its file", () => {
  test("of a sense", async () => {
    writeFileSync(join(bench.data, "senses", "broken.db"), "x".repeat(8_192));
    const found = await refused("SELECT * FROM broken.samples");
    expect(found).toMatchObject({ code: 1, message: expect.stringContaining("broken.db: file is not a database") });
  });

  test("of a page of a sense, met in the midst of the answer", async () => {
    const file = join(bench.data, "senses", "holed.db");
    senseTable(bench.data, "holed", 20_000);
    const db = new Database(file);
    db.run("PRAGMA wal_checkpoint(TRUNCATE)");
    db.close();
    const bytes = readFileSync(file);
    bytes.fill(0xff, 4_096 * 20, 4_096 * 40);
    writeFileSync(file, bytes);
    const found = await refused("SELECT sum(used) FROM holed.samples");
    expect(found).toMatchObject({ code: 1, message: expect.stringContaining("holed.db") });
  });

  test("of the archive: no answer without its logs", async () => {
    const [file = ""] = readdirSync(bench.folder);
    const path = join(bench.folder, file);
    const whole = readFileSync(path);
    truncateSync(path, 10);
    const found = await refused("SELECT count(*) FROM archive.logs", ...EVER);
    const beside = await rowsOf("SELECT count(*) AS n FROM logs");
    writeFileSync(path, whole);
    expect(found).toMatchObject({ code: 1, message: expect.stringContaining(`${file} is truncated`) });
    expect(beside).toEqual([{ n: expect.any(Number) }]);
  });

  test("of the store, as every other verb names it", async () => {
    const other = made.make({ "nerve.yaml": "senses: { load: }\nreflexes: []\n" });
    mkdirSync(join(other.path, "data"), { mode: 0o700 });
    const nothing = await runInTmp(other, ["sql", "SELECT 1"]);
    expect(nothing).toMatchObject({ code: 3, stderr: expect.stringContaining("no nerve has run on this data yet") });
    writeFileSync(join(other.path, "data", "logs.db"), "x".repeat(8_192));
    const [sql, signals] = await Promise.all([runInTmp(other, ["sql", "SELECT 1"]), runInTmp(other, ["signals"])]);
    expect(sql).toEqual(signals);
    expect(sql.code).toBe(78);
  });
});
