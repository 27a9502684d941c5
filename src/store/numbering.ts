/**
 * Whether the ids of a table can be those nerve gave: a list begins at id 1 and ends at the highest that was given, so a
 * row outside is in no list. Two looks at an index each, whatever the table holds.
 */
import type { Database } from "bun:sqlite";
import { damagedRow, RESTORE, StoreDamaged } from "./damage.ts";
import { isSequence, MOST_IDS, numberedIn, sequenceOf } from "./sequence.ts";

/** Rows that are named, at most. */
const NAMED = 20;

/** Rows that no list begins with. */
export const idsBelow = (db: Database): StoreDamaged[] => idsIn(db, "id < 1");

/** Rows with ids that nobody gave. Where one is, SQLite gives the next above it, or none at all. */
export const idsBeyond = (db: Database): StoreDamaged[] => idsIn(db, `id > ${MOST_IDS}`);

const idsIn = (db: Database, where: string): StoreDamaged[] =>
  numberedIn(db).flatMap((table) =>
    db
      .query<{ id: string }, [number]>(
        `SELECT CAST(id AS TEXT) AS id FROM (SELECT id FROM ${table} WHERE ${where} ORDER BY id LIMIT ?)`,
      )
      .all(NAMED)
      .map(({ id }) => new StoreDamaged(db.filename, `table ${table}, row ${id}: nerve gave no such id`, RESTORE)),
  );

/** The kernel's start puts a sequence right, so that only who reads beside it meets another. */
export function lowSequences(db: Database): StoreDamaged[] {
  return numberedIn(db).flatMap((table) => {
    const { seq, highest } = sequenceOf(db, table);
    if ((seq === null && highest === 0) || (isSequence(seq) && seq >= highest)) return [];
    const what = `at least ${highest}, the highest id in ${table}: the daemon's next start puts it right`;
    return damagedRow(db.filename, "sqlite_sequence", table, "seq", seq, what);
  });
}
