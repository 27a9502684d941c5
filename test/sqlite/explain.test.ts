/** An EXPLAIN leaves nothing behind, neither on a peer's connection nor on a sense's own. */
import { describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type SQL, sql } from "drizzle-orm";
import { openSenseDb } from "../../src/sense-worker/sense-database.ts";
import { isExplain } from "../../src/sqlite/explain.ts";
import { openWriter } from "../../src/sqlite/open.ts";
import { openPeerDb } from "../../src/worker/peer-database.ts";

function inFolder(body: (folder: string) => void): void {
  const folder = mkdtempSync(join(tmpdir(), "nerve-explain-"));
  try {
    body(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

type Verb = "all" | "get" | "values";
const run = (database: Record<Verb, (query: SQL) => unknown>, verb: Verb, text: string): unknown =>
  database[verb](sql.raw(text));

const EXPLAINS = ["EXPLAIN SELECT * FROM t", "explain query plan DELETE FROM t", "/* why */ EXPLAIN DELETE FROM t"];

test.each(EXPLAINS)("%s is one", (text) => expect(isExplain(text)).toBe(true));
test.each(["SELECT 'EXPLAIN'", "SELECT * FROM explain", "-- EXPLAIN\nSELECT 1", ""])("%s is none", (text) =>
  expect(isExplain(text)).toBe(false),
);

describe.each(["all", "get", "values"] as const)("after EXPLAIN by %s", (verb) => {
  test.each(EXPLAINS)("a peer sees what is written later, and holds up no checkpoint (%s)", (text) =>
    inFolder((folder) => {
      const file = join(folder, "a.db");
      const opened = openWriter(file, "normal");
      if (!opened.ok) throw new Error(opened.error.message);
      using owner = opened.value;
      owner.run("CREATE TABLE t (a)");
      owner.run("CREATE TABLE _outbox (id)");
      owner.run("PRAGMA busy_timeout = 0");
      const peer = openPeerDb("a", file);
      run(peer.database, verb, text);
      const count = (): unknown => peer.database.values(sql`SELECT count(*) FROM t`)[0]?.[0];
      expect(count()).toBe(0);
      owner.run("INSERT INTO t VALUES (1)");
      expect(count()).toBe(1);
      expect(owner.query("PRAGMA wal_checkpoint(TRUNCATE)").get()).toMatchObject({ busy: 0 });
      peer.close();
    }),
  );

  test.each(EXPLAINS)("a sense's own log is written back and emptied when it is closed (%s)", (text) =>
    inFolder((folder) => {
      const file = join(folder, "a.db");
      const db = openSenseDb(file, [{ name: "1.sql", sql: "CREATE TABLE t (a TEXT)" }], 0, Date.now, () => {});
      for (let count = 0; count < 3; count++) {
        db.begin();
        db.database.run(sql`INSERT INTO t VALUES (${"x".repeat(10_000)})`);
        run(db.database, verb, text);
        expect(db.keep([{ text: `${count}` }], { cause: null, trace: "", now: 0 })).toEqual({
          outbox: [count + 1],
          wrote: true,
        });
      }
      db.close();
      expect(statSync(`${file}-wal`).size).toBe(0);
    }),
  );
});
