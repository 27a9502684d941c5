/** Small facts about the store itself. */
import type { Database } from "bun:sqlite";
import { damagedRow } from "./damage.ts";

export class MetaTable {
  readonly #db: Database;
  readonly #read;

  constructor(db: Database) {
    this.#db = db;
    this.#read = db.query<{ value: unknown }, [string]>("SELECT value FROM meta WHERE key = ?");
  }

  /** Throws `StoreDamaged` for a value that is no text. */
  get(key: string): string | null {
    const { value = null } = this.#read.get(key) ?? {};
    if (value === null || typeof value === "string") return value;
    // SQLite makes a text of every number that is written here: another type was not.
    throw this.damaged(key, value);
  }

  /** A whole number that nerve counts; null where none was written. */
  count(key: string): number | null {
    const written = this.get(key);
    if (written === null) return null;
    if (!/^(0|[1-9]\d{0,15})$/.test(written)) throw this.damaged(key, written);
    return Number(written);
  }

  damaged(key: string, value: unknown): Error {
    return damagedRow(this.#db.filename, "meta", key, "value", value, null);
  }

  set(key: string, value: string): void {
    this.#db
      .query("INSERT INTO meta (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value")
      .run(key, value);
  }

  unset(key: string): void {
    this.#db.query("DELETE FROM meta WHERE key = ?").run(key);
  }
}
