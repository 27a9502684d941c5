/**
 * Owns the reading of a sense's own table for a chart: by the index on its time, from the newest rows back, a slice of rows at
 * a time, each slice thinned by SQL to the lowest and the highest value of each pixel.
 */
import type { Database } from "bun:sqlite";
import { BETWEEN, type SeriesTable } from "../model/series.ts";
import { quoted } from "../sqlite/time-order.ts";
import type { Pixels } from "./pixels.ts";
import { SLICE_ROWS, type Slices } from "./slices.ts";

export interface Span {
  readonly from: number;
  /** Not in it. */
  readonly to: number;
  /** Milliseconds of a pixel. */
  readonly stepMs: number;
}

export interface TableQuestion {
  readonly table: SeriesTable;
  /** The index that begins with the time; null: the time is the key of the table. */
  readonly index: string | null;
  /** Columns. */
  readonly fields: readonly string[];
  /** Lines that are wanted; empty: all. */
  readonly keys: readonly string[];
  readonly span: Span;
}

/** A row, in the order in which they are read. */
interface Mark {
  readonly at: number;
  /** Text: JavaScript would round it. */
  readonly row: string;
}

const LONGEST_KEY = 200;
/** No row is below it. */
const LOWEST = "-9223372036854775808";
const LARGEST = "1.7976931348623157e308";

/** The name of a row's line. */
function labelOf(by: readonly string[]): string {
  if (by.length === 0) return "NULL";
  const parts = by.map((column) => `coalesce(CAST(${quoted(column)} AS TEXT), '')`);
  return `substr(${parts.join(` || '${BETWEEN}' || `)}, 1, ${LONGEST_KEY})`;
}

/** What is no number, and what JSON has no word for, is left out. */
const numberIn = (column: string): string =>
  `CASE WHEN typeof(${quoted(column)}) IN ('integer', 'real') AND +${quoted(column)} BETWEEN -${LARGEST} AND ${LARGEST} THEN ${quoted(column)} END`;

/** The time from which on everything in the span was read: `from`, where the time for one answer has sufficed. */
export async function readTable(
  db: Database,
  { table, index, fields, keys, span }: TableQuestion,
  pixels: Pixels,
  slices: Slices,
): Promise<number> {
  const at = quoted(table.at);
  const rows = `${quoted(table.table)} ${index === null ? "NOT INDEXED" : `INDEXED BY ${quoted(index)}`}`;
  const below = `${at} <= ?2 AND (${at} < ?2 OR rowid < CAST(?3 AS INTEGER))`;
  const lowest = db.query<Mark, [number, number, string, number]>(
    `SELECT ${at} AS at, CAST(rowid AS TEXT) AS row FROM ${rows}
      WHERE ${at} >= ?1 AND ${below} ORDER BY ${at} DESC, rowid DESC LIMIT 1 OFFSET ?4`,
  );
  const label = labelOf(table.by);
  const chosen = keys.length === 0 ? "" : ` AND ${label} IN (SELECT value FROM json_each(?7))`;
  const values = fields.map((field) => `min(${numberIn(field)}), max(${numberIn(field)})`);
  const thinned = db.query<unknown, (string | number)[]>(
    `SELECT CAST((${at} - ?1) / ?6 AS INTEGER) AS pixel, ${label} AS label, ${values.join(", ")} FROM ${rows}
      WHERE ${at} >= ?4 AND ${below} AND (${at} > ?4 OR rowid >= CAST(?5 AS INTEGER))${chosen} GROUP BY 1, 2`,
  );
  const { from, to, stepMs } = span;
  let [top, topRow] = [to, LOWEST];
  for (;;) {
    const mark = lowest.get(from, top, topRow, SLICE_ROWS - 1) ?? null;
    const [end, endRow] = mark === null ? [from, LOWEST] : [mark.at, mark.row];
    const found = thinned.values(
      ...[from, top, topRow, end, endRow, stepMs],
      ...(keys.length === 0 ? [] : [JSON.stringify(keys)]),
    ) as [number, string | null, ...(number | null)[]][];
    for (const [pixel, of, ...bounds] of found) {
      for (const field of fields.keys()) {
        const [min, max] = [bounds[2 * field] ?? null, bounds[2 * field + 1] ?? null];
        if (min !== null && max !== null) pixels.add(of, field, pixel, min, max);
      }
    }
    if (mark === null) return from;
    [top, topRow] = [end, endRow];
    // Of the time `top` only a part may have been read. Where there is nothing else, that part has to do.
    if (slices.isOver) return top + 1 < to ? top + 1 : top;
    await slices.rest();
  }
}
