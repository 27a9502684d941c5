/**
 * Reads rows as strictly as a config (G10): each column of each row is what nerve writes there, or the row is damaged.
 * SQLite keeps any value in any column, and a damaged byte makes a number of a text.
 */
import { isStoredJson } from "../base/json.ts";
import { TRACE_PATTERN } from "../base/trace-id.ts";
import { isName } from "../model/name.ts";
import { damagedRow, type OnDamage } from "./damage.ts";

/** Whether `value` is what nerve writes into a column of `row`. */
type Holds = (value: unknown, row: Readonly<Record<string, unknown>>) => boolean;

export interface Check {
  readonly holds: Holds;
  /** What it must be, in words; null: the value alone says enough. */
  readonly what: string | null;
}

const LAST_TIME_MS = 8_640_000_000_000_000;

export const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;
export const isId = (value: unknown): value is number => isCount(value) && value !== 0;
/** Unix milliseconds that a calendar has. No clock of a host is before 1970. */
export const isTime = (value: unknown): value is number => isCount(value) && value <= LAST_TIME_MS;

export const COUNT: Check = { holds: isCount, what: "a count" };
export const ID: Check = { holds: isId, what: "an id" };
export const TIME: Check = { holds: isTime, what: "a time in Unix milliseconds" };
export const TEXT: Check = { holds: (value) => typeof value === "string", what: "a text" };
export const FULL_TEXT: Check = { holds: (value) => typeof value === "string" && value !== "", what: "a text" };
export const NAME: Check = { holds: (value) => typeof value === "string" && isName(value), what: "a name" };
export const TRACE: Check = {
  holds: (value) => typeof value === "string" && TRACE_PATTERN.test(value),
  what: "a trace (32 hex digits)",
};
export const JSON_TEXT: Check = {
  holds: (value) => typeof value === "string" && isStoredJson(value),
  what: "the text of a JSON value",
};

export const orNull = ({ holds, what }: Check): Check => ({
  holds: (value, row) => value === null || holds(value, row),
  what,
});

export function oneOf(values: readonly string[]): Check {
  const known = new Set<unknown>(values);
  return { holds: (value) => known.has(value), what: `one of ${values.join(", ")}` };
}

/** What each column of a table holds. */
export type Columns<Row> = { readonly [Column in keyof Row]-?: Check };

/** Checks rows of one table, and names them by the column `key`. `file`: where they lie. */
export class RowGuard<Row extends object> {
  readonly #file: string;
  readonly #table: string;
  readonly #key: keyof Row;
  readonly #checks: readonly (readonly [keyof Row, Check])[];
  readonly #onDamage: OnDamage;

  constructor(file: string, table: string, key: keyof Row, columns: Columns<Row>, onDamage: OnDamage) {
    this.#file = file;
    this.#table = table;
    this.#key = key;
    this.#checks = Object.entries(columns) as unknown as (readonly [keyof Row, Check])[];
    this.#onDamage = onDamage;
  }

  #fault(row: Row): readonly [keyof Row, Check] | null {
    for (const entry of this.#checks) {
      const [column, check] = entry;
      if (!check.holds(row[column], row as Readonly<Record<string, unknown>>)) return entry;
    }
    return null;
  }

  isWhole(row: Row): boolean {
    return this.#fault(row) === null;
  }

  /** Whether each column is what it should be. A row that is not is given to whom damage is told. */
  passes(row: Row): boolean {
    const fault = this.#fault(row);
    if (fault === null) return true;
    const [column, { what }] = fault;
    const key = String(row[this.#key]);
    this.#onDamage(damagedRow(this.#file, this.#table, key, String(column), row[column], what));
    return false;
  }

  /** `row`, if it is whole. */
  orNull(row: Row | null): Row | null {
    return row !== null && this.passes(row) ? row : null;
  }

  /** Those that are whole. */
  rows(rows: readonly Row[]): Row[] {
    return rows.filter((row) => this.passes(row));
  }
}
