/** The sequences that signals, logs, runs, incidents and items get their ids from: an id is never given twice (G2). */
import type { Database } from "bun:sqlite";
import { isCount } from "./columns.ts";

export const NUMBERED = ["signals", "logs", "workflow_runs", "incidents", "inbox"] as const;

export type Numbered = (typeof NUMBERED)[number];

/** Those that a store has: a reader may look at one that the newest migration has not reached. */
export const numberedIn = (db: Database): Numbered[] =>
  NUMBERED.filter(
    (table) => db.query("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?").get(table) !== null,
  );

/** No store gives so many ids: what is above was not written by nerve. */
export const MOST_IDS = 2 ** 48;

/** Whether a sequence can be one that nerve's ids came from. */
export const isSequence = (seq: unknown): seq is number => isCount(seq) && seq <= MOST_IDS;

/** The sequence of `table` as it lies there, null where there is none, and the highest id that was given; of one moment. */
export function sequenceOf(db: Database, table: Numbered): { readonly seq: unknown; readonly highest: number } {
  const both = db.query<{ seq: unknown; highest: number | null }, [string]>(
    `SELECT (SELECT seq FROM sqlite_sequence WHERE name = ?) AS seq, (SELECT max(id) FROM ${table} WHERE id <= ${MOST_IDS}) AS highest`,
  );
  const { seq = null, highest = null } = both.get(table) ?? {};
  return { seq, highest: highest ?? 0 };
}

/** The highest id a table ever gave, 0 before the first. What stands in a damaged sequence counts for nothing. */
export function lastIdOf(db: Database, table: Numbered): number {
  const { seq, highest } = sequenceOf(db, table);
  return Math.max(highest, isSequence(seq) ? seq : 0);
}

/** The highest id in a table, 0 without rows. */
export const highestIn = (db: Database, table: Numbered): number => sequenceOf(db, table).highest;

/**
 * Makes the sequence of `table` at least `floor`, the highest id that anything proves was given. Returns what it was when
 * it was lost, too low or not a number; null when it was right. Inside a transaction.
 */
export function raiseSequence(db: Database, table: Numbered, floor: number): unknown {
  const { seq } = sequenceOf(db, table);
  if ((isSequence(seq) && seq >= floor) || (seq === null && floor === 0)) return null;
  db.query("DELETE FROM sqlite_sequence WHERE name = ?").run(table);
  db.query("INSERT INTO sqlite_sequence (name, seq) VALUES (?, ?)").run(table, floor);
  return seq ?? "nothing";
}
