/**
 * A database as it is at one moment: a read transaction that stays open while others write, and a whole copy of what the
 * transaction sees. `VACUUM INTO` would begin a transaction of its own, so the copy is made page by page.
 */
import { Database } from "bun:sqlite";
import { backup, DatabaseSync } from "node:sqlite";
import { fileKind } from "../base/file-kind.ts";
import { err, ok, type Result } from "../base/result.ts";
import { syncPath } from "../base/sync-path.ts";
import { describeSqliteError, type SqliteProblem } from "./open.ts";

const BUSY_MS = 5_000;
/** Between two batches the process can obey a signal. */
const PAGES_A_BATCH = 4_096;

/** What a read-only connection of either kind answers to. */
export interface Reading {
  /** The one value of the first row, null where there is none. */
  value(sql: string, ...parameters: (string | number)[]): unknown;
}

const connect = (file: string): DatabaseSync => new DatabaseSync(file, { readOnly: true, timeout: BUSY_MS });

/** What went wrong with which file. */
export class SnapshotFault extends Error {
  readonly found: SqliteProblem;

  constructor(file: string, error: unknown) {
    super((error as Error).message);
    this.found = describeNodeError(file, error);
  }
}

export class Snapshot implements Reading {
  readonly file: string;
  readonly #reader: DatabaseSync;
  /** Stands outside of the transaction, so that it sees the commits of others. */
  readonly #watcher: DatabaseSync;
  readonly #version;
  #isBegun = false;

  /** Opens the connections; nothing is read yet. Throws {@link SnapshotFault}, as everything but `copyTo` does. */
  constructor(file: string) {
    this.file = file;
    try {
      const kind = fileKind(file);
      if (kind !== "a plain file") throw new Error(`it is not a plain file but ${kind ?? "missing"}`);
      this.#reader = connect(file);
      this.#watcher = connect(file);
      this.#version = this.#watcher.prepare("PRAGMA data_version");
    } catch (error) {
      throw new SnapshotFault(file, error);
    }
  }

  /** Changes whenever somebody has committed to the database. */
  get version(): unknown {
    try {
      return this.#version.get()?.data_version;
    } catch (error) {
      throw new SnapshotFault(this.file, error);
    }
  }

  /** What is read from here on is as it is at this moment. */
  begin(): void {
    try {
      if (this.#isBegun) this.#reader.exec("ROLLBACK");
      this.#reader.exec("BEGIN");
    } catch (error) {
      throw new SnapshotFault(this.file, error);
    }
    this.#isBegun = true;
    this.value("SELECT count(*) FROM sqlite_schema");
  }

  value(sql: string, ...parameters: (string | number)[]): unknown {
    return this.values(sql, ...parameters)[0] ?? null;
  }

  /** The first column of every row. */
  values(sql: string, ...parameters: (string | number)[]): unknown[] {
    try {
      return this.#reader
        .prepare(sql)
        .all(...parameters)
        .map((row) => Object.values(row)[0]);
    } catch (error) {
      throw new SnapshotFault(this.file, error);
    }
  }

  /** A whole copy in one file, which does not exist yet, durable when it is there. */
  async copyTo(file: string): Promise<Result<void, SqliteProblem>> {
    try {
      await backup(this.#reader, file, { rate: PAGES_A_BATCH });
      return seal(file);
    } catch (error) {
      return err(describeNodeError(file, error));
    }
  }

  close(): void {
    this.#reader.close();
    this.#watcher.close();
  }
}

/** Errors of `node:sqlite` have the number of SQLite's code only. Source: https://www.sqlite.org/rescode.html */
const CODES: Readonly<Record<number, string>> = { 5: "SQLITE_BUSY", 10: "SQLITE_IOERR", 13: "SQLITE_FULL" };

function describeNodeError(file: string, error: unknown): SqliteProblem {
  const { errcode = 0, code = "" } = error as { errcode?: number; code?: string };
  const known = CODES[errcode & 0xff] ?? (code.startsWith("E") && !code.startsWith("ERR_") ? code : "");
  return describeSqliteError(file, Object.assign(new Error((error as Error).message), { code: known }));
}

/** Takes the copy out of WAL mode, so that it is one file, which can be read where nothing can be written. */
function seal(file: string): Result<void, SqliteProblem> {
  let db: Database | null = null;
  try {
    db = new Database(file, { readwrite: true, strict: true });
    db.run("PRAGMA journal_mode = DELETE");
    const found = db.query<{ quick_check: string }, []>("PRAGMA quick_check(1)").get()?.quick_check ?? "ok";
    if (found !== "ok") return err({ kind: "not-a-database", file, message: `it is damaged: ${found}` });
    db.close(true);
    db = null;
    syncPath(file);
    return ok(undefined);
  } catch (error) {
    return err(describeSqliteError(file, error));
  } finally {
    db?.close(true);
  }
}
