import { index, integer, real, sqliteTable, text } from "drizzle-orm/sqlite-core";

/** One row per look. The newest has the highest id, whatever the clock did. */
export const samples = sqliteTable(
  "samples",
  {
    id: integer().primaryKey(),
    /** Unix milliseconds. */
    at: integer().notNull(),
    /** As configured. */
    path: text().notNull(),
    ok: integer({ mode: "boolean" }).notNull(),
    /** Null where all is well. */
    reason: text(),
    /** Seconds since the newest file was changed; null where there is none. */
    age_s: real(),
    bytes: integer(),
    failures: integer().notNull(),
    successes: integer().notNull(),
  },
  (table) => [index("samples_at").on(table.at)],
);

/** The newest files that were there before, each once: how large such a file usually is. */
export const sizes = sqliteTable("sizes", {
  id: integer().primaryKey(),
  /** The `path` of that time. */
  pattern: text().notNull(),
  file: text().notNull(),
  changed_at: integer().notNull(),
  bytes: integer().notNull(),
});
