import { index, integer, sqliteTable } from "drizzle-orm/sqlite-core";

/** One row per compute that got something. The newest has the highest id, whatever the clock did. */
export const samples = sqliteTable(
  "samples",
  {
    id: integer().primaryKey(),
    /** Unix milliseconds. */
    at: integer().notNull(),
    /** How many items it got. */
    items: integer().notNull(),
  },
  (table) => [index("samples_at").on(table.at)],
);
