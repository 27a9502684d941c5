/** The first page of a database, held against the one that SQLite makes. */
import { Database } from "bun:sqlite";
import { describe, expect, test } from "bun:test";
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { makeDatabase } from "../../src/sqlite/new-database.ts";
import { temporaryFolder } from "../helpers/folder.ts";

/** Bytes that name the version of SQLite. */
const VERSION = { from: 96, to: 100 };

describe("a new database", () => {
  test("is byte for byte what SQLite makes of an empty file in the mode of WAL, but for its version", () => {
    using folder = temporaryFolder();
    makeDatabase(folder.file("ours.db"));
    const theirs = new Database(folder.file("theirs.db"));
    theirs.run("PRAGMA journal_mode = WAL");
    theirs.close(true);
    const [page, expected] = ["ours.db", "theirs.db"].map((name) => {
      const bytes = readFileSync(folder.file(name));
      return bytes.fill(0, VERSION.from, VERSION.to).toString("hex");
    });
    expect(page).toBe(expected as string);
    expect(statSync(folder.file("ours.db")).mode & 0o777).toBe(0o600);
  });

  test("is opened as one in the mode of WAL, takes tables, and is sound", () => {
    using folder = temporaryFolder();
    makeDatabase(folder.file("a.db"));
    using db = new Database(folder.file("a.db"));
    expect(db.query("PRAGMA journal_mode").get()).toEqual({ journal_mode: "wal" });
    db.run("CREATE TABLE t (x)");
    db.run("INSERT INTO t VALUES ('ä')");
    db.run("PRAGMA wal_checkpoint(TRUNCATE)");
    expect(db.query("PRAGMA integrity_check").all()).toEqual([{ integrity_check: "ok" }]);
    expect(db.query("PRAGMA encoding").get()).toEqual({ encoding: "UTF-8" });
  });

  test("takes nothing from the WAL of a file that is gone, nor from a beginning that was cut short", () => {
    using folder = temporaryFolder();
    const earlier = new Database(folder.file("earlier.db"));
    earlier.run("PRAGMA journal_mode = WAL");
    earlier.run("CREATE TABLE left_over (x)");
    for (const ending of ["-wal", "-shm"]) {
      writeFileSync(folder.file(`a.db${ending}`), readFileSync(folder.file(`earlier.db${ending}`)));
    }
    earlier.close(true);
    writeFileSync(folder.file("a.db-new"), "half a page");
    makeDatabase(folder.file("a.db"));
    expect(readdirSync(folder.path).filter((name) => name.startsWith("a."))).toEqual(["a.db"]);
    using db = new Database(folder.file("a.db"));
    expect(db.query("SELECT name FROM sqlite_schema").all()).toEqual([]);
    expect(existsSync(folder.file("a.db-new"))).toBe(false);
  });
});
