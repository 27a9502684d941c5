/** The table of the reflexes that are loaded, and the signal after which each began to look at any (G1). */
import type { Database } from "bun:sqlite";
import { COUNT, FULL_TEXT, RowGuard, TEXT, TIME } from "./columns.ts";
import type { OnDamage } from "./damage.ts";
import type { MetaTable } from "./meta.ts";

export interface LoadedReflex {
  readonly name: string;
  /** Digest of its definition. */
  readonly definition: string;
  /** Id of the last signal there was when this definition was first loaded. */
  readonly since: number;
  /** Unix milliseconds of that moment; 0 where nobody knows. */
  readonly at: number;
}

/** Key of `meta` that the migration leaves where an earlier build had been at work. */
const HISTORY = "reflexes";

export function loadedReflexTable(db: Database, meta: MetaTable, onDamage: OnDamage) {
  const columns = { name: FULL_TEXT, definition: TEXT, since: COUNT, at: TIME };
  const guard = new RowGuard<LoadedReflex>(db.filename, "reflexes", "name", columns, onDamage);
  return {
    /** A store that an earlier build wrote has no such table. */
    exists: (): boolean => db.query("SELECT 1 FROM sqlite_schema WHERE name = 'reflexes'").get() !== null,
    all: (): LoadedReflex[] =>
      guard.rows(db.query<LoadedReflex, []>("SELECT name, definition, since, at FROM reflexes ORDER BY name").all()),
    /** Reflexes were loaded before this was kept: which, and since when, nobody knows. */
    isUnknown: (): boolean => meta.get(HISTORY) === "unknown",
    setKnown: (): void => meta.set(HISTORY, "known"),
    set({ name, definition, since, at }: LoadedReflex): void {
      db.query(
        `INSERT INTO reflexes (name, definition, since, at) VALUES (?, ?, ?, ?) ON CONFLICT (name)
         DO UPDATE SET definition = excluded.definition, since = excluded.since, at = excluded.at`,
      ).run(name, definition, since, at);
    },
    remove: (name: string): void => void db.query("DELETE FROM reflexes WHERE name = ?").run(name),
  };
}
