import { index, integer, sqliteTable, text } from "drizzle-orm/sqlite-core";

/** One row per look. The newest has the highest id, whatever the clock did. */
export const samples = sqliteTable(
  "samples",
  {
    id: integer().primaryKey(),
    /** Unix milliseconds. */
    at: integer().notNull(),
    /** How many units have failed. */
    failed_count: integer().notNull(),
    /** How many restarts there were since the last look. */
    restarted_count: integer().notNull(),
    /** How many timers are late. */
    late_count: integer().notNull(),
  },
  (table) => [index("samples_at").on(table.at)],
);

/** Each service with its count of restarts: what the next look subtracts from. */
export const counters = sqliteTable("counters", {
  id: integer().primaryKey(),
  unit: text().notNull(),
  restarts: integer().notNull(),
});
