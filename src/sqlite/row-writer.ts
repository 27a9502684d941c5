/** Writes rows many in one statement, which costs less than a statement for each. */
import type { Database, SQLQueryBindings, Statement } from "bun:sqlite";
import { prepared } from "./prepared.ts";

/** How many rows one statement writes. */
const SIZES = [64, 16, 4, 1];

export class RowWriter {
  readonly #width: number;
  readonly #sizes: readonly { readonly rows: number; readonly statement: () => Statement }[];

  /** `width`: values of a row. `sql` gets the rows' places for values: `(?, ?), (?, ?)`. */
  constructor(db: Database, width: number, sql: (places: string) => string) {
    this.#width = width;
    const row = `(${Array(width).fill("?").join(", ")})`;
    this.#sizes = SIZES.map((rows) => ({ rows, statement: prepared(db, sql(Array(rows).fill(row).join(", "))) }));
  }

  /** `values`: of at least one row, one row after the other. Returns the rowid of the row that was inserted last. */
  write(values: readonly SQLQueryBindings[]): number {
    let last = 0;
    let from = 0;
    for (const { rows, statement } of this.#sizes) {
      for (const width = rows * this.#width; values.length - from >= width; from += width) {
        // One array costs less than hundreds of arguments.
        last = statement().run(values.slice(from, from + width) as never).lastInsertRowid as number;
      }
    }
    return last;
  }
}
