import { index, integer, sqliteTable, text } from "drizzle-orm/sqlite-core";

/** One row per look. The newest has the highest id, whatever the clock did. */
export const samples = sqliteTable(
  "samples",
  {
    id: integer().primaryKey(),
    /** Unix milliseconds. */
    at: integer().notNull(),
    running: integer().notNull(),
    unhealthy: integer().notNull(),
    /** How many restarts there were since the last look. */
    restarted: integer().notNull(),
  },
  (table) => [index("samples_at").on(table.at)],
);

/** Each container, by its id, with its count of restarts: what the next look subtracts from. */
export const counters = sqliteTable("counters", {
  id: integer().primaryKey(),
  container: text().notNull(),
  restarts: integer().notNull(),
});
