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

export function inboxTable(db: Database, onDamage: OnDamage) {
  const guard = guardOf(db, onDamage);
  const insert = prepared(
    db,
    "INSERT INTO inbox (sense, origin, at, key, type, body, trace) VALUES (?, ?, ?, ?, ?, ?, ?)",
  );
  const waiting = prepared(db, `SELECT ${COLUMNS} FROM inbox WHERE sense = ? AND state <> 'dead' ORDER BY id LIMIT ?`);
  const remove = prepared(db, "DELETE FROM inbox WHERE id = ?");
  const failed = prepared(db, "UPDATE inbox SET failures = ?, origin = ? WHERE id = ?");
  const move = prepared(db, "UPDATE inbox SET state = ?, failures = ? WHERE id = ?");
  const read = <T>(sql: string, ...values: (string | number)[]): T[] =>
    hasInbox(db) ? db.query<T, (string | number)[]>(sql).all(...values) : [];
  return {
    /** Returns the id. Inside a commit of the store, as every change here. */
    append: ({ sense, origin, at, key, type, body, trace }: NewItem): number =>
      insert().run(sense, origin, at, key, type, body, trace).lastInsertRowid as number,
    /** The oldest that wait, as many as one compute may get, and at most `limit`. */
    waiting: (sense: string, limit: number): Item[] => fitting(guard.rows(waiting().all(sense, limit) as Item[])),
    byId: (id: number): Item | null =>
      guard.orNull(read<Item>(`SELECT ${COLUMNS} FROM inbox WHERE id = ?`, id)[0] ?? null),
    /** Oldest first; null: of every sense. */
    list: (sense: string | null): Item[] =>
      guard.rows(
        sense === null
          ? read<Item>(`SELECT ${COLUMNS} FROM inbox ORDER BY id`)
          : read<Item>(`SELECT ${COLUMNS} FROM inbox WHERE sense = ? ORDER BY id`, sense),
      ),
    totals: (): ItemTotal[] =>
      read<ItemTotal>(
        "SELECT sense, state, count(*) AS items, sum(octet_length(body)) AS bytes FROM inbox GROUP BY sense, state",
      ),
    /** The origins of what waits for a sense. */
    origins: (sense: string): string[] =>
      read<{ origin: string }>("SELECT DISTINCT origin FROM inbox WHERE sense = ? AND state <> 'dead'", sense).map(
        ({ origin }) => origin,
      ),
    /** What waits of `origin`, up to an id. */
    upTo: (sense: string, origin: string, id: number): Item[] =>
      guard.rows(
        read<Item>(
          `SELECT ${COLUMNS} FROM inbox WHERE sense = ? AND state <> 'dead' AND origin = ? AND id <= ? ORDER BY id`,
          sense,
          origin,
          id,
        ),
      ),
    remove: (id: number): boolean => remove().run(id).changes > 0,
    setFailures: (id: number, failures: number, origin: string): void => void failed().run(failures, origin, id),
    setState: (id: number, state: ItemState, failures: number): void => void move().run(state, failures, id),
  };
}

export type InboxTable = ReturnType<typeof inboxTable>;
