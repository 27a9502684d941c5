/** The table of items from outside: those that wait for a compute of their sense, and dead ones. */
import type { Database } from "bun:sqlite";
import { exceedsBytes } from "../base/json.ts";
import { ITEM_STATES, type Item, type ItemState, MAX_ITEMS_BYTES } from "../model/item.ts";
import { MAX_VALUE_BYTES } from "../model/value.ts";
import { prepared } from "../sqlite/prepared.ts";
import {
  type Check,
  COUNT,
  FULL_TEXT,
  ID,
  JSON_TEXT,
  NAME,
  oneOf,
  orNull,
  RowGuard,
  TEXT,
  TIME,
  TRACE,
} from "./columns.ts";
import type { OnDamage } from "./damage.ts";
import { lastIdOf } from "./sequence.ts";

export type NewItem = Omit<Item, "id" | "state" | "failures">;

/** How many items of a sense are in a state, and how large their bodies are together. */
export interface ItemTotal {
  readonly sense: string;
  readonly state: ItemState;
  readonly items: number;
  readonly bytes: number;
}

const COLUMNS = "id, sense, origin, at, key, type, body, trace, state, failures";

const BODY: Check = {
  holds: (value, row) => JSON_TEXT.holds(value, row) && !exceedsBytes(value as string, MAX_VALUE_BYTES),
  what: "the text of a JSON value",
};

/** A reader may look at a store that 0012 has not reached. */
export const hasInbox = (db: Database): boolean =>
  db.query("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'inbox'").get() !== null;

const guardOf = (db: Database, onDamage: OnDamage): RowGuard<Item> => {
  const columns = {
    id: ID,
    sense: NAME,
    origin: FULL_TEXT,
    at: TIME,
    key: orNull(TEXT),
    type: orNull(TEXT),
    body: BODY,
    trace: TRACE,
    state: oneOf(ITEM_STATES),
    failures: COUNT,
  };
  return new RowGuard<Item>(db.filename, "inbox", "id", columns, onDamage);
};

/** The rows from the first on whose bodies fit together. The first one always does. */
function fitting(rows: readonly Item[]): Item[] {
  let bytes = 0;
  const end = rows.findIndex(({ body }, nth) => {
    bytes += Buffer.byteLength(body);
    return nth > 0 && bytes > MAX_ITEMS_BYTES;
  });
  return end < 0 ? [...rows] : rows.slice(0, end);
}

const SELECT = `SELECT ${COLUMNS} FROM inbox`;
const WAITING = "state <> 'dead'";

/** Every change is made inside a commit of the store. */
export class InboxTable {
  readonly #db: Database;
  readonly #guard: RowGuard<Item>;
  readonly #insert;
  readonly #waiting;
  readonly #oldest;
  readonly #remove;
  readonly #setFailures;
  readonly #setState;

  constructor(db: Database, onDamage: OnDamage) {
    this.#db = db;
    this.#guard = guardOf(db, onDamage);
    this.#insert = prepared(
      db,
      "INSERT INTO inbox (sense, origin, at, key, type, body, trace) VALUES (?, ?, ?, ?, ?, ?, ?)",
    );
    this.#waiting = prepared(db, `${SELECT} WHERE sense = ? AND ${WAITING} ORDER BY id LIMIT ?`);
    this.#oldest = prepared(
      db,
      `${SELECT} WHERE sense = ? AND ${WAITING} AND failures >= ? AND failures <= ? ORDER BY id LIMIT 1`,
    );
    this.#remove = prepared(db, "DELETE FROM inbox WHERE id = ?");
    this.#setFailures = prepared(db, "UPDATE inbox SET failures = ?, origin = ? WHERE id = ?");
    this.#setState = prepared(db, "UPDATE inbox SET state = ?, failures = ? WHERE id = ?");
  }

  /** Nothing where 0012 has not reached the store. */
  #read<T>(sql: string, ...values: (string | number)[]): T[] {
    return hasInbox(this.#db) ? this.#db.query<T, (string | number)[]>(sql).all(...values) : [];
  }

  // ── what the kernel changes ──────────────────────────────────────────

  /** Returns the id. */
  append({ sense, origin, at, key, type, body, trace }: NewItem): number {
    return this.#insert().run(sense, origin, at, key, type, body, trace).lastInsertRowid as number;
  }

  remove(id: number): boolean {
    return this.#remove().run(id).changes > 0;
  }

  setFailures(id: number, failures: number, origin: string): void {
    this.#setFailures().run(failures, origin, id);
  }

  setState(id: number, state: ItemState, failures: number): void {
    this.#setState().run(state, failures, id);
  }

  // ── what waits ───────────────────────────────────────────────────────

  /** The oldest that wait, as many as one compute may get, and at most `limit`. */
  waiting(sense: string, limit: number): Item[] {
    return fitting(this.#guard.rows(this.#waiting().all(sense, limit) as Item[]));
  }

  /** The oldest that waits, with as many failures. */
  oldest(sense: string, least: number, most: number): Item | null {
    return this.#guard.rows(this.#oldest().all(sense, least, most) as Item[])[0] ?? null;
  }

  /** How many wait after at least `failures`. */
  aside(failures: number): { readonly sense: string; readonly items: number }[] {
    return this.#read(
      `SELECT sense, count(*) AS items FROM inbox WHERE ${WAITING} AND failures >= ? GROUP BY sense`,
      failures,
    );
  }

  /** The origins of what waits for a sense. */
  origins(sense: string): string[] {
    const rows = this.#read<{ origin: string }>(
      `SELECT DISTINCT origin FROM inbox WHERE sense = ? AND ${WAITING}`,
      sense,
    );
    return rows.map(({ origin }) => origin);
  }

  /** What waits of `origin`, up to an id. */
  upTo(sense: string, origin: string, id: number): Item[] {
    const sql = `${SELECT} WHERE sense = ? AND ${WAITING} AND origin = ? AND id <= ? ORDER BY id`;
    return this.#guard.rows(this.#read<Item>(sql, sense, origin, id));
  }

  /** The newest id that was ever given. */
  lastId(): number {
    return hasInbox(this.#db) ? lastIdOf(this.#db, "inbox") : 0;
  }

  /** When the newest item came that a sense still has above an id, or null. */
  newestAfter(sense: string, id: number): number | null {
    const sql = "SELECT at FROM inbox WHERE sense = ? AND id > ? ORDER BY id DESC LIMIT 1";
    return this.#read<{ at: number }>(sql, sense, id)[0]?.at ?? null;
  }

  // ── what there is ────────────────────────────────────────────────────

  byId(id: number): Item | null {
    return this.#guard.orNull(this.#read<Item>(`${SELECT} WHERE id = ?`, id)[0] ?? null);
  }

  /** Oldest first, above the id `after`; null: of every sense. */
  list(sense: string | null, after = 0, limit = Number.MAX_SAFE_INTEGER): Item[] {
    const rows =
      sense === null
        ? this.#read<Item>(`${SELECT} WHERE id > ? ORDER BY id LIMIT ?`, after, limit)
        : this.#read<Item>(`${SELECT} WHERE sense = ? AND id > ? ORDER BY id LIMIT ?`, sense, after, limit);
    return this.#guard.rows(rows);
  }

  /** Of a sense, the oldest that were accepted before `before`. */
  olderThan(sense: string, before: number, state: ItemState | "any", limit: number): Item[] {
    const those = state === "any" ? "" : `AND ${state === "dead" ? "state = 'dead'" : WAITING}`;
    const sql = `${SELECT} WHERE sense = ? AND at < ? ${those} ORDER BY id LIMIT ?`;
    return this.#guard.rows(this.#read<Item>(sql, sense, before, limit));
  }

  totals(): ItemTotal[] {
    return this.#read<ItemTotal>(
      "SELECT sense, state, count(*) AS items, sum(octet_length(body)) AS bytes FROM inbox GROUP BY sense, state",
    );
  }
}
