/** The table of silences. */
import type { Database } from "bun:sqlite";
import type { Silence } from "../model/silence.ts";
import { COUNT, FULL_TEXT, RowGuard, TEXT, TIME } from "./columns.ts";
import type { OnDamage } from "./damage.ts";

export function silenceTable(db: Database, onDamage: OnDamage) {
  const columns = { pattern: FULL_TEXT, why: TEXT, at: TIME, until: TIME, due: COUNT };
  const guard = new RowGuard<Silence>(db.filename, "silences", "pattern", columns, onDamage);
  return {
    /** A store that an earlier build wrote has no such table. */
    exists: (): boolean => db.query("SELECT 1 FROM sqlite_schema WHERE name = 'silences'").get() !== null,
    all: (): Silence[] =>
      guard.rows(db.query<Silence, []>("SELECT pattern, why, at, until, due FROM silences ORDER BY pattern").all()),
    set({ pattern, why, at, until, due }: Silence): void {
      db.query(
        `INSERT INTO silences (pattern, why, at, until, due) VALUES (?, ?, ?, ?, ?) ON CONFLICT (pattern)
         DO UPDATE SET why = excluded.why, at = excluded.at, until = excluded.until, due = excluded.due`,
      ).run(pattern, why, at, until, due);
    },
    /** Not one that has replaced it; false when it was not there any more. */
    remove: ({ pattern, due }: Silence): boolean =>
      db.query("DELETE FROM silences WHERE pattern = ? AND due = ?").run(pattern, due).changes > 0,
  };
}
