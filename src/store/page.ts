/** Reading a table by its cursor: what every listing of signals and logs shares. */
import type { Database } from "bun:sqlite";
import { ACTIVE_STATES, ENDINGS } from "../model/run.ts";
import type { RowGuard } from "./columns.ts";
import { MOST_IDS } from "./sequence.ts";

export interface Page {
  /** Only ids above it; 0 for all. */
  readonly after: number;
  /** Only ids below it; null for all. */
  readonly before: number | null;
  /** Only rows with `at` no earlier. */
  readonly since: number | null;
  /** Only rows with `at` no later. */
  readonly until: number | null;
  readonly trace: string | null;
  readonly limit: number;
  /** From the newest backwards, or from `after` forwards. Rows come back in id order either way. */
  readonly newest: boolean;
}

/** From the first row on, as many as there are: a query says what it wants otherwise. */
export const WHOLE_PAGE: Page = {
  after: 0,
  before: null,
  since: null,
  until: null,
  trace: null,
  limit: Number.MAX_SAFE_INTEGER,
  newest: false,
};

const NO_NAME = (column: string): string =>
  `typeof(${column}) <> 'text' OR ${column} = '' OR ${column} GLOB '-*' OR ${column} GLOB '*[^a-z0-9-]*'`;
const NO_TIME = (column: string): string =>
  `typeof(${column}) <> 'integer' OR ${column} < 0 OR ${column} > 8640000000000000`;

/** What nerve never writes into a column. No filter leaves out such a row, because nobody knows what stood there. */
export const IMPOSSIBLE: Readonly<Record<string, string>> = {
  at: NO_TIME("at"),
  queued_at: NO_TIME("queued_at"),
  opened_at: NO_TIME("opened_at"),
  sense: NO_NAME("sense"),
  origin: `origin IS NOT NULL AND (${NO_NAME("origin")})`,
  workflow: NO_NAME("workflow"),
  source: "typeof(source) <> 'text'",
  level: "typeof(level) <> 'text' OR level NOT IN ('debug', 'info', 'warn', 'error')",
  state: `typeof(state) <> 'text' OR state NOT IN (${[...ACTIVE_STATES, ...ENDINGS].map((state) => `'${state}'`).join(", ")})`,
  reflex: "typeof(reflex) NOT IN ('text', 'null') OR reflex = ''",
  trace: "typeof(trace) NOT IN ('text', 'null') OR length(trace) <> 32 OR trace GLOB '*[^0-9a-f]*'",
};

/** Which rows are wanted. All of `where` must hold. */
export interface Condition {
  readonly where: readonly string[];
  readonly values: readonly (string | number)[];
}

/** Every row. */
export const ANY: Condition = { where: [], values: [] };

/** For each column named, the values that it may have; an empty list allows all. */
export function among(columns: Readonly<Record<string, readonly string[]>>): Condition {
  const wanted = Object.entries(columns).filter(([, allowed]) => allowed.length > 0);
  return {
    where: wanted.map(
      ([column, allowed]) => `(${column} IN (${allowed.map(() => "?").join(", ")}) OR ${IMPOSSIBLE[column]})`,
    ),
    values: wanted.flatMap(([, allowed]) => allowed),
  };
}

function queryOf({ since, until, trace }: Page, of: Condition, time: "at" | "queued_at" | "opened_at"): Condition {
  const where = [...of.where];
  const values = [...of.values];
  const filter = (column: string, is: string, wanted: string | number): void => {
    where.push(`(${column} ${is} OR ${IMPOSSIBLE[column]})`);
    values.push(wanted);
  };
  if (since !== null) filter(time, ">= ?", since);
  if (until !== null) filter(time, "<= ?", until);
  if (trace !== null) filter("trace", "= ?", trace);
  return { where, values };
}

/**
 * Whole rows, as many as `page` asks for: damaged ones are told to whom `guard` tells them, and others take their places.
 * `of`: which of them. `time`: the column that `since` and `until` are about.
 */
export function readPage<Row extends { readonly id: number }>(
  db: Database,
  guard: RowGuard<Row>,
  select: string,
  page: Page,
  of: Condition,
  time: "at" | "queued_at" | "opened_at" = "at",
): Row[] {
  const { where, values } = queryOf(page, of, time);
  const order = page.newest ? "DESC" : "ASC";
  const found: Row[] = [];
  // One bound on each side: SQLite begins a search by the first that it finds, and only compares rows with a second.
  const sql = `${select} WHERE ${["id > ?", "id < ?", ...where].join(" AND ")} ORDER BY id ${order} LIMIT ?`;
  const query = db.query<Row, (string | number)[]>(sql);
  let [low, high] = [page.after, Math.min(page.before ?? MOST_IDS + 1, MOST_IDS + 1)];
  for (;;) {
    const wanted = page.limit - found.length;
    const rows = query.all(low, high, ...values, wanted);
    found.push(...guard.rows(rows));
    const last = rows.at(-1)?.id ?? null;
    if (rows.length < wanted || found.length >= page.limit || last === null) break;
    if (page.newest) high = last;
    else low = last;
  }
  return page.newest ? found.reverse() : found;
}
