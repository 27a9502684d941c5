/**
 * The one migration runner, for logs.db (embedded files) and for senses (a folder on disk): lexicographic order, each
 * file once, in one transaction with its row in `_migrations` (G7).
 */

import { type Database, SQLiteError } from "bun:sqlite";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { sha256 } from "../base/digest.ts";
import { err, ok, type Result } from "../base/result.ts";
import { once, transact } from "./once.ts";
import { leavesTransaction, type Statement, splitStatements } from "./statements.ts";

export interface MigrationFile {
  readonly name: string;
  readonly sql: string;
}

/** Why migrations were refused or stopped. Whatever was applied before the named file stays applied. */
export type MigrationProblem =
  | { readonly kind: "edited"; readonly file: string; readonly message: string }
  | { readonly kind: "vanished"; readonly file: string; readonly message: string }
  | { readonly kind: "out-of-order"; readonly file: string; readonly message: string }
  | { readonly kind: "forbidden-statement"; readonly file: string; readonly message: string }
  | { readonly kind: "failed"; readonly file: string; readonly message: string };

export const checksum = (sql: string): string => sha256(sql);

/** The `*.sql` files of a folder in lexicographic order; none when there is no such folder. Throws for what is there and cannot be read. */
export function readMigrations(folder: string): MigrationFile[] {
  let names: string[];
  try {
    names = readdirSync(folder);
  } catch (error) {
    if ((error as { code?: string }).code === "ENOENT") return [];
    throw error;
  }
  return names
    .filter((name) => name.endsWith(".sql"))
    .sort()
    .map((name) => ({ name, sql: readFileSync(join(folder, name), "utf8") }));
}

const CREATE_JOURNAL =
  "CREATE TABLE IF NOT EXISTS _migrations (name TEXT PRIMARY KEY, applied_at INTEGER NOT NULL, checksum TEXT NOT NULL)";

const APPLIED = "SELECT name, checksum FROM _migrations ORDER BY name";

interface Applied {
  name: string;
  checksum: string;
}

function history(applied: readonly Applied[], files: readonly MigrationFile[]): MigrationProblem | null {
  const known = new Map(files.map((file) => [file.name, file]));
  for (const row of applied) {
    const file = known.get(row.name);
    if (file === undefined) {
      return {
        kind: "vanished",
        file: row.name,
        message: `migration ${row.name} was applied and its file is gone; put it back`,
      };
    }
    if (checksum(file.sql) !== row.checksum) {
      return {
        kind: "edited",
        file: row.name,
        message: `migration ${row.name} was edited after it was applied; restore it and add a new file instead`,
      };
    }
  }
  const newest = applied.at(-1)?.name ?? "";
  const done = new Set(applied.map((row) => row.name));
  const late = files.find((file) => !done.has(file.name) && file.name < newest);
  if (late === undefined) return null;
  return {
    kind: "out-of-order",
    file: late.name,
    message: `migration ${late.name} sorts before ${newest}, which is already applied; give it a later name`,
  };
}

function forbidden(file: MigrationFile): MigrationProblem | null {
  if (file.sql.includes("\0")) {
    const message = `migration ${file.name} holds a NUL character, after which SQLite would read nothing`;
    return { kind: "forbidden-statement", file: file.name, message };
  }
  for (const statement of splitStatements(file.sql)) {
    if (!leavesTransaction(statement)) continue;
    return {
      kind: "forbidden-statement",
      file: file.name,
      message: `migration ${file.name}, line ${statement.line}: ${statement.keyword} is not allowed, each file already runs in a transaction of its own`,
    };
  }
  return null;
}

/** The disk has no room, or fails: nothing is wrong with the migration. */
const isDiskFault = (error: unknown): boolean =>
  /^SQLITE_(FULL|IOERR)/.test((error as { code?: string } | null)?.code ?? "");

/** Longest text of a statement that a message quotes. */
const MOST_QUOTED = 80;

/** A statement that failed, with the line on which SQLite found the fault, or on which the statement begins. */
class FailedStatement extends Error {
  constructor(statement: Statement, cause: SQLiteError) {
    const { byteOffset } = cause;
    const before = byteOffset > 0 ? Buffer.from(statement.text).subarray(0, byteOffset).toString() : "";
    const line = statement.line + before.split("\n").length - 1;
    const text = statement.text.replace(/\s+/g, " ");
    const quoted = text.length > MOST_QUOTED ? `${text.slice(0, MOST_QUOTED)}…` : text;
    super(`${cause.message}, at line ${line}: ${quoted}`, { cause });
  }
}

function runStatement(db: Database, statement: Statement): void {
  try {
    db.run(statement.text);
  } catch (error) {
    throw error instanceof SQLiteError && !isDiskFault(error) ? new FailedStatement(statement, error) : error;
  }
}

/** Runs the file in a transaction of its own. Throws for what fails, having rolled back. */
function apply(db: Database, file: MigrationFile, now: number): void {
  transact(db, "IMMEDIATE", () => {
    for (const statement of splitStatements(file.sql)) runStatement(db, statement);
    if (!db.inTransaction) throw new Error("it left its transaction");
    const row = "INSERT INTO _migrations (name, applied_at, checksum) VALUES (?, ?, ?)";
    once(db, row, (statement) => statement.run(file.name, now, checksum(file.sql)));
  });
}

/** `PRAGMA synchronous`: no commit is synced, not even the head of the WAL. */
const OFF = 0;
/** Commits reach the disk with the next checkpoint, or with the next commit in FULL. */
const NORMAL = 1;

const numberOf = (db: Database, pragma: "synchronous" | "schema_version"): number =>
  once(db, `PRAGMA ${pragma}`, (statement) => (statement.get() as Record<string, number>)[pragma] ?? 0);

/**
 * Runs `work` without a sync for each of its commits. Nothing of a migration has to last: after a power loss the file is as it
 * was before one of the migrations, and the next start applies the rest. The first commit afterwards, in FULL, takes all of
 * them along, since the commits of a WAL last in their order. The head of a WAL must be synced only where an earlier WAL was,
 * whose frames could pass for its own: not where no table was ever made.
 */
function withoutSyncs<T>(db: Database, work: () => T): T {
  const synchronous = numberOf(db, "synchronous");
  const enough = numberOf(db, "schema_version") === 0 ? OFF : NORMAL;
  if (synchronous <= enough) return work();
  db.run(`PRAGMA synchronous = ${enough}`);
  try {
    return work();
  } finally {
    db.run(`PRAGMA synchronous = ${synchronous}`);
  }
}

/**
 * Applies what is pending and returns the names applied now. Throws for a `_migrations` table it cannot read, and when
 * the disk is full or fails.
 * The history is checked whole before anything is applied.
 */
export const runMigrations = (
  db: Database,
  files: readonly MigrationFile[],
  now: number,
): Result<string[], MigrationProblem> => withoutSyncs(db, () => applyPending(db, files, now));

function applyPending(db: Database, files: readonly MigrationFile[], now: number): Result<string[], MigrationProblem> {
  db.run(CREATE_JOURNAL);
  const applied = once(db, APPLIED, (statement) => statement.all() as Applied[]);
  const problem = history(applied, files);
  if (problem) return err(problem);
  const done = new Set(applied.map((row) => row.name));
  const appliedNow: string[] = [];
  for (const file of files) {
    if (done.has(file.name)) continue;
    const refused = forbidden(file);
    if (refused) return err(refused);
    try {
      apply(db, file, now);
    } catch (error) {
      if (isDiskFault(error)) throw error;
      const message = `migration ${file.name} failed and was rolled back: ${(error as Error).message}`;
      return err({ kind: "failed", file: file.name, message });
    }
    appliedNow.push(file.name);
  }
  return ok(appliedNow);
}
