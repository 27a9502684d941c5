/** What each reflex remembers, one row a key, bound to the definition it belongs to. */
import type { Database } from "bun:sqlite";
import { type Json, readJson } from "../base/json.ts";
import { prepared } from "../sqlite/prepared.ts";

/** Row of the newest due time of a reflex with a clock; the others are named by JSON, and by nothing. */
export const CLOCK_KEY = "clock";

export interface ReflexState {
  readonly reflex: string;
  readonly key: string;
  /** Digest of the words the row belongs to: those that decide, or those that say when the reflex is due. */
  readonly definition: string;
  readonly state: Json;
}

/**
 * SQLite keeps any value in any column: what is no key names no state. A key is JSON; beside that there are the key of a
 * reflex with one state, which is empty, and the digest of a long key (`rules/key.ts`).
 */
const isKey = (key: unknown): boolean =>
  typeof key === "string" && (/^(?:|clock|sha256:[0-9a-f]{64})$/.test(key) || readJson(key) !== undefined);

/** A row as it is found: undefined where its key or its state is no JSON. */
export type StoredReflexState = Omit<ReflexState, "state"> & { readonly state: Json | undefined };

export function reflexStateTable(db: Database) {
  const upsert = prepared(
    db,
    `INSERT INTO reflex_state (reflex, key, definition, state) VALUES (?, ?, ?, ?)
     ON CONFLICT (reflex, key) DO UPDATE SET definition = excluded.definition, state = excluded.state`,
  );
  const remove = prepared(db, "DELETE FROM reflex_state WHERE reflex = ? AND key = ?");
  return {
    all: (): StoredReflexState[] =>
      db
        .query<{ reflex: string; key: string; definition: string; state: string }, []>(
          "SELECT reflex, key, definition, state FROM reflex_state",
        )
        .all()
        .map((row) => ({ ...row, state: isKey(row.key) ? readJson(row.state) : undefined })),
    set: (row: ReflexState): void => void upsert().run(row.reflex, row.key, row.definition, JSON.stringify(row.state)),
    forget: (reflex: string, key: string): void => void remove().run(reflex, key),
    clear: (reflex: string): void => void db.query("DELETE FROM reflex_state WHERE reflex = ?").run(reflex),
    /** What it remembers of signals; its newest due time stays. */
    clearKeys: (reflex: string): void =>
      void db.query("DELETE FROM reflex_state WHERE reflex = ? AND key <> ?").run(reflex, CLOCK_KEY),
    /** The row belongs to `definition`, in the spelling of this build. */
    rebind: (reflex: string, key: string, definition: string): void =>
      void db.query("UPDATE reflex_state SET definition = ? WHERE reflex = ? AND key = ?").run(definition, reflex, key),
  };
}
