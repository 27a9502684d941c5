/** How every SQLite file of nerve is opened: the two kinds of connection there are, and what is set on each. */
import { constants, Database, SQLiteError } from "bun:sqlite";
import { chmodSync, closeSync, openSync, statSync } from "node:fs";
import { fileKind } from "../base/file-kind.ts";
import { err, ok, type Result } from "../base/result.ts";
import { makeDatabase } from "./new-database.ts";
import { once } from "./once.ts";
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

/** What SQLite keeps beside a database, and what a person loses with it. */
const BESIDE: readonly (readonly [ending: string, remedy: string])[] = [
  ["", "move it away"],
  ["-wal", "move it away, and put back the file of that name: it holds the newest commits"],
  ["-shm", "move it away: SQLite makes it anew"],
];

/**
 * What is in the way of opening the database `file`, or null. A link inside the data directory could lead a write
 * anywhere, and a named pipe would be waited for.
 */
function inTheWay(file: string): SqliteProblem | null {
  for (const [ending, remedy] of BESIDE) {
    const path = `${file}${ending}`;
    const kind = fileKind(path);
    if (kind === null || kind === "a plain file") continue;
    const isLink = kind === "a symbolic link";
    const what = isLink ? `is ${kind}; nerve keeps plain files` : `is not a plain file but ${kind}`;
    return { kind: isLink ? "symlink" : "not-plain", file, message: `${path} ${what}: ${remedy}` };
  }
  const [size, walSize] = [sizeOf(file), sizeOf(`${file}-wal`)];
  if (size !== 0 || walSize === null || walSize === 0) return null;
  // SQLite would take the log for nobody's and remove it.
  return {
    kind: "not-a-database",
    file,
    message: `${file} is empty, though ${file}-wal holds ${walSize} bytes of commits`,
  };
}

/** Null: there is no such file. */
const sizeOf = (file: string): number | null => statSync(file, { throwIfNoEntry: false })?.size ?? null;

/**
 * Makes an empty file with mode 0600 where there is none. An existing file is not touched: closing any descriptor of a file
 * lets go of every lock this process holds on it, those of its other connections too. Source: fcntl(2).
 */
export function makeFile(file: string): void {
  if (fileKind(file) === null) closeSync(openSync(file, "a", 0o600));
}

/**
 * The one writing connection to `file`, made if absent (mode 0600). WAL; `full` syncs each commit, `normal` at
 * checkpoints; -wal and -shm are kept at close, so that a read-only open needs no write to the folder.
 */
export function openWriter(file: string, durability: "full" | "normal"): Result<Database, SqliteProblem> {
  try {
    const found = inTheWay(file);
    if (found !== null) return err(found);
    if (fileKind(file) === null) makeDatabase(file);
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

/**
 * Gives back the pages that a connection holds in memory: 20 from its first statement on, and up to 2 MB later. For one of
 * many connections that is seldom used. The next statement reads its pages from the operating system's cache.
 */
export const releasePages = (db: Database): void => void db.run("PRAGMA shrink_memory");

/** A connection that cannot write. Fails with `missing` while the file does not exist. */
export function openReader(file: string): Result<Database, SqliteProblem> {
  try {
    const found = inTheWay(file);
    if (found !== null) return err(found);
    if (fileKind(file) === null) return err({ kind: "missing", file, message: `${file} does not exist` });
    const db = new Database(file, { readonly: true, strict: true });
    try {
      db.run("PRAGMA busy_timeout = 1000");
      db.run("PRAGMA query_only = ON");
      db.run("PRAGMA trusted_schema = OFF");
      once(db, "SELECT 1 FROM sqlite_schema LIMIT 1", (statement) => statement.get());
      return ok(db);
    } catch (error) {
      db.close(true);
      throw error;
    }
  } catch (error) {
    return err(describeSqliteError(file, error));
  }
}
