/** What the module of a sense exports as `series`: which table and columns hold its numbers over time. */
import { join } from "node:path";
import { err, ok, type Result } from "../base/result.ts";
import { type Problem, problem } from "../model/problem.ts";
import { columnsOf, type SeriesNumber, type SeriesTable } from "../model/series.ts";
import { openReader } from "../sqlite/open.ts";
import { timeOrderOf } from "../sqlite/time-order.ts";
import type { ModuleSource } from "../worker/load-export.ts";

const EXAMPLE =
  'write `export const series: Series = { table: "samples", at: "at", numbers: { used_percent: "percent" } }`';
const KEYS = ["table", "at", "by", "numbers"];
const LONGEST_NAME = 100;
const LONGEST_UNIT = 30;
const MOST_COLUMNS = 4;
const MOST_NUMBERS = 50;

/** What is wrong with it, as the end of a sentence. */
type Read<T> = Result<T, string>;

const isName = (value: unknown): value is string =>
  typeof value === "string" && value.length > 0 && value.length <= LONGEST_NAME;

const isUnit = (value: unknown): value is string | null =>
  value === null || (typeof value === "string" && value.length > 0 && value.length <= LONGEST_UNIT);

function columnsIn(by: unknown): Read<readonly string[]> {
  const columns: readonly unknown[] = Array.isArray(by) ? by : by === undefined ? [] : [by];
  if (columns.length <= MOST_COLUMNS && columns.every(isName)) return ok(columns);
  return err(`whose \`by\` must be the name of a column, or a list of at most ${MOST_COLUMNS}`);
}

function numbersIn(value: unknown): Read<readonly SeriesNumber[]> {
  const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
  const entries = isObject ? Object.entries(value) : [];
  if (entries.length === 0 || entries.length > MOST_NUMBERS) {
    return err(`whose \`numbers\` must be an object of 1 to ${MOST_NUMBERS} columns and their units`);
  }
  const numbers: SeriesNumber[] = [];
  for (const [name, unit] of entries) {
    if (!isName(name)) return err("whose `numbers` has a name that no column can have");
    if (!isUnit(unit)) return err(`whose unit of \`${name}\` must be a text as "percent", or null`);
    numbers.push({ name, unit });
  }
  return ok(numbers);
}

function tableIn(exported: unknown): Read<SeriesTable> {
  if (typeof exported !== "object" || exported === null || Array.isArray(exported)) {
    return err("which must be an object");
  }
  const { table, at, by, numbers } = exported as Record<string, unknown>;
  const unknown = Object.keys(exported).find((key) => !KEYS.includes(key));
  if (unknown !== undefined) return err(`which has an unknown key \`${unknown}\`; known are ${KEYS.join(", ")}`);
  if (!isName(table)) return err("whose `table` must be the name of a table");
  if (!isName(at)) return err("whose `at` must be the name of the column of the time");
  const columns = columnsIn(by);
  if (!columns.ok) return columns;
  const found = numbersIn(numbers);
  return found.ok ? ok({ table, at, by: columns.value, numbers: found.value }) : found;
}

/**
 * `exported`: of the module; null without it. `database`: the file of the sense, its migrations applied. Null for a built-in
 * sense, whose series fits its own migrations.
 */
export function seriesOf(
  { name, folder }: Pick<ModuleSource, "name" | "folder">,
  exported: unknown,
  database: string | null,
): Result<SeriesTable | null, Problem> {
  const refuse = (message: string, hint: string): Result<never, Problem> => {
    const file = folder === null ? null : join(folder, "index.ts");
    return err(problem("bad-series", `sense \`${name}\` exports \`series\`, ${message}`, hint, file));
  };
  if (exported === undefined) return ok(null);
  const read = tableIn(exported);
  if (!read.ok) return refuse(read.error, EXAMPLE);
  if (database === null) return read;
  const opened = openReader(database);
  if (!opened.ok && opened.error.kind === "missing") {
    return refuse("and keeps no tables", "make its table in a migration, or remove `series`");
  }
  if (!opened.ok) return refuse(`and its database cannot be read: ${opened.error.message}`, EXAMPLE);
  try {
    const order = timeOrderOf(opened.value, { ...read.value, columns: columnsOf(read.value) });
    return order.kind === "fault" ? refuse(`but ${order.message}`, order.hint) : ok(read.value);
  } catch (error) {
    return refuse(`and its database cannot be read: ${(error as Error).message}`, EXAMPLE);
  } finally {
    opened.value.close();
  }
}
