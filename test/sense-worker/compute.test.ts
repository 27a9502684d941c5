/**
 * G7: a compute's rows and its signal are kept together or not at all, however the compute ends. Real databases, real
 * Drizzle, computes as an author would write them.
 */
import { Database } from "bun:sqlite";
import { describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, rmSync } from "node:fs";
import { type } from "arktype";
import { sql } from "drizzle-orm";
import { integer, sqliteTable } from "drizzle-orm/sqlite-core";
import { type ComputeContext, type SenseDatabase, signals } from "nerve";
import { describeThrown } from "../../src/base/thrown.ts";
import { MAX_SIGNALS, MAX_VALUE_BYTES } from "../../src/model/value.ts";
import { author as asAuthor } from "../../src/sense-worker/author.ts";
import {
  type ComputeOutcome,
  executeCompute,
  payloadOf,
  type RunningCompute,
} from "../../src/sense-worker/execute-compute.ts";
import { openSenseDb, type SenseDb } from "../../src/sense-worker/sense-database.ts";

import { openPeerDb } from "../../src/worker/peer-database.ts";
import { peersFor } from "../../src/worker/peer-record.ts";
import { type Folder, temporaryFolder } from "../helpers/folder.ts";
import { until } from "../helpers/until.ts";

const items = sqliteTable("items", { n: integer("n").unique() });
const MIGRATIONS = [{ name: "1.sql", sql: "CREATE TABLE items (n INTEGER UNIQUE)" }];
const TRACE = "0123456789abcdef0123456789abcdef";
const REQUEST = { now: 1_700_000_000_000, cause: 4, trace: TRACE };

/** No compute of these tests takes so long, on whatever machine. */
const PATIENCE_MS = 120_000;

type Author = (db: SenseDatabase, context: ComputeContext) => unknown;

interface Bench extends Disposable {
  readonly db: SenseDb;
  readonly file: string;
  run(author: Author, timeoutMs?: number): Promise<ComputeOutcome>;
  /** What another process would see. */
  kept(): { items: number[]; outbox: number };
}

function bench(folder: Folder, outboxTaken = 0): Bench {
  const file = folder.file("sense.db");
  const db = openSenseDb(
    file,
    MIGRATIONS,
    outboxTaken,
    () => 0,
    () => {},
  );
  return {
    db,
    file,
    run: (author, timeoutMs = PATIENCE_MS) => start(db, author, timeoutMs).outcome,
    kept() {
      using reader = new Database(file, { readonly: true });
      const rows = reader.query<{ n: number }, []>("SELECT n FROM items ORDER BY n").all();
      const outbox = reader.query<{ n: number }, []>("SELECT count(*) AS n FROM _outbox").get();
      return { items: rows.map(({ n }) => n), outbox: outbox?.n ?? 0 };
    },
    [Symbol.dispose]: () => db.close(),
  };
}

const NONE = async (): Promise<never> => {
  throw new Error("no blobs here");
};

/** Asks as the worker does: a turn of the microtask queue later where the compute has answered at once. */
function followed(running: RunningCompute) {
  const outcome = running.waiting?.outcome ?? Promise.resolve().then(() => running.conclude());
  return { outcome, prompt: running.waiting?.prompt, abort: () => running.abort() };
}

function start(db: SenseDb, author: Author, timeoutMs = PATIENCE_MS) {
  const compute = (given: SenseDatabase, _: unknown, context: ComputeContext) => author(given, context) as object;
  const setting = {
    sense: { compute, options: {}, payload: null },
    db,
    peers: {},
    blobs: { put: NONE, get: NONE },
    log: () => {},
    startedAt: performance.now(),
    timeoutMs,
  };
  return followed(executeCompute(setting, REQUEST));
}

test("a compute whose commit is refused leaves the counter of signals as it was, and nobody is suspected for it", async () => {
  using folder = temporaryFolder();
  const reports: string[] = [];
  // SQLite looks at such a reference when the transaction commits, and not before.
  const deferred = "CREATE TABLE parts (item INTEGER REFERENCES items (n) DEFERRABLE INITIALLY DEFERRED)";
  const db = openSenseDb(
    folder.file("sense.db"),
    [...MIGRATIONS, { name: "2.sql", sql: deferred }],
    0,
    () => 0,
    (message) => reports.push(message),
  );
  try {
    const run = (author: Author) => start(db, author).outcome;
    const refused: Author = (given) => {
      given.run(sql`PRAGMA defer_foreign_keys = ON`);
      given.run(sql`INSERT INTO parts VALUES (99)`);
      return 1;
    };
    expect(await run((given) => put(given, 1, "first"))).toMatchObject({ kind: "signal", outbox: 1 });
    expect(await run(refused)).toMatchObject({ kind: "failed" });
    expect(await run((given) => put(given, 2, "second"))).toMatchObject({ kind: "signal", outbox: 2 });
    expect(reports).toEqual([]);
  } finally {
    db.close();
  }
});

test("a database that is older than what nerve has taken of it is named, so is a logs.db that lacks its signals, and no other", async () => {
  using folder = temporaryFolder();
  const file = folder.file("sense.db");
  const open = async (taken: number, outbox = taken + 1): Promise<string[]> => {
    const reports: string[] = [];
    const db = openSenseDb(
      file,
      MIGRATIONS,
      taken,
      () => 0,
      (message) => reports.push(message),
    );
    try {
      expect(await start(db, (given) => put(given, taken, 1)).outcome).toMatchObject({
        kind: "signal",
        outbox,
      });
    } finally {
      db.close();
    }
    return reports;
  };
  expect([await open(0), await open(1)]).toEqual([[], []]);
  expect(await open(5)).toEqual([
    expect.stringContaining("signals up to row 5 of _outbox were taken, and the newest row that it knows of is 2"),
  ]);
  expect(await open(6)).toEqual([]);
  const missing = expect.stringContaining("3 signals that the sense handed over are missing from logs.db");
  expect(await open(3, 8)).toEqual([missing]);
});

const insert = (db: SenseDatabase, n: number): void => void db.insert(items).values({ n }).run();
const put = <T>(db: SenseDatabase, n: number, then: T): T => {
  insert(db, n);
  return then;
};
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** The value of a payload, or what is wrong. */
function payloadAs(...given: Parameters<typeof payloadOf>): unknown {
  const payload = payloadOf(...given);
  return payload.ok ? { ok: true, value: payload.value.value } : payload;
}

describe("a compute that", () => {
  const MATRIX: readonly (readonly [name: string, author: Author, outcome: object, items: number[], outbox: number])[] =
    [
      [
        "writes and returns",
        (db) => {
          insert(db, 1);
          return { ok: true };
        },
        { kind: "signal", payload: { ok: true }, outbox: 1, wrote: true },
        [1],
        1,
      ],
      [
        "writes in several turns and returns",
        async (db) => {
          insert(db, 1);
          await turn();
          await db.insert(items).values({ n: 2 });
          return 7;
        },
        { kind: "signal", payload: 7, outbox: 1, wrote: true },
        [1, 2],
        1,
      ],
      [
        "writes and returns null",
        (db) => {
          insert(db, 1);
          return null;
        },
        { kind: "no-signal", wrote: true },
        [1],
        0,
      ],
      [
        "only reads and returns",
        (db) => db.select().from(items).all(),
        { kind: "signal", payload: [], outbox: null, wrote: false },
        [],
        0,
      ],
      [
        "writes and returns several",
        (db) => {
          insert(db, 1);
          return signals([{ a: 1 }, 2, "3"]);
        },
        {
          kind: "signals",
          signals: [
            { payload: { a: 1 }, outbox: 1 },
            { payload: 2, outbox: 2 },
            { payload: "3", outbox: 3 },
          ],
        },
        [1],
        3,
      ],
      [
        "writes nothing and returns several",
        () => signals([true, false]),
        {
          kind: "signals",
          signals: [
            { payload: true, outbox: 1 },
            { payload: false, outbox: 2 },
          ],
        },
        [],
        2,
      ],
      [
        "writes nothing and returns a list of one",
        () => signals([7]),
        { kind: "signal", payload: 7, outbox: null },
        [],
        0,
      ],
      [
        "writes and returns a list of one",
        (db) => put(db, 1, signals([7])),
        { kind: "signal", payload: 7, outbox: 1 },
        [1],
        1,
      ],
      ["writes and returns an empty list", (db) => put(db, 1, signals([])), { kind: "no-signal", wrote: true }, [1], 0],
      [
        "writes and returns a list with null in it",
        (db) => put(db, 1, signals([1, null as never])),
        { kind: "failed", message: "payload 1 of signals([…]) is null; leave it out for no signal" },
        [],
        0,
      ],
      [
        "writes and returns a list with no JSON in it",
        (db) => put(db, 1, signals([1, { at: [new Date()] }])),
        { kind: "failed", message: "payload 1 of signals([…]) is not JSON: at[0]: Date is not a JSON value" },
        [],
        0,
      ],
      [
        "returns a list within a payload",
        (db) => put(db, 1, { list: signals([1]) }),
        { kind: "failed", message: "the payload is not JSON: list: Signals is not a JSON value" },
        [],
        0,
      ],
      [
        "writes and returns one signal too many",
        (db) => put(db, 1, signals(Array.from({ length: MAX_SIGNALS + 1 }, (_, n) => n))),
        {
          kind: "failed",
          message:
            "signals([…]) holds 501 payloads, and at most 500 go together; return the rest from the next compute: a cursor in the sense's database says where it begins",
        },
        [],
        0,
      ],
      [
        "writes and returns signals that are too large together",
        (db) => put(db, 1, signals(Array.from({ length: 17 }, () => "x".repeat(MAX_VALUE_BYTES - 2)))),
        {
          kind: "failed",
          message:
            "signals([…]) is over 1 MiB together; return the rest from the next compute: a cursor in the sense's database says where it begins",
        },
        [],
        0,
      ],
      ["uses nothing and returns null", () => null, { kind: "no-signal", wrote: false }, [], 0],
      [
        "writes and throws",
        (db) => {
          insert(db, 1);
          throw new TypeError("broken");
        },
        { kind: "failed", message: "TypeError: broken" },
        [],
        0,
      ],
      [
        "writes and rejects later",
        async (db) => {
          insert(db, 1);
          await turn();
          throw new Error("later");
        },
        { kind: "failed", message: "Error: later" },
        [],
        0,
      ],
      [
        "throws what is no error",
        () => {
          throw "a string";
        },
        { kind: "failed", message: 'threw "a string"', stack: null },
        [],
        0,
      ],
      [
        "throws what cannot be shown",
        (db) => {
          insert(db, 1);
          throw new Proxy(
            {},
            {
              getPrototypeOf() {
                throw 1;
              },
            },
          );
        },
        { kind: "failed", message: "threw something that cannot be shown" },
        [],
        0,
      ],
      [
        "writes and returns undefined",
        (db) => insert(db, 1),
        { kind: "failed", message: "compute returned undefined; return a payload, or null for no signal" },
        [],
        0,
      ],
      [
        "writes and returns no JSON",
        (db) => {
          insert(db, 1);
          return { at: new Date() };
        },
        { kind: "failed", message: "the payload is not JSON: at: Date is not a JSON value" },
        [],
        0,
      ],
      [
        "writes and returns what throws when it is read",
        (db) => {
          insert(db, 1);
          return {
            get x() {
              throw new Error("trap");
            },
          };
        },
        { kind: "failed", message: "the payload cannot be read: Error: trap" },
        [],
        0,
      ],
      [
        "writes and returns too much",
        (db) => {
          insert(db, 1);
          return "x".repeat(MAX_VALUE_BYTES);
        },
        {
          kind: "failed",
          message: "the payload is over 64 KiB; put the bytes in a blob with blobs.put and return the reference",
        },
        [],
        0,
      ],
      [
        "breaks a constraint and returns all the same",
        (db) => {
          insert(db, 1);
          expect(() => insert(db, 1)).toThrow();
          return 1;
        },
        { kind: "signal", payload: 1 },
        [1],
        1,
      ],
      [
        "reads back what it inserts",
        (db) =>
          db
            .insert(items)
            .values([{ n: 5 }, { n: 6 }])
            .returning()
            .all(),
        { kind: "signal", payload: [{ n: 5 }, { n: 6 }], wrote: true },
        [5, 6],
        1,
      ],
      [
        "defines a table and nothing else",
        (db) => {
          db.run(sql`CREATE TABLE other (x)`);
          return 1;
        },
        { kind: "signal", wrote: true, outbox: 1 },
        [],
        1,
      ],
      [
        "defines a table and throws",
        (db) => {
          db.run(sql`DROP TABLE items`);
          throw new Error("no");
        },
        { kind: "failed" },
        [],
        0,
      ],
      [
        "commits a transaction of its own",
        (db) => {
          db.transaction((tx) => tx.insert(items).values({ n: 1 }).run());
          return 1;
        },
        { kind: "signal", outbox: 1 },
        [1],
        1,
      ],
      [
        "commits a transaction of its own and throws",
        (db) => {
          db.transaction((tx) => tx.insert(items).values({ n: 1 }).run());
          throw new Error("after");
        },
        { kind: "failed", message: "Error: after" },
        [],
        0,
      ],
      [
        "rolls back a transaction of its own",
        (db) => {
          insert(db, 1);
          expect(() =>
            db.transaction((tx) => {
              tx.insert(items).values({ n: 2 }).run();
              tx.rollback();
            }),
          ).toThrow();
          insert(db, 3);
          return 1;
        },
        { kind: "signal" },
        [1, 3],
        1,
      ],
      [
        "awaits a transaction",
        async (db) => {
          const result = await db.transaction(async (tx) => {
            await tx.insert(items).values({ n: 1 });
            await turn();
            await tx.insert(items).values({ n: 2 });
            return "done";
          });
          return result;
        },
        { kind: "signal", payload: "done" },
        [1, 2],
        1,
      ],
      [
        "awaits a transaction that rejects",
        async (db) => {
          insert(db, 1);
          const body = db.transaction(async (tx) => {
            await tx.insert(items).values({ n: 2 });
            await turn();
            throw new Error("inner");
          });
          await expect(body).rejects.toThrow("inner");
          insert(db, 3);
          return 1;
        },
        { kind: "signal" },
        [1, 3],
        1,
      ],
      [
        "nests transactions, the inner of which reject",
        async (db) => {
          await db.transaction(async (tx) => {
            await tx.insert(items).values({ n: 1 });
            const inner = tx.transaction(async (deeper) => {
              await deeper.insert(items).values({ n: 2 });
              expect(() =>
                deeper.transaction(() => {
                  throw new Error("deepest");
                }),
              ).toThrow("deepest");
              await turn();
              throw new Error("inner");
            });
            await expect(inner).rejects.toThrow("inner");
            await tx.insert(items).values({ n: 3 });
          });
          return 1;
        },
        { kind: "signal" },
        [1, 3],
        1,
      ],
      [
        "does not await its transaction",
        (db) => {
          void Promise.resolve(
            db.transaction(async (tx) => {
              await tx.insert(items).values({ n: 1 });
              await turn();
            }),
          ).catch(() => {});
          return 1;
        },
        { kind: "failed", message: "Error: a db.transaction had not ended when the compute returned: await it" },
        [],
        0,
      ],
      [
        "lets two transactions overlap",
        async (db) => {
          const one = async (n: number, turns: number): Promise<void> =>
            db.transaction(async (tx) => {
              await tx.insert(items).values({ n });
              for (let count = 0; count < turns; count++) await turn();
            });
          await Promise.all([one(1, 1), one(2, 3)]);
          return 1;
        },
        { kind: "failed", message: "Error: two db.transaction overlap: await the first before the second begins" },
        [],
        0,
      ],
      [
        "tries to commit",
        (db) => {
          insert(db, 1);
          db.run(sql`COMMIT`);
          return 1;
        },
        {
          kind: "failed",
          message: expect.stringContaining("COMMIT is not allowed: a compute is one transaction, kept when it returns"),
        },
        [],
        0,
      ],
      [
        "catches that, and goes on",
        (db) => {
          insert(db, 1);
          for (const statement of ["COMMIT", "END", "BEGIN", "ROLLBACK", "VACUUM", "ATTACH 'x' AS y", "\ufeffCOMMIT"]) {
            expect(() => db.run(sql.raw(statement))).toThrow();
          }
          return 1;
        },
        { kind: "signal" },
        [1],
        1,
      ],
      [
        "runs two statements at once",
        (db) => {
          db.run(sql.raw("INSERT INTO items VALUES (1); INSERT INTO items VALUES (2)"));
          return 1;
        },
        { kind: "failed", message: expect.stringContaining("only one statement at a time") },
        [],
        0,
      ],
      [
        "loses its transaction to a conflict, and goes on writing",
        (db) => {
          insert(db, 1);
          expect(() => db.run(sql`INSERT OR ROLLBACK INTO items VALUES (1)`)).toThrow();
          expect(() => insert(db, 2)).toThrow();
          return 1;
        },
        {
          kind: "failed",
          message: "Error: the compute's transaction was rolled back by a conflict, nothing more can be written in it",
        },
        [],
        0,
      ],
      [
        "uses the client under Drizzle",
        (db) => {
          const { $client: client } = db as unknown as { $client: Database };
          client.prepare("INSERT INTO items VALUES (1)").run();
          expect(() => client.prepare("COMMIT")).toThrow("COMMIT is not allowed");
          expect((client as Partial<Database>).close).toBeUndefined();
          return 1;
        },
        { kind: "signal" },
        [1],
        1,
      ],
    ];

  test.each(MATRIX)("%s", async (_, author, outcome, kept, outbox) => {
    using folder = temporaryFolder();
    using sense = bench(folder);
    expect(sense.db.prepare().ok).toBe(true);
    expect(await sense.run(author)).toMatchObject(outcome);
    expect(sense.kept()).toEqual({ items: kept, outbox });
    // Whatever it did, the next one begins anew.
    expect(await sense.run((db) => put(db, 100, 1))).toMatchObject({ kind: "signal", wrote: true });
    expect(sense.kept()).toEqual({ items: [...kept, 100], outbox: outbox + 1 });
  });

  test("runs a program with Bun.$ that fails is told what the program wrote to stderr, and its exit code", async () => {
    using folder = temporaryFolder();
    using sense = bench(folder);
    const outcome = await sense.run(async () => (await Bun.$`sh -c "echo no such host >&2; exit 3"`.text()).length);
    expect(outcome).toMatchObject({ kind: "failed", message: "ShellError: Failed with exit code 3: no such host" });
  });

  test("asks for a peer that is none names the nearest", async () => {
    using folder = temporaryFolder();
    using sense = bench(folder);
    const peers = peersFor("self", new Map([["memory", openPeerDb("memory", "/nowhere")]]));
    const compute = () => new Function("peers", "return peers.memry.select()")(peers);
    const setting = {
      sense: { compute, options: {}, payload: null },
      db: sense.db,
      peers,
      blobs: { put: NONE, get: NONE },
      log: () => {},
      startedAt: performance.now(),
      timeoutMs: 10_000,
    };
    expect(await followed(executeCompute(setting, REQUEST)).outcome).toMatchObject({
      kind: "failed",
      message: expect.stringMatching(/^TypeError: .* \(there is no sense `memry`: did you mean `memory`\?\)$/),
    });
  });

  test("passes its soft timeout: its signal fires, what it returns is discarded, its rows are gone", async () => {
    using folder = temporaryFolder();
    using sense = bench(folder);
    let reason: unknown = null;
    const outcome = await sense.run(async (db, { signal }) => {
      insert(db, 1);
      await new Promise((resolve) => signal.addEventListener("abort", resolve));
      reason = signal.reason;
      insert(db, 2);
      return 1;
    }, 20);
    expect(outcome).toEqual({ kind: "timed-out" });
    expect(reason).toMatchObject({ name: "TimeoutError", message: "the compute passed its timeout of 20 ms" });
    expect(sense.kept()).toEqual({ items: [], outbox: 0 });
  });

  test("spins past its soft timeout without waiting is timed out all the same", async () => {
    using folder = temporaryFolder();
    using sense = bench(folder);
    const outcome = await sense.run((db) => {
      insert(db, 1);
      for (const until = performance.now() + 30; performance.now() < until; );
      return 1;
    }, 10);
    expect(outcome).toEqual({ kind: "timed-out" });
    expect(sense.kept()).toEqual({ items: [], outbox: 0 });
  });

  test("throws because it was aborted has timed out, not failed", async () => {
    using folder = temporaryFolder();
    using sense = bench(folder);
    expect(
      await sense.run(async (_, { signal }) => {
        await turn();
        await turn();
        await until("the compute is aborted", () => signal.aborted);
        signal.throwIfAborted();
      }, 5),
    ).toEqual({ kind: "timed-out" });
  });

  test("may run for a month is not timed out at once", async () => {
    using folder = temporaryFolder();
    using sense = bench(folder);
    const outcome = await sense.run(async (_, { signal }) => {
      await Bun.sleep(20);
      return signal.aborted;
    }, 30 * 86_400_000);
    expect(outcome).toMatchObject({ kind: "signal", payload: false });
  });

  test("is aborted by a shutdown keeps nothing", async () => {
    using folder = temporaryFolder();
    using sense = bench(folder);
    const running = start(sense.db, async (db, { signal }) => {
      insert(db, 1);
      await until("the compute is aborted", () => signal.aborted);
      expect(signal.reason).toMatchObject({ name: "AbortError", message: "nerve is stopping" });
      return 1;
    });
    await running.prompt;
    running.abort();
    expect(await running.outcome).toEqual({ kind: "aborted" });
    expect(sense.kept()).toEqual({ items: [], outbox: 0 });
  });

  test("is prompt lets the next begin at once, one that waits does not hold it up", async () => {
    using folder = temporaryFolder();
    using sense = bench(folder);
    let release = (): void => {};
    const waiting = start(
      sense.db,
      () =>
        new Promise((resolve) => {
          release = () => resolve(null);
        }),
    );
    await waiting.prompt;
    release();
    expect(await waiting.outcome).toEqual({ kind: "no-signal", wrote: false });
  });
});

describe("the author's handle", () => {
  test.each([
    ["SELECT * FROM nowhere", "no such table: nowhere"],
    ["SELECT extra FROM items", "no such column: extra"],
    ["INSERT INTO items (n, extra) VALUES (1, 2)", "table items has no column named extra"],
  ])("%s names the migration that may be missing", async (text, message) => {
    using folder = temporaryFolder();
    using sense = bench(folder);
    expect(await sense.run((db) => db.all(sql.raw(text)))).toMatchObject({
      kind: "failed",
      message: `SQLiteError: ${message} (no migration has made it: add a file to migrations/)`,
    });
  });

  test("is refused while no compute runs, retained and prepared statements too", async () => {
    using folder = temporaryFolder();
    using sense = bench(folder);
    const OUTSIDE = "the sense's database can only be used while its compute runs";
    let retained: SenseDatabase | null = null;
    let prepared: { run(): unknown } | null = null;
    expect(() => insert(sense.db.database, 1)).toThrow();
    await sense.run((db) => {
      retained = db;
      prepared = db.insert(items).values({ n: 1 }).prepare();
      return null;
    });
    const late = retained as unknown as SenseDatabase;
    const reasons: string[] = [];
    for (const use of [
      () => insert(late, 1),
      () => late.select().from(items).all(),
      () => (prepared as unknown as { run(): unknown }).run(),
      () => late.transaction(() => 1),
    ]) {
      try {
        use();
      } catch (error) {
        reasons.push(String((error as Error).cause ?? error));
      }
    }
    expect(reasons).toEqual(Array(4).fill(`Error: ${OUTSIDE}`));
    expect(sense.kept()).toEqual({ items: [], outbox: 0 });
    // In the next compute a statement prepared in an earlier one works again.
    expect(await sense.run(() => [(prepared as unknown as { run(): unknown }).run()].length)).toMatchObject({
      kind: "signal",
      wrote: true,
    });
    expect(sense.kept()).toEqual({ items: [1], outbox: 1 });
  });

  test("is refused to what an earlier compute left running, also while the next one runs", async () => {
    using folder = temporaryFolder();
    using sense = bench(folder);
    const as = (author: Author) => asAuthor.run({ sense: "s", trace: null }, () => sense.run(author));
    let resume = (): void => {};
    let leftover: Promise<unknown> = Promise.resolve();
    await as((db) => {
      const paused = new Promise<void>((resolve) => {
        resume = resolve;
      });
      leftover = paused.then(() => insert(db, 1)).catch((error) => describeThrown(error).message);
      return null;
    });
    const outcome = await as(async (db) => {
      insert(db, 2);
      resume();
      expect(await leftover).toContain("the sense's database can only be used while its compute runs");
      return 1;
    });
    expect(outcome).toMatchObject({ kind: "signal", wrote: true });
    expect(sense.kept()).toEqual({ items: [2], outbox: 1 });
  });

  test("opens no file until it is used", async () => {
    using folder = temporaryFolder();
    using sense = bench(folder);
    await sense.run(() => 1);
    expect(existsSync(sense.file)).toBe(false);
    await sense.run((db) => db.select().from(items).all());
    expect(existsSync(sense.file)).toBe(true);
  });

  test("that cannot be opened fails each compute with the reason, and only those that use it, until it can", async () => {
    using folder = temporaryFolder();
    const db = openSenseDb(
      folder.file("none", "sense.db"),
      MIGRATIONS,
      0,
      () => 0,
      () => {},
    );
    expect(await start(db, () => 1).outcome).toMatchObject({ kind: "signal" });
    for (let time = 0; time < 2; time++) {
      const outcome = await start(db, (given) => given.all(sql`SELECT 1`)).outcome;
      expect(outcome).toMatchObject({ kind: "failed" });
      expect(JSON.stringify(outcome)).toContain("none/sense.db");
    }
    mkdirSync(folder.file("none"));
    expect(await start(db, (given) => given.all(sql`SELECT 1`)).outcome).toMatchObject({ kind: "signal" });
    db.close();
  });
});

describe("the outbox", () => {
  test("gives a signal an id above every one the kernel has taken, also after the file was replaced", async () => {
    using folder = temporaryFolder();
    const ids: (number | null)[] = [];
    const one = async (taken: number): Promise<void> => {
      using sense = bench(folder, taken);
      const outcome = await sense.run((db) => {
        db.run(sql`INSERT OR REPLACE INTO items VALUES (1)`);
        return 1;
      });
      ids.push(outcome.kind === "signal" ? outcome.outbox : null);
    };
    await one(0);
    await one(1);
    await one(41);
    rmSync(folder.file("sense.db"));
    rmSync(folder.file("sense.db-wal"));
    await one(42);
    await one(7);
    expect(ids).toEqual([1, 2, 42, 43, 44]);
  });

  test("keeps what the kernel has not taken, in order, with its cause and trace", async () => {
    using folder = temporaryFolder();
    const sense = bench(folder);
    for (const n of [1, 2, 3]) await sense.run((db) => put(db, n, { n }));
    const row = (id: number) => ({ id, payload: { n: id }, cause: 4, trace: TRACE });
    expect(sense.db.waiting(0, 10)).toEqual([row(1), row(2), row(3)]);
    expect(sense.db.waiting(1, 1)).toEqual([row(2)]);
    sense.db.taken(2);
    // Removed with the next compute that writes, not before.
    expect(sense.kept().outbox).toBe(3);
    await sense.run((db) => put(db, 4, null));
    expect(sense.db.waiting(0, 10)).toEqual([row(3)]);
    sense.db.taken(1);
    sense.db.taken(3);
    sense.db.close();
    expect(sense.kept()).toEqual({ items: [1, 2, 3, 4], outbox: 0 });
  });

  test("a removal that was rolled back is done again", async () => {
    using folder = temporaryFolder();
    using sense = bench(folder);
    await sense.run((db) => put(db, 1, 1));
    sense.db.taken(1);
    await sense.run((db) => {
      insert(db, 2);
      throw new Error("no");
    });
    expect(sense.kept().outbox).toBe(1);
    await sense.run((db) => put(db, 2, null));
    expect(sense.kept()).toEqual({ items: [1, 2], outbox: 0 });
  });

  test("a database another process is writing fails the compute whole, and closing it does not fail", async () => {
    using folder = temporaryFolder();
    const sense = bench(folder);
    await sense.run((db) => {
      db.run(sql`PRAGMA busy_timeout = 20`);
      return put(db, 1, 1);
    });
    sense.db.taken(1);
    using other = new Database(sense.file);
    other.run("BEGIN IMMEDIATE");
    const outcome = await sense.run((db) => put(db, 2, 1));
    expect(outcome.kind).toBe("failed");
    expect(JSON.stringify(outcome)).toContain("locked");
    sense.db.close();
    other.run("ROLLBACK");
    expect(sense.kept()).toEqual({ items: [1], outbox: 1 });
  });

  test("a damaged row of the outbox is named with its remedy, and is a problem of this sense alone", () => {
    using folder = temporaryFolder();
    const migrations = [{ name: "1.sql", sql: "CREATE TABLE t (x)" }];
    for (const values of ["9, '{bad', NULL, 'zz', 1", "9, '1', 'x', 'zz', 1", "9, '1', NULL, x'00', 1"]) {
      const file = folder.file(`${Bun.hash(values)}.db`);
      const first = openSenseDb(
        file,
        migrations,
        3,
        () => 0,
        () => {},
      );
      expect(first.prepare().ok).toBe(true);
      first.close();
      {
        using other = new Database(file);
        other.run(`INSERT INTO _outbox VALUES (${values})`);
      }
      const again = openSenseDb(
        file,
        migrations,
        3,
        () => 0,
        () => {},
      );
      const prepared = again.prepare();
      expect(prepared.ok ? "" : prepared.error.message).toContain("row 9 of the table _outbox is damaged");
      expect(prepared.ok ? "" : prepared.error.message).toContain("DELETE FROM _outbox WHERE id = 9");
      again.close();
    }
  });

  test("a table of the author's under our name is a problem of this sense, and no crash", () => {
    using folder = temporaryFolder();
    for (const [index, definition] of ["CREATE TABLE _outbox (x)", "CREATE VIEW _outbox AS SELECT 1"].entries()) {
      const db = openSenseDb(
        folder.file(`${index}.db`),
        [{ name: "1.sql", sql: definition }],
        3,
        () => 0,
        () => {},
      );
      const prepared = db.prepare();
      expect(prepared).toMatchObject({ ok: false, error: { kind: "io" } });
      expect(prepared.ok ? "" : prepared.error.message).toContain(`${index}.db: _outbox is a name of nerve's own`);
      db.close();
    }
  });
});

describe("a payload", () => {
  test.each<[name: string, value: unknown, problem: string]>([
    ["undefined", undefined, "compute returned undefined; return a payload, or null for no signal"],
    ["NaN", Number.NaN, "the payload is not JSON: NaN is not a JSON number"],
    ["Infinity in a list", { a: [1, Infinity] }, "the payload is not JSON: a[1]: Infinity is not a JSON number"],
    ["a Date", { host: { at: new Date() } }, "the payload is not JSON: host.at: Date is not a JSON value"],
    ["a Map", new Map(), "the payload is not JSON: Map is not a JSON value"],
    ["a function", { f() {} }, "the payload is not JSON: f: a function is not a JSON value"],
    ["a bigint", [10n], "the payload is not JSON: [0]: a bigint is not a JSON value"],
    ["a missing field", { x: undefined }, "the payload is not JSON: x: undefined is not a JSON value"],
    [
      "__proto__",
      JSON.parse('{"x":{"__proto__":{}}}'),
      "the payload is not JSON: x.__proto__: the key __proto__ is refused",
    ],
    [
      "a trap",
      new Proxy(
        {},
        {
          ownKeys() {
            throw new Error("trap");
          },
        },
      ),
      "the payload cannot be read: Error: trap",
    ],
  ])("that is %s is refused by name and path", (_, value, problem) =>
    expect(payloadAs(value, null)).toEqual({ ok: false, error: problem }),
  );

  test.each(["a", "ä", "€", "💥", "\u0000", "\ud800", '"'])(
    "of %j may hold 64 KiB of UTF-8 as JSON, and no byte more",
    (character) => {
      const size = Buffer.byteLength(JSON.stringify(character)) - 2;
      const fits = Math.floor((MAX_VALUE_BYTES - 2) / size);
      const padding = "x".repeat(MAX_VALUE_BYTES - 2 - fits * size);
      const full = character.repeat(fits) + padding;
      expect(Buffer.byteLength(JSON.stringify(full))).toBe(MAX_VALUE_BYTES);
      expect(payloadAs(full, null)).toEqual({
        ok: true,
        value: full.toWellFormed() === full ? full : JSON.parse(JSON.stringify(full)),
      });
      expect(payloadAs(`${full}x`, null)).toMatchObject({ ok: false, error: expect.stringContaining("over 64 KiB") });
    },
  );

  describe("that the sense declares", () => {
    const declared = type({ host: "string", usage: { "+": "reject", root: "0 <= number <= 100" } });

    test("is kept as it was returned", () => {
      const value = { host: "a", usage: { root: 7 }, further: [1] };
      expect(payloadAs(value, declared)).toEqual({ ok: true, value });
    });

    test.each<[unknown, string]>([
      [{ host: "a", usage: { root: 101 } }, "usage.root must be at most 100 (was 101)"],
      [{ host: "a", usage: {} }, "usage.root must be a number (was missing)"],
      [{ host: 1, usage: { root: 1, var: 2 } }, "host must be a string (was a number); usage.var must be removed"],
      ["text", "must be an object (was a string)"],
    ])("and is not %j names the path and what was expected", (value, why) => {
      const error = `the payload is not what the sense declares it to be: ${why}`;
      expect(payloadAs(value, declared)).toEqual({ ok: false, error });
    });

    test("is not changed by the morphs and defaults of its type, nor by a schema that changes what it is given", () => {
      const morphs = type({ at: "string.integer.parse", "unit?": "string", size: "number = 5" });
      expect(payloadAs({ at: "7" }, morphs)).toEqual({ ok: true, value: { at: "7" } });
      const changes = {
        "~standard": {
          validate: (value: unknown) => {
            (value as { list: number[] }).list.push(3);
            return { value };
          },
        },
      };
      const value = { list: [1] };
      expect(payloadAs(value, changes)).toEqual({ ok: true, value: { list: [1] } });
      expect(value).toEqual({ list: [1] });
    });

    test("may not be checked asynchronously, or by a type that throws", () => {
      const later = { "~standard": { validate: () => Promise.reject(new Error("later")) } };
      const throwing = type("string").narrow(() => {
        throw new TypeError("inside");
      });
      const error = "the payload is not what the sense declares it to be: its `payload` ";
      expect(payloadAs("x", later)).toEqual({
        ok: false,
        error: `${error}is validated asynchronously, which is not supported`,
      });
      expect(payloadAs("x", throwing)).toEqual({ ok: false, error: `${error}threw: TypeError: inside` });
    });

    test("is JSON first", () => {
      expect(payloadAs({ at: new Date(0) }, type({ at: "Date" }))).toMatchObject({
        ok: false,
        error: expect.stringContaining("the payload is not JSON: at"),
      });
      expect(payloadAs(undefined, type("unknown"))).toMatchObject({ ok: false });
    });
  });

  test("may be anything else that is JSON", () => {
    for (const value of [0, -0, "", false, true, [], {}, [null], { a: { b: [1.5, "x"] } }])
      expect(payloadAs(value, null)).toEqual({ ok: true, value: JSON.parse(JSON.stringify(value)) });
  });
});
