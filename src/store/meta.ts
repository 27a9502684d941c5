/** Small facts about the store itself. */
import type { Database } from "bun:sqlite";

export function metaTable(db: Database) {
  const read = db.query<{ value: string }, [string]>("SELECT value FROM meta WHERE key = ?");
  return {
    get: (key: string): string | null => read.get(key)?.value ?? null,
    set(key: string, value: string): void {
      db.query(
        "INSERT INTO meta (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
      ).run(key, value);
    },
  };
}
