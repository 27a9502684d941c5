import { index, integer, sqliteTable, text } from "drizzle-orm/sqlite-core";
import type { Start } from "./beat.ts";

/** One row per start, end, and end that does not come. The newest has the highest id, whatever the clock did. */
export const samples = sqliteTable(
  "samples",
  {
    id: integer().primaryKey(),
    /** Unix milliseconds. */
    at: integer().notNull(),
    state: text().notNull(),
    exit_code: integer(),
    duration_ms: integer(),
    failures: integer().notNull(),
  },
  (table) => [index("samples_at").on(table.at)],
);

/** One row: what is known of the job. */
export const job = sqliteTable("job", {
  id: integer().primaryKey(),
  /** The newest start, in Unix milliseconds; null while the job does not run. */
  started_at: integer(),
  /** True once it was said that its end does not come. */
  is_late: integer({ mode: "boolean" }).notNull(),
  failures: integer().notNull(),
  successes: integer().notNull(),
  /** The key of the newest start. */
  key: text(),
  starts: text({ mode: "json" }).$type<readonly Start[]>().notNull(),
});
