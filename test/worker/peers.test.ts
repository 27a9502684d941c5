/** G6: a peer handle changes nothing, whatever is run on it, and there is no way from it to the connection. */
import { Database } from "bun:sqlite";
import { describe, expect, test } from "bun:test";
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { sql } from "drizzle-orm";
import { integer, sqliteTable, text } from "drizzle-orm/sqlite-core";
import { type PeerDatabase, PeerNotReady, type Peers } from "nerve";
import { openWriter } from "../../src/sqlite/open.ts";
import { openPeerDb } from "../../src/worker/peer-database.ts";
import { describeAuthorFailure, peersFor } from "../../src/worker/peer-record.ts";
import { readerClient } from "../../src/worker/reader-client.ts";
import { type Folder, temporaryFolder } from "../helpers/folder.ts";

const samples = sqliteTable("samples", { id: integer("id").primaryKey(), host: text("host") });

function owner(folder: Folder, name = "cpu"): Database {
  const opened = openWriter(folder.file(`${name}.db`), "normal");
  if (!opened.ok) throw new Error(opened.error.message);
  opened.value.run("CREATE TABLE samples (id INTEGER PRIMARY KEY, host TEXT)");
  opened.value.run("INSERT INTO samples (host) VALUES ('a'), ('b')");
  opened.value.run("CREATE TABLE _outbox (id INTEGER PRIMARY KEY)");
  return opened.value;
}

/** Name and digest of each file; -shm holds the readers' own marks. */
const picture = (folder: Folder): string[] =>
  readdirSync(folder.path)
    .sort()
    .filter((name) => !name.endsWith("-shm"))
    .map(
      (name) =>
        `${name} ${createHash("sha256")
          .update(readFileSync(folder.file(name)))
          .digest("hex")}`,
    );

const HOSTILE = [
  "INSERT INTO samples VALUES (9, 'x')",
  "INSERT INTO samples VALUES (9, 'x') RETURNING *",
  "UPDATE samples SET host = 'x'",
  "DELETE FROM samples",
  "REPLACE INTO samples VALUES (1, 'x')",
  "WITH x AS (SELECT 1) INSERT INTO samples SELECT 9, 'x' FROM x RETURNING *",
  "WITH x AS (SELECT 1) DELETE FROM samples RETURNING *",
  "WITH x AS (SELECT 1) UPDATE samples SET host = 'x'",
  "EXPLAIN DELETE FROM samples",
  "CREATE TABLE x (y)",
  "CREATE TEMP TABLE x (y)",
  "CREATE VIEW x AS SELECT 1",
  "DROP TABLE samples",
  "ALTER TABLE samples RENAME TO y",
  "BEGIN IMMEDIATE",
  "BEGIN",
  "COMMIT",
  "SAVEPOINT x",
  "VACUUM",
  "VACUUM INTO '/proc/self/cwd/copy.db'",
  "ATTACH DATABASE 'other.db' AS other",
  "PRAGMA query_only = OFF",
  "PRAGMA writable_schema = ON",
  "PRAGMA wal_checkpoint(TRUNCATE)",
  "PRAGMA journal_mode = DELETE",
  "SELECT 1; DROP TABLE samples",
  "SELECT 1;\0 DROP TABLE samples",
  "/* SELECT */ DELETE FROM samples",
  "SELECT load_extension('/tmp/x.so')",
  "SELECT writefile('/tmp/x', 'y')",
  "SELECT * FROM pragma_query_only('OFF')",
  "SELECT * FROM pragma_journal_mode('DELETE')",
  "SELECT edit('x')",
  "",
];

describe("a peer's handle", () => {
  test("reads by every verb there is, and sees each commit", async () => {
    using folder = temporaryFolder();
    using writer = owner(folder);
    const { database, close } = openPeerDb("cpu", folder.file("cpu.db"));
    expect(database.select().from(samples).all()).toEqual([
      { id: 1, host: "a" },
      { id: 2, host: "b" },
    ]);
    expect(await database.select({ host: samples.host }).from(samples).limit(1)).toEqual([{ host: "a" }]);
    expect(database.selectDistinct({ host: samples.host }).from(samples).get()).toEqual({ host: "a" });
    expect(database.all(sql`SELECT host FROM samples WHERE id = ${2}`)).toEqual([{ host: "b" }]);
    // Drizzle gives the row of a bare query as its values.
    expect(database.get<unknown>(sql`SELECT 7 AS n`)).toEqual([7]);
    expect(database.values(sql`VALUES (1), (2)`)).toEqual([[1], [2]]);
    expect(await database.$count(samples)).toBe(2);
    const newest = database.$with("newest").as(database.select().from(samples).orderBy(samples.id));
    expect(database.with(newest).select().from(newest).all()).toHaveLength(2);
    expect(database.all(sql`EXPLAIN QUERY PLAN SELECT * FROM samples`)).toHaveLength(1);
    // No query before this one still holds a snapshot.
    writer.run("INSERT INTO samples (host) VALUES ('c')");
    expect(await database.$count(samples)).toBe(3);
    close();
  });

  test("changes no file, whatever is run on it", () => {
    using folder = temporaryFolder();
    using writer = owner(folder);
    const { database, close } = openPeerDb("cpu", folder.file("cpu.db"));
    database.select().from(samples).all();
    const before = picture(folder);
    const run: Record<string, (statement: string) => unknown> = {
      all: (statement) => database.all(sql.raw(statement)),
      get: (statement) => database.get(sql.raw(statement)),
      values: (statement) => database.values(sql.raw(statement)),
    };
    const went: string[] = [];
    for (const statement of HOSTILE) {
      for (const [verb, act] of Object.entries(run)) {
        try {
          act(statement);
          went.push(`${verb} ${statement}`);
        } catch {
          // Refused: by its first word, or by SQLite.
        }
      }
      expect(picture(folder)).toEqual(before);
    }
    // An EXPLAIN only tells what it would do.
    expect(went.filter((entry) => !/ EXPLAIN | pragma_/.test(entry))).toEqual([]);
    expect(writer.query("SELECT count(*) AS n FROM samples").get()).toEqual({ n: 2 });
    expect(writer.query("PRAGMA journal_mode").get()).toEqual({ journal_mode: "wal" });
    close();
  });

  test("has no verb that writes, and leads to no connection, however it is searched", () => {
    using folder = temporaryFolder();
    using _ = owner(folder);
    const { database, close } = openPeerDb("cpu", folder.file("cpu.db"));
    expect(Object.keys(database).sort()).toEqual([
      "$count",
      "$with",
      "all",
      "get",
      "select",
      "selectDistinct",
      "values",
      "with",
    ]);
    expect(Object.isFrozen(database)).toBe(true);
    const seen = new Set<unknown>();
    const search = (value: unknown, depth: number): void => {
      if ((typeof value !== "object" && typeof value !== "function") || value === null || seen.has(value) || depth > 8)
        return;
      seen.add(value);
      expect(value instanceof Database).toBe(false);
      for (const key of Reflect.ownKeys(value)) {
        const descriptor = Reflect.getOwnPropertyDescriptor(value, key);
        if (descriptor && "value" in descriptor) search(descriptor.value, depth + 1);
      }
    };
    const query = database.select().from(samples);
    search(database, 0);
    search(query, 0);
    search(query.prepare(), 0);
    expect(seen.size).toBeGreaterThan(20);
    close();
  });

  test("throws PeerNotReady until its owner has set it up, then works", () => {
    using folder = temporaryFolder();
    const { database, close } = openPeerDb("cpu", folder.file("cpu.db"));
    const reason = (): unknown => {
      try {
        return database.select().from(samples).all().length;
      } catch (error) {
        return error instanceof PeerNotReady ? error : ((error as Error).cause ?? error);
      }
    };
    expect(reason()).toBeInstanceOf(PeerNotReady);
    expect(reason()).toMatchObject({
      sense: "cpu",
      message: 'the database of sense "cpu" does not exist yet: it has not run since nerve was set up',
    });
    expect(existsSync(folder.file("cpu.db"))).toBe(false);
    using half = new Database(folder.file("cpu.db"));
    half.run("CREATE TABLE samples (id INTEGER PRIMARY KEY, host TEXT)");
    expect(reason()).toBeInstanceOf(PeerNotReady);
    half.run("CREATE TABLE _outbox (id INTEGER PRIMARY KEY)");
    expect(reason()).toBe(0);
    close();
  });

  test("names the sense and the file when there is no reading it", () => {
    using folder = temporaryFolder();
    Bun.write(folder.file("cpu.db"), "not a database at all. ".repeat(300));
    const { database } = openPeerDb("cpu", folder.file("cpu.db"));
    let said = "";
    try {
      database.get(sql`SELECT 1`);
    } catch (error) {
      said = String((error as Error).cause ?? error);
    }
    expect(said).toContain(`the database of sense "cpu" cannot be read: ${folder.file("cpu.db")}`);
  });
});

test("the record of peers is frozen, has every other sense, and never oneself", () => {
  using folder = temporaryFolder();
  const handles = new Map(["a", "b", "c"].map((name) => [name, openPeerDb(name, folder.file(`${name}.db`))]));
  const peers = peersFor("b", handles);
  expect(Object.keys(peers)).toEqual(["a", "c"]);
  expect(() => Object.assign(peers, { b: 1 })).toThrow();
  expect(() => Object.assign(peers.a as PeerDatabase, { select: 1 })).toThrow();
});

describe("the reader client", () => {
  const client = readerClient(() => {
    const db = new Database(":memory:");
    db.run("CREATE TABLE t (x)");
    return db;
  });

  test("prepares single reading statements only, also the two hundredth time", () => {
    for (let index = 0; index < 500; index++) {
      expect(client.prepare(`SELECT ${index} AS n`).get()).toEqual({ n: index });
      expect(() => client.prepare(`DELETE FROM t WHERE x = ${index}`)).toThrow(
        "a peer's database is read-only: DELETE is not SELECT, VALUES, WITH or EXPLAIN",
      );
    }
    expect(() => client.prepare("SELECT 1; SELECT 2")).toThrow("only a single statement is allowed");
  });

  test("runs nothing without an answer", () => {
    expect(() => client.prepare("SELECT 1").run()).toThrow("use all, get or values");
    expect(Object.isFrozen(client) && Object.isFrozen(client.prepare("SELECT 1"))).toBe(true);
  });
});

describe("a name that is no peer's", () => {
  const peers = () => {
    const handle = openPeerDb("x", "/nowhere.db");
    const names = ["memory", "disk-root", "mine"];
    return peersFor("mine", new Map(names.map((name) => [name, handle])));
  };
  const failure = (act: (peers: Peers) => unknown): string => {
    const record = peers();
    try {
      act(record);
      return "nothing was thrown";
    } catch (error) {
      return describeAuthorFailure(error, record).message;
    }
  };
  /** As it stands in a module: TypeScript would not let it pass here. */
  const asked = (name: string) => failure((peers) => new Function("peers", `peers["${name}"].select()`)(peers));

  test.each([
    ["memry", " (there is no sense `memry`: did you mean `memory`?)"],
    ["nothing-like-it", " (there is no sense `nothing-like-it`: the others are memory, disk-root)"],
    ["mine", " (a sense is not its own peer: use `db` in place of `peers.mine`)"],
    ["load", " (the sense `load` is not configured: add it to `senses` in nerve.yaml)"],
  ])("%s is explained", (name, hint) => {
    expect(asked(name)).toStartWith("TypeError: undefined is not an object (evaluating '");
    expect(asked(name)).toEndWith(hint);
  });

  test("is not taken for the reason of another error", () => {
    expect(
      failure((peers) => new Function("peers", "void peers.b; const a = [undefined]; a[0].c")(peers)),
    ).not.toContain("there is no sense");
    const given: Record<string, { b: number } | undefined> = {};
    expect(failure((peers) => peers.memry ?? (given as { a: { b: number } }).a.b)).not.toContain("memry");
    expect(
      failure((peers) => {
        void peers.memry;
        throw new Error("undefined is not an object (evaluating 'memry')");
      }),
    ).not.toContain("there is no sense");
  });
});
