/** Reading a table by its cursor: what every listing of signals and logs shares. */
import type { Database } from "bun:sqlite";
import type { RowGuard } from "./columns.ts";

export interface Page {
  /** Only ids above it; 0 for all. */
  readonly after: number;
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
  since: null,
  until: null,
  trace: null,
  limit: Number.MAX_SAFE_INTEGER,
  newest: false,
};

/** `among`: for each column named, the values it may have; an empty list allows all. `time`: the column that `since` and `until` are about. */
export function readPage<Row>(
  db: Database,
  guard: RowGuard<Row>,
  select: string,
  page: Page,
  among: Readonly<Record<string, readonly string[]>>,
  time: "at" | "queued_at" = "at",
): Row[] {
  const where = ["id > ?"];
  const values: (string | number)[] = [page.after];
  for (const [column, allowed] of Object.entries(among)) {
    if (allowed.length === 0) continue;
    where.push(`${column} IN (${allowed.map(() => "?").join(", ")})`);
    values.push(...allowed);
  }
  if (page.since !== null) {
    where.push(`${time} >= ?`);
    values.push(page.since);
  }
  if (page.until !== null) {
    where.push(`${time} <= ?`);
    values.push(page.until);
  }
  if (page.trace !== null) {
    where.push("trace = ?");
    values.push(page.trace);
  }
  const order = page.newest ? "DESC" : "ASC";
  const rows = db
    .query<Row, (string | number)[]>(`${select} WHERE ${where.join(" AND ")} ORDER BY id ${order} LIMIT ?`)
    .all(...values, page.limit);
  return guard.rows(page.newest ? rows.reverse() : rows);
}
