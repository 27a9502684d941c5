/** G7: a migration is applied once, whole or not at all; and what is refused says which file and why. */
import { Database } from "bun:sqlite";
import { describe, expect, test } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { checksum, type MigrationFile, readMigrations, runMigrations } from "../../src/sqlite/migrate.ts";
import { openWriter } from "../../src/sqlite/open.ts";
import { temporaryFolder } from "../helpers/folder.ts";

const NOW = 1_700_000_000_000;
const FIRST: MigrationFile = { name: "0001_first.sql", sql: "CREATE TABLE a (x);\nINSERT INTO a VALUES (1);\n" };
const SECOND: MigrationFile = { name: "0002_second.sql", sql: "ALTER TABLE a ADD COLUMN y;" };

const tables = (db: Database): string[] =>
  db
    .query<{ name: string }, []>("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name")
    .all()
    .map(({ name }) => name);
const journal = (db: Database) => db.query("SELECT name, applied_at, checksum FROM _migrations ORDER BY name").all();
const file = (name: string, sql: string): MigrationFile => ({ name, sql });

describe("migrations", () => {
  test("run in order, each once, with their row", () => {
    using db = new Database(":memory:");
    expect(runMigrations(db, [FIRST], NOW)).toEqual({ ok: true, value: ["0001_first.sql"] });
    expect(runMigrations(db, [FIRST, SECOND], NOW + 1)).toEqual({ ok: true, value: ["0002_second.sql"] });
    expect(runMigrations(db, [FIRST, SECOND], NOW + 2)).toEqual({ ok: true, value: [] });
    expect(db.query("SELECT x, y FROM a").all()).toEqual([{ x: 1, y: null }]);
    expect(journal(db)).toEqual([
      { name: FIRST.name, applied_at: NOW, checksum: checksum(FIRST.sql) },
      { name: SECOND.name, applied_at: NOW + 1, checksum: checksum(SECOND.sql) },
    ]);
  });

  test.each([
    ["full", "that has tables with no sync for each commit", 1],
    ["normal", "that has tables with no sync for each commit", 1],
    ["full", "in which no table was ever made with no sync at all", 0],
    ["normal", "in which no table was ever made with no sync at all", 0],
  ] as const)("of a database in %s durability %s, and leave the durability as it was", (durability, _, within) => {
    using folder = temporaryFolder();
    const opened = openWriter(folder.file("sense.db"), durability);
    if (!opened.ok) throw new Error(opened.error.message);
    using db = opened.value;
    if (within === 1) db.run("CREATE TABLE t (x)");
    const before = db.query("PRAGMA synchronous").get();
    const first = file("0001.sql", "CREATE TABLE seen AS SELECT synchronous FROM pragma_synchronous");
    expect(runMigrations(db, [first, file("0002.sql", "no sql")], NOW).ok).toBe(false);
    expect(db.query("SELECT * FROM seen").get()).toEqual({ synchronous: within });
    expect(db.query("PRAGMA synchronous").get()).toEqual(before);
  });

  test.each<[name: string, files: MigrationFile[], problem: object]>([
    [
      "was edited",
      [file(FIRST.name, `${FIRST.sql} `), SECOND],
      {
        kind: "edited",
        file: FIRST.name,
        message: "migration 0001_first.sql was edited after it was applied; restore it and add a new file instead",
      },
    ],
    [
      "is gone",
      [SECOND],
      {
        kind: "vanished",
        file: FIRST.name,
        message: "migration 0001_first.sql was applied and its file is gone; put it back",
      },
    ],
    [
      "sorts before an applied one",
      [file("0000_late.sql", "SELECT 1"), FIRST],
      {
        kind: "out-of-order",
        file: "0000_late.sql",
        message: "migration 0000_late.sql sorts before 0001_first.sql, which is already applied; give it a later name",
      },
    ],
  ])("a file that %s is refused, and nothing is applied", (_, files, error) => {
    using db = new Database(":memory:");
    runMigrations(db, [FIRST], NOW);
    const before = journal(db);
    expect(runMigrations(db, [...files, file("0009_new.sql", "CREATE TABLE later (x)")], NOW)).toEqual({
      ok: false,
      error,
    } as never);
    expect([journal(db), tables(db)]).toEqual([before, ["_migrations", "a"]]);
  });

  test.each([
    "BEGIN",
    "COMMIT",
    "ROLLBACK",
    "END",
    "VACUUM",
    "ATTACH 'x' AS y",
    "DETACH y",
    "\ufeffCOMMIT",
    "/**/commit",
  ])("%j in a file is refused before anything of it ran", (statement) => {
    using db = new Database(":memory:");
    const refused = runMigrations(
      db,
      [FIRST, file("0002.sql", `CREATE TABLE b (x);\n\n${statement}; CREATE TABLE c (x)`)],
      NOW,
    );
    const keyword = /[A-Za-z]+/.exec(statement)?.[0].toUpperCase();
    const message = `migration 0002.sql, line 3: ${keyword} is not allowed, each file already runs in a transaction of its own`;
    expect(refused).toEqual({ ok: false, error: { kind: "forbidden-statement", file: "0002.sql", message } });
    expect(tables(db)).toEqual(["_migrations", "a"]);
  });

  test("a NUL character, after which SQLite would silently read nothing, is refused", () => {
    using db = new Database(":memory:");
    expect(runMigrations(db, [file("1.sql", "CREATE TABLE a (x);\0CREATE TABLE b (x)")], NOW)).toMatchObject({
      ok: false,
      error: { kind: "forbidden-statement", file: "1.sql" },
    });
    expect(tables(db)).toEqual(["_migrations"]);
  });

  test("a disk that is full is nothing the file is blamed for: it is rolled back, thrown, and goes through later", () => {
    using db = new Database(":memory:");
    const large = file("0002.sql", "CREATE TABLE b (x); INSERT INTO b VALUES (zeroblob(1000000))");
    db.run("PRAGMA max_page_count = 50");
    expect(() => runMigrations(db, [FIRST, large], NOW)).toThrow(expect.objectContaining({ code: "SQLITE_FULL" }));
    expect(tables(db)).toEqual(["_migrations", "a"]);
    expect(db.inTransaction).toBe(false);
    db.run("PRAGMA max_page_count = 5000");
    expect(runMigrations(db, [FIRST, large], NOW)).toEqual({ ok: true, value: ["0002.sql"] });
  });

  test.each([
    ["a syntax error", "CREATE TABLE b (x); CREATE TABEL c (x)"],
    ["a constraint", "CREATE TABLE b (x UNIQUE); INSERT INTO b VALUES (1), (1)"],
    [
      "a conflict that rolls back",
      "CREATE TABLE b (x UNIQUE); INSERT INTO b VALUES (1); INSERT OR ROLLBACK INTO b VALUES (1)",
    ],
    ["an open string", "CREATE TABLE b (x); INSERT INTO b VALUES ('x"],
    ["a space SQLite does not know before COMMIT", "CREATE TABLE b (x);\u00a0COMMIT"],
    ["the journal's own table", "CREATE TABLE b (x); DROP TABLE _migrations"],
  ])("a failing second file (%s) is rolled back whole and leaves the first", (_, sql) => {
    using db = new Database(":memory:");
    const outcome = runMigrations(db, [FIRST, file("0002.sql", sql), file("0003.sql", "CREATE TABLE z (x)")], NOW);
    expect(outcome).toMatchObject({ ok: false, error: { kind: "failed", file: "0002.sql" } });
    expect(outcome.ok ? "" : outcome.error.message).toStartWith("migration 0002.sql failed and was rolled back: ");
    expect(tables(db)).toEqual(["_migrations", "a"]);
    expect(db.query("SELECT x FROM a").all()).toEqual([{ x: 1 }]);
    expect(db.inTransaction).toBe(false);
    // Mended, it goes on where it stopped.
    expect(runMigrations(db, [FIRST, file("0002.sql", "CREATE TABLE b (x)")], NOW)).toEqual({
      ok: true,
      value: ["0002.sql"],
    });
  });

  test.each([
    ["CREATE TABLE b (x);\n\nCREATE TABEL c (\n  y\n);", 'near "TABEL": syntax error, at line 3: CREATE TABEL c ( y )'],
    [
      "CREATE TABLE b (\n  x,\n  y INTEGER NOT NUL,\n  z\n);",
      'near "NUL": syntax error, at line 3: CREATE TABLE b ( x, y INTEGER NOT NUL, z )',
    ],
    ["CREATE TABLE b (x);\nCREATE TABLE c (", "incomplete input, at line 2: CREATE TABLE c ("],
    ["-- é\nINSERT INTO nowhere VALUES (1);", "no such table: nowhere, at line 2: INSERT INTO nowhere VALUES (1)"],
    [
      "CREATE TABLE b (x UNIQUE);\nINSERT INTO b VALUES (1), (1);",
      "UNIQUE constraint failed: b.x, at line 2: INSERT INTO b VALUES (1), (1)",
    ],
    [
      `INSERT INTO nowhere VALUES ('${"long ".repeat(40)}');`,
      `no such table: nowhere, at line 1: ${`INSERT INTO nowhere VALUES ('${"long ".repeat(40)}`.slice(0, 80)}…`,
    ],
  ])("a failure names the line and the statement: %j", (sql, reason) => {
    using db = new Database(":memory:");
    const message = `migration 1.sql failed and was rolled back: ${reason}`;
    expect(runMigrations(db, [file("1.sql", sql)], NOW)).toEqual({
      ok: false,
      error: { kind: "failed", file: "1.sql", message },
    });
  });

  test("a file of comments, of nothing, or with a byte order mark is a migration too", () => {
    using db = new Database(":memory:");
    const files = [file("1.sql", ""), file("2.sql", "-- nothing yet"), file("3.sql", "\ufeffCREATE TABLE a (x);")];
    expect(runMigrations(db, files, NOW)).toEqual({ ok: true, value: ["1.sql", "2.sql", "3.sql"] });
    expect(tables(db)).toContain("a");
  });

  test("triggers, and savepoints of the file's own, are fine", () => {
    using db = new Database(":memory:");
    const sql = `CREATE TABLE b (x); CREATE TRIGGER t AFTER INSERT ON b BEGIN
      UPDATE b SET x = CASE WHEN x > 1 THEN 1 ELSE x END; END;
      SAVEPOINT s; INSERT INTO b VALUES (7); ROLLBACK TO s; RELEASE s; INSERT INTO b VALUES (5);`;
    expect(runMigrations(db, [file("1.sql", sql)], NOW).ok).toBe(true);
    expect(db.query("SELECT x FROM b").all()).toEqual([{ x: 1 }]);
  });

  test("a database another connection is writing is left as it is", () => {
    using folder = temporaryFolder();
    const opened = openWriter(folder.file("a.db"), "normal");
    if (!opened.ok) throw new Error(opened.error.message);
    using db = opened.value;
    runMigrations(db, [FIRST], NOW);
    db.run("PRAGMA busy_timeout = 10");
    using other = new Database(folder.file("a.db"));
    other.run("BEGIN IMMEDIATE");
    expect(runMigrations(db, [FIRST, SECOND], NOW)).toMatchObject({
      ok: false,
      error: { kind: "failed", file: SECOND.name },
    });
    other.run("ROLLBACK");
    expect(runMigrations(db, [FIRST, SECOND], NOW)).toEqual({ ok: true, value: [SECOND.name] });
  });
});

describe("a folder of migrations", () => {
  test("is its *.sql files in lexicographic order, and none when there is no folder", () => {
    using folder = temporaryFolder();
    for (const name of ["10.sql", "2.sql", "notes.md", "0001.sql", "x.sql.bak"])
      writeFileSync(folder.file(name), `-- ${name}`);
    expect(readMigrations(folder.path).map(({ name }) => name)).toEqual(["0001.sql", "10.sql", "2.sql"]);
    expect(readMigrations(folder.file("none"))).toEqual([]);
  });

  test("that cannot be read is never taken for an empty one", () => {
    using folder = temporaryFolder();
    writeFileSync(folder.file("migrations"), "");
    expect(() => readMigrations(folder.file("migrations"))).toThrow("ENOTDIR");
    mkdirSync(folder.file("real", "1.sql"), { recursive: true });
    expect(() => readMigrations(folder.file("real"))).toThrow("EISDIR");
  });
});
