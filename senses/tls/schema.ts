import { index, integer, real, sqliteTable, text } from "drizzle-orm/sqlite-core";

/** One row per look. The newest has the highest id, whatever the clock did. */
export const samples = sqliteTable(
  "samples",
  {
    id: integer().primaryKey(),
    /** Unix milliseconds. */
    at: integer().notNull(),
    /** `HOST:PORT`, or the file. */
    target: text().notNull(),
    ok: integer({ mode: "boolean" }).notNull(),
    /** Null where all is well. */
    reason: text(),
    days: real(),
    failures: integer().notNull(),
    successes: integer().notNull(),
  },
  (table) => [index("samples_at").on(table.at)],
);
