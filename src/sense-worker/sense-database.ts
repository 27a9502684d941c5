/**
 * A sense's own database and the one transaction that each of its computes is (G7): it begins at the first statement,
 * is kept together with the compute's signal in `_outbox`, or is rolled back whole. Opened at the first use, so that a
 * sense that keeps nothing has no file.
 */
import type { Database, Statement } from "bun:sqlite";
import type { Json } from "../base/json.ts";
import { err, ok, type Result } from "../base/result.ts";
import type { SenseDatabase } from "../sdk/index.ts";
import { isExplain, once } from "../sqlite/explain.ts";
import { type MigrationFile, type MigrationProblem, runMigrations } from "../sqlite/migrate.ts";
import { describeSqliteError, openWriter, type SqliteProblem } from "../sqlite/open.ts";
import { leavesTransaction, splitStatements } from "../sqlite/statements.ts";
import { type Author, author } from "./author.ts";
import { savepoints } from "./savepoints.ts";

export interface OutboxRow {
  readonly id: number;
  readonly payload: Json;
  readonly cause: number | null;
  readonly trace: string;
}

/** How a compute's transaction ended: `outbox` is the row its signal was kept in, null when the compute wrote nothing. */
export interface Kept {
  readonly outbox: number | null;
  readonly wrote: boolean;
}

export interface SenseDb {
  /** What the author gets. Its statements run only while a compute is under way. */
  readonly database: SenseDatabase;
  /** Opens the file and applies migrations now; names those applied. A sense without migrations need not. */
  prepare(): Result<readonly string[], SqliteProblem | MigrationProblem>;
  begin(): void;
  /** Keeps what was written since `begin`, with the signal if there is one. Throws what SQLite throws, having rolled back. */
  keep(signal: { payload: Json; cause: number | null; trace: string; at: number } | null): Kept;
  rollBack(): void;
  /** Rows the kernel has not taken yet, oldest first, at most `limit`. */
  waiting(after: number, limit: number): OutboxRow[];
  /** The kernel has committed the rows up to `id`: they go with the next compute's transaction or at close. */
  taken(id: number): void;
  close(): void;
}

const CREATE_OUTBOX = `CREATE TABLE IF NOT EXISTS _outbox (
  id INTEGER PRIMARY KEY AUTOINCREMENT, payload TEXT NOT NULL, cause INTEGER, trace TEXT NOT NULL, at INTEGER NOT NULL)`;
const OUTBOX_EXISTS = "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = '_outbox'";

const OUTSIDE = "the sense's database can only be used while its compute runs";
const LOST = "the compute's transaction was rolled back by a conflict, nothing more can be written in it";
/** What may change the file without counting as a change of rows. */
const DEFINES = new Set(["CREATE", "ALTER", "DROP", "REINDEX", "ANALYZE", "PRAGMA"]);

class AuthorError extends Error {}

/** Everything that exists once the file is open. */
interface Connection {
  readonly raw: Database;
  readonly totalChanges: Statement<{ n: number }, []>;
  readonly insert: Statement<{ id: number }, [string, number | null, string, number]>;
  readonly remove: Statement<unknown, [number]>;
}

/**
 * `outboxTaken` is the highest row the kernel has ever taken from this sense: new rows get higher ids even if the file
 * was restored from a copy or lost its last commits. `migrations` are read by the caller.
 */
export function openSenseDb(
  file: string,
  migrations: readonly MigrationFile[],
  outboxTaken: number,
  now: () => number,
): SenseDb {
  let connection: Connection | null = null;
  let active = false;
  let owner: Author | null = null;
  let inTransaction = false;
  let defined = false;
  let changesBefore = 0;
  let takenUpTo = outboxTaken;
  let removedUpTo = 0;

  const prepare = (): Result<readonly string[], SqliteProblem | MigrationProblem> => {
    if (connection) return ok([]);
    const opened = openWriter(file, "normal");
    if (!opened.ok) return err(opened.error);
    const raw = opened.value;
    try {
      const applied = runMigrations(raw, migrations, now());
      if (applied.ok) connection = connect(raw);
      else raw.close(true);
      return applied;
    } catch (error) {
      // A full disk, a damaged page, or a table of the author's that has the name of one of ours.
      raw.close(true);
      return err(describeSqliteError(file, error));
    }
  };

  const connect = (raw: Database): Connection => {
    if (raw.query(OUTBOX_EXISTS).get() === null) raw.run(CREATE_OUTBOX);
    liftSequence(raw);
    return {
      raw,
      totalChanges: raw.prepare("SELECT total_changes() AS n"),
      insert: raw.prepare("INSERT INTO _outbox (payload, cause, trace, at) VALUES (?, ?, ?, ?) RETURNING id"),
      remove: raw.prepare("DELETE FROM _outbox WHERE id <= ?"),
    };
  };

  const liftSequence = (raw: Database): void => {
    const row = raw.query<{ seq: number }, []>("SELECT seq FROM sqlite_sequence WHERE name = '_outbox'").get();
    if (row === null && outboxTaken > 0)
      raw.query("INSERT INTO sqlite_sequence (name, seq) VALUES ('_outbox', ?)").run(outboxTaken);
    if (row !== null && row.seq < outboxTaken)
      raw.query("UPDATE sqlite_sequence SET seq = ? WHERE name = '_outbox'").run(outboxTaken);
  };

  const open = (): Connection => {
    if (connection === null) {
      const prepared = prepare();
      if (!prepared.ok) throw new AuthorError(prepared.error.message);
    }
    if (connection === null) throw new AuthorError(`${file} is closed`);
    return connection;
  };

  /** Every statement of the author passes here. */
  const enter = (): Connection => {
    // What an earlier compute left running must not write into the one under way now.
    if (!active || (author.getStore() ?? owner) !== owner) throw new AuthorError(OUTSIDE);
    const opened = open();
    if (!inTransaction) {
      opened.raw.run("BEGIN");
      inTransaction = true;
      defined = false;
      changesBefore = opened.totalChanges.get()?.n ?? 0;
    }
    // INSERT OR ROLLBACK and RAISE(ROLLBACK) end it; what came after would each be kept on its own.
    if (!opened.raw.inTransaction) throw new AuthorError(LOST);
    return opened;
  };

  const checked = new Map<string, boolean>();
  const check = (sql: string): void => {
    const known = checked.get(sql);
    const defines = known ?? inspect(sql);
    if (defines) defined = true;
    if (known === undefined) {
      if (checked.size >= 200) checked.clear();
      checked.set(sql, defines);
    }
  };

  const guarded = (sql: string): Record<string, unknown> => {
    check(sql);
    const statement = enter().raw.query(sql);
    const explains = isExplain(sql);
    const call =
      (verb: "run" | "all" | "get" | "values") =>
      (...parameters: unknown[]): unknown => {
        const { raw } = enter();
        check(sql);
        const act = (on: Statement): unknown => on[verb](...(parameters as never[]));
        return explains ? once(raw, sql, act) : act(statement);
      };
    return { run: call("run"), all: call("all"), get: call("get"), values: call("values") };
  };

  const client = Object.freeze({
    prepare: guarded,
    query: guarded,
    run: (sql: string, ...parameters: unknown[]) => (guarded(sql).run as (...p: unknown[]) => unknown)(...parameters),
    exec: (sql: string, ...parameters: unknown[]) => (guarded(sql).run as (...p: unknown[]) => unknown)(...parameters),
    /** What drizzle calls to make its `tx`; the savepoint around it is made below. */
    transaction(body: (...parameters: never[]) => unknown) {
      return Object.assign(body, { deferred: body, immediate: body, exclusive: body });
    },
  });

  const nested = savepoints();
  /** `handle` (drizzle's database, or the `tx` made of it) with `transaction` as a savepoint, whatever its body returns. */
  const handleOn = (handle: () => object, inside: (body: (tx: object) => unknown) => unknown): object => {
    const transaction = (body: (tx: object) => unknown): unknown =>
      nested.around(enter().raw, () =>
        inside((tx) => {
          const own: object = handleOn(
            () => tx,
            (deeper) => deeper(own),
          );
          return body(own);
        }),
      );
    return new Proxy(
      {},
      {
        get(_, key) {
          if (key === "transaction") return transaction;
          const value = Reflect.get(handle(), key);
          return typeof value === "function" ? value.bind(handle()) : value;
        },
        getPrototypeOf: () => Reflect.getPrototypeOf(handle()),
      },
    );
  };

  let drizzled: object | null = null;
  const orm = (): object => {
    if (drizzled === null) {
      const { drizzle } = require("drizzle-orm/bun-sqlite") as typeof import("drizzle-orm/bun-sqlite");
      drizzled = drizzle({ client: client as unknown as Database });
    }
    return drizzled;
  };
  const database = handleOn(orm, (body) => {
    const real = orm() as { transaction(body: (tx: object) => unknown): unknown };
    return real.transaction(body);
  }) as SenseDatabase;

  const rollBack = (): void => {
    active = false;
    nested.reset();
    if (!inTransaction) return;
    inTransaction = false;
    if (connection?.raw.inTransaction) connection.raw.run("ROLLBACK");
  };

  const removeTaken = ({ remove }: Connection): void => {
    if (takenUpTo <= removedUpTo) return;
    remove.run(takenUpTo);
    removedUpTo = takenUpTo;
  };

  return {
    database,
    prepare,
    begin() {
      active = true;
      owner = author.getStore() ?? null;
    },
    keep(signal) {
      active = false;
      if (!inTransaction || connection === null) return { outbox: null, wrote: false };
      const opened = connection;
      if (!opened.raw.inTransaction || nested.open > 0) {
        const why = nested.open > 0 ? "a db.transaction had not ended when the compute returned: await it" : LOST;
        rollBack();
        throw new AuthorError(why);
      }
      const wrote = defined || (opened.totalChanges.get()?.n ?? 0) !== changesBefore;
      try {
        let outbox: number | null = null;
        if (wrote) {
          removeTaken(opened);
          if (signal) {
            outbox =
              opened.insert.get(JSON.stringify(signal.payload), signal.cause, signal.trace, signal.at)?.id ?? null;
          }
        }
        opened.raw.run("COMMIT");
        inTransaction = false;
        return { outbox, wrote };
      } catch (error) {
        removedUpTo = 0;
        rollBack();
        throw error;
      }
    },
    rollBack,
    waiting(after, limit) {
      if (connection === null) return [];
      return connection.raw
        .query<{ id: number; payload: string; cause: number | null; trace: string }, [number, number]>(
          "SELECT id, payload, cause, trace FROM _outbox WHERE id > ? ORDER BY id LIMIT ?",
        )
        .all(after, limit)
        .map((row) => ({ ...row, payload: JSON.parse(row.payload) as Json }));
    },
    taken(id) {
      if (id > takenUpTo) takenUpTo = id;
    },
    close() {
      rollBack();
      if (connection === null) return;
      try {
        removeTaken(connection);
        connection.raw.run("PRAGMA wal_checkpoint(TRUNCATE)");
      } catch {
        // Someone else holds the file, or the disk is full: neither is needed, and leaving must not fail.
      }
      connection.raw.close(true);
      connection = null;
    },
  };
}

/** True when `sql` changes the schema. Throws for what a compute must not run. */
function inspect(sql: string): boolean {
  const statements = splitStatements(sql);
  const first = statements[0];
  if (statements.length > 1)
    throw new AuthorError("only one statement at a time: the ones after the first would be ignored");
  if (first && leavesTransaction(first)) {
    throw new AuthorError(`${first.keyword} is not allowed: a compute is one transaction, kept when it returns`);
  }
  return first !== undefined && DEFINES.has(first.keyword);
}
