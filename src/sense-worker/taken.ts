/**
 * `_taken`, where a compute records in its own transaction how far it has taken what nerve handed it: the mirror of `_outbox`.
 * What is handed again after a crash is known by it, and is not taken twice.
 */
import type { Database } from "bun:sqlite";
import { once } from "../sqlite/once.ts";

/** How far the items of one origin are taken. */
export interface TakenUpTo {
  readonly origin: string;
  readonly upTo: number;
}

const CREATE = "CREATE TABLE IF NOT EXISTS _taken (origin TEXT PRIMARY KEY, up_to INTEGER NOT NULL)";
const IN_SCHEMA = "SELECT type, sql FROM sqlite_schema WHERE name = '_taken'";
/** An origin is made at each start of nerve. Those of long ago are of no use. */
const KEPT = 10_000;

const IS_OLD = "rowid <= (SELECT max(rowid) FROM _taken) - ?";
const UP_TO = "SELECT up_to FROM _taken WHERE origin = ?";
const OF_SIGNALS = "SELECT origin, up_to FROM _taken WHERE origin LIKE 'signals:%'";

export class Taken {
  readonly #db: Database;
  #exists: boolean;

  /** Throws for a table of the author's that has the name. */
  constructor(db: Database) {
    this.#db = db;
    const found = once(db, IN_SCHEMA, (statement) => statement.get() as { type: string; sql: string | null } | null);
    this.#exists = found !== null;
    if (found !== null && (found.type !== "table" || found.sql?.includes("up_to") !== true)) {
      throw new Error("_taken is a name of nerve's own: give the table or view of that name another one");
    }
  }

  /** 0: nothing of that origin was taken. */
  upTo(origin: string): number {
    if (!this.#exists) return 0;
    const row = once(this.#db, UP_TO, (statement) => statement.get(origin) as { up_to: unknown } | null);
    return Number.isSafeInteger(row?.up_to) ? (row?.up_to as number) : 0;
  }

  /** How far signals were delivered, by the epoch of their ids. */
  ofSignals(): TakenUpTo[] {
    if (!this.#exists) return [];
    const rows = once(this.#db, OF_SIGNALS, (statement) => statement.all() as { origin: string; up_to: unknown }[]);
    return rows.flatMap(({ origin, up_to }) => (Number.isSafeInteger(up_to) ? { origin, upTo: up_to as number } : []));
  }

  /** Inside the transaction of a compute. */
  record({ origin, upTo }: TakenUpTo): void {
    if (!this.#exists) this.#db.run(CREATE);
    const inserted = this.#db
      .query("INSERT INTO _taken (origin, up_to) VALUES (?, ?) ON CONFLICT (origin) DO NOTHING")
      .run(origin, upTo).changes;
    if (inserted === 0)
      this.#db.query("UPDATE _taken SET up_to = ? WHERE origin = ? AND up_to < ?").run(upTo, origin, upTo);
    else this.#db.query(`DELETE FROM _taken WHERE ${IS_OLD} AND origin NOT LIKE 'signals:%'`).run(KEPT);
  }

  /** A transaction that recorded something is kept. */
  kept(): void {
    this.#exists = true;
  }
}
