/** Rows that a newer version has written, in the tables of an older one. */
import { Database } from "bun:sqlite";
import { afterEach, describe, expect, test } from "bun:test";
import { carryOver } from "../../src/upgrade/carry-over.ts";
import { type Folder, temporaryFolder } from "../helpers/folder.ts";

const folders: Folder[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) folder[Symbol.dispose]();
});

function database(file: string, sql: string): string {
  const db = new Database(file, { create: true });
  db.run("PRAGMA journal_mode = WAL");
  db.run(sql);
  db.close(true);
  return file;
}

const OLD = `CREATE TABLE _migrations (name TEXT PRIMARY KEY);
  INSERT INTO _migrations VALUES ('0001.sql');
  CREATE TABLE signals (id INTEGER PRIMARY KEY AUTOINCREMENT, payload TEXT NOT NULL, "odd name" BLOB);
  CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID;
  INSERT INTO signals (payload, "odd name") VALUES ('one', x'01'), ('two', NULL);
  INSERT INTO meta VALUES ('a', '1'), ('gone', '1');`;
const SINCE = `ALTER TABLE signals ADD COLUMN extra TEXT DEFAULT 'x';
  CREATE TABLE further (id INTEGER);
  INSERT INTO _migrations VALUES ('0002.sql');
  INSERT INTO signals (payload, "odd name") VALUES ('three', x'03'), ('four', 4.5);
  DELETE FROM signals WHERE payload = 'four';
  DELETE FROM meta WHERE key = 'gone';
  UPDATE meta SET value = '2';`;

function pair(since: string, before = OLD): { readonly older: string; readonly newer: string } {
  const folder = temporaryFolder();
  folders.push(folder);
  return {
    older: database(folder.file("older.db"), before),
    newer: database(folder.file("newer.db"), `${before}\n${since}`),
  };
}

const all = (file: string, sql: string): unknown[] => {
  const db = new Database(file, { readonly: true });
  try {
    return db.query(sql).values();
  } finally {
    db.close(true);
  }
};

describe("an older database", () => {
  test("of a sense gets how far its items are taken, though that table was made since", () => {
    const { older, newer } = pair(
      "CREATE TABLE _taken (origin TEXT PRIMARY KEY, up_to INTEGER NOT NULL); INSERT INTO _taken VALUES ('0f', 7);",
    );
    expect(carryOver(older, newer)).toEqual({ ok: true, value: undefined });
    expect(all(older, "SELECT * FROM _taken")).toEqual([["0f", 7]]);
  });

  test("gets every row of its tables, in its columns, and goes on above the highest id that was ever given", () => {
    const { older, newer } = pair(SINCE);
    expect(carryOver(older, newer)).toEqual({ ok: true, value: undefined });
    expect(all(older, "SELECT * FROM signals ORDER BY id")).toEqual([
      [1, "one", new Uint8Array([1])],
      [2, "two", null],
      [3, "three", new Uint8Array([3])],
    ]);
    expect(all(older, "SELECT * FROM meta")).toEqual([["a", "2"]]);
    expect(all(older, "SELECT seq FROM sqlite_sequence")).toEqual([[4]]);
    expect(all(older, "SELECT name FROM _migrations")).toEqual([["0001.sql"]]);
    expect(all(older, "SELECT name FROM sqlite_schema WHERE name = 'further'")).toEqual([]);
    expect(all(newer, "SELECT count(*) FROM signals")).toEqual([[3]]);
  });

  test.each([
    [
      "a column is gone",
      "ALTER TABLE signals DROP COLUMN payload;",
      "the newer version has no column payload of signals",
    ],
    ["a table is gone", "DROP TABLE meta;", "the newer version has no column key of meta"],
  ])("is left as it was where %s", (_, since, words) => {
    const { older, newer } = pair(since);
    expect(carryOver(older, newer)).toEqual({ ok: false, error: words });
    expect(all(older, "SELECT payload FROM signals")).toEqual([["one"], ["two"]]);
  });

  test.each([
    ["a trigger", "CREATE TRIGGER act AFTER INSERT ON signals BEGIN DELETE FROM meta; END;", "act"],
    ["a virtual table", "CREATE VIRTUAL TABLE words USING fts5(text);", "words"],
  ])("with %s is not filled by copying rows", (_, sql, name) => {
    const { older, newer } = pair(SINCE, `${OLD}\n${sql}`);
    expect(carryOver(older, newer)).toEqual({ ok: false, error: `${name} cannot be filled by copying rows` });
  });

  test("is left as it was where a row breaks a rule of its tables", () => {
    const { older, newer } = pair(
      'CREATE TABLE s (id INTEGER PRIMARY KEY, payload TEXT, "odd name" BLOB); INSERT INTO s VALUES (9, NULL, NULL); DROP TABLE signals; ALTER TABLE s RENAME TO signals;',
    );
    expect(carryOver(older, newer)).toMatchObject({ ok: false, error: expect.stringContaining("NOT NULL") });
    expect(all(older, "SELECT payload FROM signals")).toEqual([["one"], ["two"]]);
  });
});
