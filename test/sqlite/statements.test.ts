/** Where statements end and what they are, against a table of tricky SQL and against SQLite itself. */
import { Database } from "bun:sqlite";
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { leavesTransaction, splitStatements, whyNotReading } from "../../src/sqlite/statements.ts";
import { costGrowth, LINEAR } from "../helpers/growth.ts";

const texts = (sql: string): string[] => splitStatements(sql).map(({ text }) => text);

const TRIGGER = `CREATE TRIGGER t AFTER INSERT ON a BEGIN
  INSERT INTO b VALUES (CASE WHEN new.x > 1 THEN 'a;b' ELSE CASE new.y WHEN 1 THEN 2 END END);
  DELETE FROM b WHERE x = ';END;';
END`;

describe("statements end where SQLite ends them", () => {
  test.each<[name: string, sql: string, statements: string[]]>([
    ["nothing", "", []],
    ["blanks", " \n\t;;; ; -- x\n/* ; */ ;", []],
    ["one", "SELECT 1", ["SELECT 1"]],
    ["two", "SELECT 1; SELECT 2;", ["SELECT 1", "SELECT 2"]],
    ["a semicolon in a string", "SELECT ';'; SELECT 2", ["SELECT ';'", "SELECT 2"]],
    ["doubled quotes", "SELECT 'it''s; ''', 1; SELECT 2", ["SELECT 'it''s; ''', 1", "SELECT 2"]],
    ["no backslash escapes", "SELECT '\\'; SELECT ';'", ["SELECT '\\'", "SELECT ';'"]],
    [
      "quoted identifiers",
      'SELECT "a;""b", `c;``d`, [e;f] FROM t; SELECT 2',
      ['SELECT "a;""b", `c;``d`, [e;f] FROM t', "SELECT 2"],
    ],
    ["no doubling in brackets", "SELECT [a]]; SELECT 2", ["SELECT [a]]", "SELECT 2"]],
    ["line comments", "SELECT 1 -- ; '\n; SELECT 2 --;", ["SELECT 1", "SELECT 2"]],
    ["block comments", "SELECT 1 /* ; ' */; /* x */ SELECT 2", ["SELECT 1", "SELECT 2"]],
    ["comments do not nest", "SELECT 1 /* /* ; */; SELECT 2", ["SELECT 1", "SELECT 2"]],
    ["a comment inside", "SELECT /* ; */ 1; SELECT 2", ["SELECT /* ; */ 1", "SELECT 2"]],
    ["minus minus is a comment", "SELECT 1--1; SELECT 2", ["SELECT 1"]],
    ["a division", "SELECT 4/2; SELECT 2*/**/3", ["SELECT 4/2", "SELECT 2*/**/3"]],
    ["an open string", "SELECT 1; SELECT 'a; SELECT 2", ["SELECT 1", "SELECT 'a; SELECT 2"]],
    ["an open identifier", 'SELECT "a; SELECT 2', ['SELECT "a; SELECT 2']],
    ["an open bracket", "SELECT [a; SELECT 2", ["SELECT [a; SELECT 2"]],
    ["an open comment", "SELECT 1; SELECT 2 /* ; SELECT 3", ["SELECT 1", "SELECT 2"]],
    ["a trigger", `${TRIGGER}; SELECT 2`, [TRIGGER, "SELECT 2"]],
    [
      "a trigger in lower case with comments",
      "create /**/ temp -- x\n trigger t after insert on a begin select 1; end /* ; */ ; select 2",
      ["create /**/ temp -- x\n trigger t after insert on a begin select 1; end", "select 2"],
    ],
    [
      "a trigger that exists",
      "CREATE TRIGGER IF NOT EXISTS t AFTER DELETE ON a BEGIN SELECT 1; SELECT 2; END; SELECT 3",
      ["CREATE TRIGGER IF NOT EXISTS t AFTER DELETE ON a BEGIN SELECT 1; SELECT 2; END", "SELECT 3"],
    ],
    [
      "a trigger explained",
      "EXPLAIN QUERY PLAN CREATE TRIGGER t AFTER DELETE ON a BEGIN SELECT 1; END; SELECT 3",
      ["EXPLAIN QUERY PLAN CREATE TRIGGER t AFTER DELETE ON a BEGIN SELECT 1; END", "SELECT 3"],
    ],
    [
      "a column called end in a trigger",
      "CREATE TRIGGER t AFTER DELETE ON a BEGIN SELECT 1 AS end; SELECT 2; END; SELECT 3",
      ["CREATE TRIGGER t AFTER DELETE ON a BEGIN SELECT 1 AS end; SELECT 2; END", "SELECT 3"],
    ],
    ["a table called trigger", "CREATE TABLE trigger (a); SELECT 1", ["CREATE TABLE trigger (a)", "SELECT 1"]],
    ["an index on trigger", "CREATE INDEX trigger ON a (b); SELECT 1", ["CREATE INDEX trigger ON a (b)", "SELECT 1"]],
    ["a case outside", "SELECT CASE WHEN 1 THEN 2 END; SELECT 2", ["SELECT CASE WHEN 1 THEN 2 END", "SELECT 2"]],
    ["variables", "SELECT ?1, :a, @b, $c, $d::e(;'); SELECT 2", ["SELECT ?1, :a, @b, $c, $d::e(;')", "SELECT 2"]],
    ["a byte order mark", "\ufeffSELECT 1;\ufeff SELECT 2", ["SELECT 1", "SELECT 2"]],
    ["a space SQLite does not know", "\u00a0SELECT 1", ["\u00a0SELECT 1"]],
    ["letters of any alphabet", "SELECT größe FROM 表; SELECT 💥", ["SELECT größe FROM 表", "SELECT 💥"]],
  ])("%s", (_, sql, statements) => expect(texts(sql)).toEqual(statements));

  test("each knows its first word and its line", () => {
    const found = splitStatements("-- x\n\nselect 1;\n/* a\nb */ Insert into t values ('\n'); (1);\n\n'x'");
    expect(found.map(({ keyword, line }) => [keyword, line])).toEqual([
      ["SELECT", 3],
      ["INSERT", 5],
      ["", 6],
      ["", 8],
    ]);
  });

  test("megabytes of string and thousands of statements cost no more than reading them", () => {
    const long = `INSERT INTO t VALUES ('${"a''b;".repeat(100_000)}'); SELECT 2`;
    const many = "CREATE TABLE x (a);\n".repeat(20_000);
    expect([texts(long).length, texts(many).length]).toEqual([2, 20_000]);
    for (const sql of [long, many]) expect(costGrowth(sql, splitStatements)).toBeLessThan(LINEAR);
  });
});

/** Statements SQLite accepts one by one, in any order and any number. */
const SOUND: readonly string[] = [
  "SELECT 1",
  "SELECT ';', '--', '/*', 'it''s'",
  'SELECT "a;b" FROM t',
  "SELECT [a;b], `a;b` FROM t",
  "INSERT INTO t VALUES (CASE WHEN 1 THEN 'END;' ELSE 2 END, 3)",
  "UPDATE t SET end = 1 WHERE \"a;b\" = ';'",
  "VALUES (1), (2)",
  "WITH x AS (SELECT 1) SELECT * FROM x",
  "EXPLAIN SELECT 1",
  "CREATE TEMP TRIGGER IF NOT EXISTS u AFTER INSERT ON t BEGIN SELECT CASE 1 WHEN 1 THEN 2 END; SELECT 1 AS end; SELECT ';END;'; END",
  "CREATE TRIGGER IF NOT EXISTS v AFTER UPDATE ON t WHEN new.end > 1 BEGIN DELETE FROM t WHERE end = 'x;'; END",
  "DROP TRIGGER IF EXISTS v",
  "CREATE TABLE IF NOT EXISTS trigger (a)",
  "PRAGMA user_version",
  "SELECT 1 /* in ; side */ + 2",
  "SELECT 3 -- ; trailing\n + 4",
];
const BETWEEN = fc.constantFrom("", " ", "\n", "-- a ; comment\n", "/* a ; comment ' */", ";", " \ufeff", "\t\r\n\f");

test("splitStatements agrees with what SQLite accepts one by one", () => {
  const script = fc.array(fc.tuple(BETWEEN, fc.nat(SOUND.length - 1), BETWEEN), { maxLength: 8 });
  fc.assert(
    fc.property(script, (parts) => {
      using db = new Database(":memory:");
      db.run('CREATE TABLE t ("a;b", end)');
      const sql = parts.map(([before, index, after]) => `${before}${SOUND[index]}${after};`).join("");
      const found = texts(sql);
      // Space before SQLite's own semicolon is the only difference.
      expect(found).toEqual(parts.map(([, index]) => SOUND[index] as string));
      for (const text of found) db.run(text);
    }),
    { numRuns: 300 },
  );
});

test("a piece of a split never holds a second statement for SQLite", () => {
  const pieces = fc.constantFrom(
    "SELECT 1",
    "COMMIT",
    ";",
    "'",
    '"',
    "`",
    "[",
    "]",
    "--",
    "\n",
    "/*",
    "*/",
    " ",
    "CREATE",
    "TRIGGER",
    "TEMP",
    "BEGIN",
    "END",
    "CASE",
    "x",
    "$a(",
    ")",
    ":b",
    "\ufeff",
    "\u00a0",
    "(",
    "1",
    "''",
    "EXPLAIN",
  );
  fc.assert(
    fc.property(fc.array(pieces, { maxLength: 14 }), (parts) => {
      for (const { text } of splitStatements(parts.join(""))) {
        using db = new Database(":memory:");
        db.run("BEGIN");
        try {
          db.run(text);
        } catch {
          // No SQL: then it did nothing either.
        }
        // Only a statement whose first word says so may have ended the transaction.
        const [first] = splitStatements(text);
        if (!db.inTransaction && first) expect([text, leavesTransaction(first)]).toEqual([text, true]);
      }
    }),
    { numRuns: 3_000 },
  );
});

describe("G6: what is not one reading statement is refused", () => {
  test.each([
    "",
    ";",
    "-- SELECT 1",
    "/* SELECT 1 */",
    "/* SELECT 1",
    "SELECT 1; SELECT 2",
    "SELECT 1; DROP TABLE t",
    "SELECT 1;\0DROP TABLE t",
    "SELECT 1\0; DROP TABLE t",
    "SELECT 1; -- x\nDELETE FROM t",
    "SELECT 1;/**/UPDATE t SET a = 1",
    "INSERT INTO t VALUES (1)",
    "insert into t values (1)",
    "REPLACE INTO t VALUES (1)",
    "UPDATE t SET a = 1",
    "DELETE FROM t",
    "DELETE FROM t RETURNING *",
    "CREATE TABLE x (a)",
    "CREATE TEMP TABLE x (a)",
    "CREATE TEMP VIEW x AS SELECT 1",
    "CREATE TRIGGER x AFTER INSERT ON t BEGIN SELECT 1; END",
    "ALTER TABLE t ADD b",
    "DROP TABLE t",
    "BEGIN",
    "BEGIN EXCLUSIVE",
    "COMMIT",
    "END",
    "ROLLBACK",
    "SAVEPOINT x",
    "RELEASE x",
    "ATTACH '/etc/passwd' AS x",
    "/**/ATTACH 'x' AS x",
    "DETACH x",
    "VACUUM",
    "VACUUM INTO '/tmp/copy'",
    "REINDEX",
    "ANALYZE",
    "PRAGMA query_only = OFF",
    "PRAGMA writable_schema = ON",
    "PRAGMA journal_mode = DELETE",
    "PRAGMA table_info(t)",
    "\ufeffDELETE FROM t",
    "\u00a0SELECT 1",
    "(SELECT 1)",
    "'SELECT'",
    '"SELECT" 1',
    "[SELECT] 1",
    "SELECTED 1",
    "1",
    "S\u200bELECT 1",
    "CALL x",
    "WITHOUT x",
  ])("%j", (sql) => expect(whyNotReading(sql)).toBeString());

  test.each([
    "SELECT 1",
    "select 1;",
    " \n-- why\nSELECT 1 -- because",
    "/* ; */ SELECT ';' ;",
    "VALUES (1)",
    "WITH x AS (SELECT 1) SELECT * FROM x",
    "EXPLAIN QUERY PLAN SELECT 1",
    "SELECT CASE WHEN 1 THEN 2 END",
    "\ufeffSELECT 1",
  ])("%j is one", (sql) => expect(whyNotReading(sql)).toBeNull());
});

describe("what would end, begin or leave a transaction is known", () => {
  test.each([
    "BEGIN",
    "begin immediate",
    "COMMIT",
    "commit transaction",
    "END",
    "END TRANSACTION",
    "ROLLBACK",
    "rollback transaction",
    "VACUUM",
    "VACUUM INTO 'x'",
    "ATTACH 'x' AS y",
    "DETACH y",
    "/* x */ COMMIT",
    "\ufeffCOMMIT",
    "-- x\nCOMMIT",
  ])("%j does", (sql) => expect(splitStatements(sql).map(leavesTransaction)).toEqual([true]));

  test.each([
    "ROLLBACK TO x",
    "rollback transaction to savepoint x",
    "SAVEPOINT x",
    "RELEASE x",
    "SELECT 'COMMIT'",
    "INSERT INTO begin VALUES (1)",
    "CREATE TABLE end (x)",
    "PRAGMA foreign_keys",
  ])("%j does not", (sql) => expect(splitStatements(sql).map(leavesTransaction)).toEqual([false]));
});
