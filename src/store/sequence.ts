/** The sequences that signals, logs and runs get their ids from: an id is never given twice (G2). */
import type { Database } from "bun:sqlite";
import { isCount } from "./columns.ts";
import { damagedRow } from "./damage.ts";

export type Numbered = "signals" | "logs" | "workflow_runs";

/** The highest id a table ever gave, 0 before the first. */
export function lastIdOf(db: Database, table: Numbered): number {
  const { seq = null } =
    db.query<{ seq: unknown }, [string]>("SELECT seq FROM sqlite_sequence WHERE name = ?").get(table) ?? {};
  if (seq !== null && !isCount(seq)) throw damagedRow(db, "sqlite_sequence", table, "seq", seq);
  return (seq as number | null) ?? highestIn(db, table);
}

/** The highest id in a table, 0 without rows. */
export const highestIn = (db: Database, table: Numbered): number =>
  db.query<{ id: number | null }, []>(`SELECT max(id) AS id FROM ${table}`).get()?.id ?? 0;

/** No store gives so many ids: a sequence above it was not written by nerve. */
const MOST_IDS = 2 ** 48;

/**
 * Makes the sequence of `table` at least `floor`, the highest id that anything proves was given. Returns what it was when
 * it was lost, too low or not a number; null when it was right. Inside a transaction.
 */
export function raiseSequence(db: Database, table: Numbered, floor: number): unknown {
  const read = db.query<{ seq: unknown }, [string]>("SELECT seq FROM sqlite_sequence WHERE name = ?");
  const { seq } = read.get(table) ?? { seq: null };
  const isWhole = isCount(seq) && (seq as number) <= MOST_IDS;
  if ((isWhole && (seq as number) >= floor) || (seq === null && floor === 0)) return null;
  db.query("DELETE FROM sqlite_sequence WHERE name = ?").run(table);
  db.query("INSERT INTO sqlite_sequence (name, seq) VALUES (?, ?)").run(table, floor);
  return seq ?? "nothing";
}
