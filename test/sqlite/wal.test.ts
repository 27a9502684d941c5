/** The write-ahead log of a sense's database, with a reader of another process that stays long. */
import { Database } from "bun:sqlite";
import { expect, test } from "bun:test";
import { statSync } from "node:fs";
import { sql } from "drizzle-orm";
import { openSenseDb, type SenseDb } from "../../src/sense-worker/sense-database.ts";
import { LOOK_MS, WAL_LIMIT_BYTES } from "../../src/sqlite/wal.ts";
import { temporaryFolder } from "../helpers/folder.ts";
import { until } from "../helpers/until.ts";

/** Holds a snapshot until its stdin is closed. */
const READER = `
  import { Database } from "bun:sqlite";
  const db = new Database(process.argv[1], { readonly: true });
  db.run("BEGIN");
  db.query("SELECT count(*) FROM t").get();
  console.log("reading");
  await Bun.stdin.text();
  db.close();`;

const walBytes = (file: string): number => statSync(`${file}-wal`).size;

/** One compute of 200 KB. */
function write(db: SenseDb): void {
  db.begin();
  db.database.run(sql`DELETE FROM t`);
  db.database.run(sql`INSERT INTO t VALUES (randomblob(200000))`);
  db.keep([], { cause: null, trace: "", now: 0 });
}

async function startReader(file: string) {
  const reader = Bun.spawn([process.execPath, "-e", READER, file], {
    stdin: "pipe",
    stdout: "pipe",
    stderr: "inherit",
  });
  const { value } = await reader.stdout.getReader().read();
  expect(Buffer.from(value ?? []).toString()).toBe("reading\n");
  return {
    async leave() {
      await reader.stdin.end();
      expect(await reader.exited).toBe(0);
    },
  };
}

const opened = (file: string): SenseDb => {
  const db = openSenseDb(file, [{ name: "1.sql", sql: "CREATE TABLE t (a BLOB)" }], 0, Date.now, () => {});
  expect(db.prepare().ok).toBe(true);
  write(db);
  return db;
};

test("a reader that has gone leaves a log that is short again without another write", async () => {
  using folder = temporaryFolder();
  const file = folder.file("sense.db");
  const db = opened(file);
  const reader = await startReader(file);
  while (walBytes(file) <= 2 * WAL_LIMIT_BYTES) write(db);
  // The newest look was no later than this.
  const lookedAt = performance.now();
  await until("the next look is due", () => performance.now() - lookedAt > LOOK_MS);
  write(db);
  await reader.leave();
  await until("the log is short", () => walBytes(file) <= WAL_LIMIT_BYTES);
  db.close();
});

test("a log that grew while a reader stayed is cut at the next checkpoint of a writer", async () => {
  using folder = temporaryFolder();
  const file = folder.file("sense.db");
  const db = opened(file);
  const reader = await startReader(file);
  while (walBytes(file) <= 2 * WAL_LIMIT_BYTES) write(db);
  await reader.leave();
  for (let writes = 0; writes < 3; writes++) write(db);
  expect(walBytes(file)).toBeLessThanOrEqual(WAL_LIMIT_BYTES);
  using other = new Database(file, { readonly: true });
  expect(other.query("SELECT length(a) AS n FROM t").all()).toEqual([{ n: 200_000 }]);
  db.close();
});
