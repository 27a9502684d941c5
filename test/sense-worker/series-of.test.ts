/** What a module may export as `series`, and what is said of the rest. */
import { Database } from "bun:sqlite";
import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { seriesOf } from "../../src/sense-worker/series-of.ts";

const SOURCE = { name: "mine", folder: "/n/senses/mine" };
let folder: string;
let database: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "nerve-series-"));
  database = join(folder, "mine.db");
  const db = new Database(database);
  db.run("CREATE TABLE samples (id INTEGER PRIMARY KEY, at INTEGER NOT NULL, path TEXT, used REAL, free REAL)");
  db.run("CREATE INDEX samples_at ON samples (at)");
  db.run("CREATE TABLE keyed (at INTEGER PRIMARY KEY, used REAL)");
  db.run("CREATE TABLE descending (at INTEGER, used REAL)");
  db.run("CREATE UNIQUE INDEX descending_at ON descending (at DESC, used)");
  db.run("CREATE TABLE bare (at INTEGER, used REAL)");
  db.run("CREATE INDEX bare_some ON bare (at) WHERE used > 1");
  db.run("CREATE INDEX bare_used ON bare (used, at)");
  db.run("CREATE INDEX bare_sum ON bare (at + 1)");
  db.run("CREATE TABLE texts (at TEXT, used REAL)");
  db.run("CREATE TABLE rowless (at INTEGER PRIMARY KEY, used REAL) WITHOUT ROWID");
  db.run("CREATE TABLE hidden (at INTEGER PRIMARY KEY, rowid TEXT, used REAL)");
  db.run("CREATE VIEW seen AS SELECT * FROM samples");
  db.run('CREATE TABLE "we""ird; --" ("a""t" INTEGER PRIMARY KEY, "u\'s""ed" REAL)');
  db.close();
});

afterAll(() => rmSync(folder, { recursive: true }));

const of = (exported: unknown, file = database) => seriesOf(SOURCE, exported, file);

test("nothing, or a table with its columns", () => {
  expect(of(undefined)).toEqual({ ok: true, value: null });
  expect(of({ table: "samples", at: "at", by: "path", numbers: { used: "percent", free: null } })).toEqual({
    ok: true,
    value: {
      table: "samples",
      at: "at",
      by: ["path"],
      numbers: [
        { name: "used", unit: "percent" },
        { name: "free", unit: null },
      ],
    },
  });
});

test.each(["keyed", "descending"])("the time may be the key of the table, or begin any whole index: %s", (table) => {
  expect(of({ table, at: "at", numbers: { used: null } })).toMatchObject({ ok: true });
});

test("a name may be any name that SQLite takes", () => {
  expect(of({ table: 'we"ird; --', at: 'a"t', numbers: { "u's\"ed": null } })).toMatchObject({ ok: true });
});

const GOOD = { table: "samples", at: "at", numbers: { used: "percent" } };

test.each<[unknown, string]>([
  ["samples", "which must be an object"],
  [[GOOD], "which must be an object"],
  [{ ...GOOD, collumn: "x" }, "which has an unknown key `collumn`; known are table, at, by, numbers"],
  [{ ...GOOD, table: 1 }, "whose `table` must be the name of a table"],
  [{ ...GOOD, at: "" }, "whose `at` must be the name of the column of the time"],
  [{ ...GOOD, by: [1] }, "whose `by` must be the name of a column, or a list of at most 4"],
  [{ ...GOOD, numbers: {} }, "whose `numbers` must be an object of 1 to 50 columns and their units"],
  [{ ...GOOD, numbers: ["used"] }, "whose `numbers` must be an object of 1 to 50 columns and their units"],
  [{ ...GOOD, numbers: { used: 5 } }, 'whose unit of `used` must be a text as "percent", or null'],
  [{ ...GOOD, table: "sample" }, "but there is no table `sample`"],
  [{ ...GOOD, table: "samples; DROP TABLE samples" }, "but there is no table `samples; DROP TABLE samples`"],
  [{ ...GOOD, at: "when" }, "but the table `samples` has no column `when`"],
  [{ ...GOOD, by: "mount" }, "but the table `samples` has no column `mount`"],
  [{ ...GOOD, numbers: { usde: null } }, "but the table `samples` has no column `usde`"],
  [{ ...GOOD, table: "bare" }, "but no index of `bare` begins with `at`"],
  [{ ...GOOD, table: "texts" }, "but the column `at` is not declared INTEGER"],
  [{ ...GOOD, table: "rowless" }, "but `rowless` is a table WITHOUT ROWID"],
  [{ ...GOOD, table: "hidden" }, "but the table `hidden` has a column of its own called `rowid`"],
  [{ ...GOOD, table: "seen" }, "but `seen` is a view"],
])("anything else is refused by name: %j", (exported, message) => {
  expect(of(exported)).toMatchObject({
    ok: false,
    error: {
      kind: "bad-series",
      message: `sense \`mine\` exports \`series\`, ${message}`,
      file: "/n/senses/mine/index.ts",
    },
  });
});

test("the remedy names what there is, or what to write", () => {
  const hint = (exported: unknown) => {
    const found = of(exported);
    return found.ok ? null : found.error.hint;
  };
  expect(hint({ ...GOOD, table: "sample" })).toBe(
    'its tables are samples, keyed, descending, bare, texts, rowless, hidden, we"ird; --: make it in a migration, or correct the name',
  );
  expect(hint({ ...GOOD, by: "mount" })).toBe("its columns are id, at, path, used, free");
  expect(hint({ ...GOOD, table: "bare" })).toBe("add a migration with `CREATE INDEX bare_at ON bare (at)`");
});

test("a sense that keeps no tables has no series", () => {
  expect(of(GOOD, join(folder, "none.db"))).toMatchObject({
    error: { message: "sense `mine` exports `series`, and keeps no tables" },
  });
});
