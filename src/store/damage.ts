/** What in logs.db is not as nerve wrote it: found where it is read, and told by file, table, row, column and remedy. */
import type { Database } from "bun:sqlite";
import { type Problem, problem } from "../model/problem.ts";

export const DAMAGED = "store-damaged";

/** Reading goes no further: what follows from a damaged row would be a guess. */
export class StoreDamaged extends Error {
  readonly problem: Problem;

  constructor(file: string, why: string, remedy: string) {
    super(`${file}: ${why}`);
    this.name = "StoreDamaged";
    this.problem = problem(DAMAGED, this.message, remedy, file);
  }
}

export const RESTORE = "put back a copy of logs.db, or stop nerve and mend it with `sqlite3`";

/** At most so much of a value is shown. */
const SHOWN_CHARS = 40;

/** A stored value for people: its kind and its beginning. */
export function shownValue(value: unknown): string {
  if (value === null || value === undefined) return "NULL";
  if (typeof value === "number") return String(value);
  if (typeof value !== "string") return "a blob";
  const text = JSON.stringify(value);
  return `the text ${text.length > SHOWN_CHARS ? `${text.slice(0, SHOWN_CHARS)}…` : text}`;
}

/** `row`: its key, as a person finds it with SQL. */
export const damagedRow = (db: Database, table: string, row: string, column: string, value: unknown): StoreDamaged =>
  new StoreDamaged(db.filename, `table ${table}, row ${row}: ${column} is ${shownValue(value)}`, RESTORE);
