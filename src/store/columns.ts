/**
 * Reads rows as strictly as a config (G10): each column of each row is what nerve writes there, or {@link StoreDamaged} is
 * thrown. SQLite keeps any value in any column, and a damaged byte makes a number of a text.
 */
import type { Database } from "bun:sqlite";
import { damagedRow } from "./damage.ts";

export type Check = (value: unknown) => boolean;

const LAST_TIME_MS = 8_640_000_000_000_000;

export const isCount: Check = (value) => Number.isSafeInteger(value) && (value as number) >= 0;
export const isId: Check = (value) => isCount(value) && value !== 0;
/** Unix milliseconds that a calendar has. */
export const isTime: Check = (value) => Number.isSafeInteger(value) && Math.abs(value as number) <= LAST_TIME_MS;
export const isText: Check = (value) => typeof value === "string";
export const isName: Check = (value) => typeof value === "string" && value !== "";
export const orNull =
  (check: Check): Check =>
  (value) =>
    value === null || check(value);
export const isOneOf = (values: readonly string[]): Check => {
  const known = new Set<unknown>(values);
  return (value) => known.has(value);
};

/** What each column of a table holds. */
export type Columns<Row> = { readonly [Column in keyof Row]-?: Check };

/** Checks a row of one table, and names it by the column `key`. */
export class RowGuard<Row> {
  readonly #db: Database;
  readonly #table: string;
  readonly #key: keyof Row;
  readonly #checks: readonly (readonly [keyof Row, Check])[];

  constructor(db: Database, table: string, key: keyof Row, columns: Columns<Row>) {
    this.#db = db;
    this.#table = table;
    this.#key = key;
    this.#checks = Object.entries(columns) as unknown as (readonly [keyof Row, Check])[];
  }

  isWhole(row: Row): boolean {
    return this.#checks.every(([column, check]) => check(row[column]));
  }

  /** `row`, if each column is what it should be. */
  row(row: Row): Row {
    for (const [column, check] of this.#checks) {
      if (!check(row[column]))
        throw damagedRow(this.#db, this.#table, String(row[this.#key]), String(column), row[column]);
    }
    return row;
  }

  orNull(row: Row | null): Row | null {
    return row === null ? null : this.row(row);
  }

  rows(rows: Row[]): Row[] {
    for (const row of rows) this.row(row);
    return rows;
  }
}
