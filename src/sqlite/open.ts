/** How every SQLite file of nerve is opened: the two kinds of connection there are, and what is set on each. */
import { constants, Database, SQLiteError } from "bun:sqlite";
import { chmodSync, closeSync, lstatSync, openSync } from "node:fs";
import { err, ok, type Result } from "../base/result.ts";
import { WAL_LIMIT_BYTES } from "./wal.ts";

/** How long a statement of a writer waits for another connection, unless its owner says otherwise. */
export const WRITER_BUSY_MS = 5_000;

export interface SqliteProblem {
  readonly kind:
    | "not-a-database"
    | "trigger"
    | "locked"
    | "no-space"
    | "permission"
    | "missing"
    | "symlink"
    | "not-plain"
    | "io";
  readonly file: string;
  readonly message: string;
}

const KINDS: Readonly<Record<string, SqliteProblem["kind"]>> = {
  SQLITE_NOTADB: "not-a-database",
  SQLITE_CORRUPT: "not-a-database",
  SQLITE_FORMAT: "not-a-database",
  SQLITE_MISMATCH: "not-a-database",
  // Every statement of nerve's is right on the tables nerve made: something of them is gone.
  SQLITE_ERROR: "not-a-database",
  SQLITE_SCHEMA: "not-a-database",
  SQLITE_CONSTRAINT_TRIGGER: "trigger",
  SQLITE_BUSY: "locked",
  SQLITE_FULL: "no-space",
  SQLITE_READONLY: "permission",
  SQLITE_PERM: "permission",
  EACCES: "permission",
  ENOSPC: "no-space",
  ENOENT: "missing",
};

/** Names the file and sorts the failure, so that callers switch on `kind` and never on a message. */
export function describeSqliteError(file: string, error: unknown): SqliteProblem {
  const code = (error as { code?: string }).code ?? "";
  const kind = KINDS[code] ?? KINDS[code.split("_").slice(0, 2).join("_")] ?? "io";
  const message = error instanceof SQLiteError || error instanceof Error ? error.message : String(error);
  return { kind, file, message: `${file}: ${message}${code === "" ? "" : ` (${code})`}` };
}

/** A link inside the data directory could lead a write anywhere. */
export const isSymlink = (file: string): boolean =>
  lstatSync(file, { throwIfNoEntry: false })?.isSymbolicLink() === true;

const notPlain = (file: string): SqliteProblem => ({
  kind: "not-plain",
  file,
  message: `${file} is not a plain file`,
});

/**
 * Makes an empty file with mode 0600 where there is none. An existing file is not touched: closing any descriptor of a file
 * lets go of every lock this process holds on it, those of its other connections too. Source: fcntl(2).
 */
export function makeFile(file: string): void {
  const stats = lstatSync(file, { throwIfNoEntry: false });
  if (stats === undefined) closeSync(openSync(file, "a", 0o600));
  else if (!stats.isFile()) throw new Error("it is not a plain file");
}

/**
 * The one writing connection to `file`, made if absent (mode 0600). WAL; `full` syncs each commit, `normal` at
 * checkpoints; -wal and -shm are kept at close, so that a read-only open needs no write to the folder.
 */
export function openWriter(file: string, durability: "full" | "normal"): Result<Database, SqliteProblem> {
  try {
    if (isSymlink(file))
      return err({ kind: "symlink", file, message: `${file} is a symbolic link; nerve keeps plain files` });
    makeFile(file);
    chmodSync(file, 0o600);
    const db = new Database(file, { readwrite: true, create: true, strict: true });
    try {
      db.fileControl(constants.SQLITE_FCNTL_PERSIST_WAL, 1);
      db.run(`PRAGMA busy_timeout = ${WRITER_BUSY_MS}`);
      db.run("PRAGMA journal_mode = WAL");
      db.run(`PRAGMA journal_size_limit = ${WAL_LIMIT_BYTES}`);
      db.run(`PRAGMA synchronous = ${durability === "full" ? "FULL" : "NORMAL"}`);
      db.run("PRAGMA foreign_keys = ON");
      db.run("PRAGMA trusted_schema = OFF");
      return ok(db);
    } catch (error) {
      db.close(true);
      throw error;
    }
  } catch (error) {
    return err(describeSqliteError(file, error));
  }
}

/** A connection that cannot write. Fails with `missing` while the file does not exist. */
export function openReader(file: string): Result<Database, SqliteProblem> {
  try {
    if (isSymlink(file))
      return err({ kind: "symlink", file, message: `${file} is a symbolic link; nerve keeps plain files` });
    const stats = lstatSync(file, { throwIfNoEntry: false });
    if (stats === undefined) return err({ kind: "missing", file, message: `${file} does not exist` });
    // A named pipe would be waited for.
    if (!stats.isFile()) return err(notPlain(file));
    const db = new Database(file, { readonly: true, strict: true });
    try {
      db.run("PRAGMA busy_timeout = 1000");
      db.run("PRAGMA query_only = ON");
      db.run("PRAGMA trusted_schema = OFF");
      db.query("SELECT 1 FROM sqlite_schema LIMIT 1").get();
      return ok(db);
    } catch (error) {
      db.close(true);
      throw error;
    }
  } catch (error) {
    return err(describeSqliteError(file, error));
  }
}
