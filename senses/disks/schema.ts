import { index, integer, real, sqliteTable, text } from "drizzle-orm/sqlite-core";

/** One row per look and file system. */
export const samples = sqliteTable(
  "samples",
  {
    id: integer().primaryKey(),
    /** Unix milliseconds. */
    at: integer().notNull(),
    path: text().notNull(),
    total_bytes: integer().notNull(),
    used_bytes: integer().notNull(),
    /** To users: without what is reserved for root. */
    available_bytes: integer().notNull(),
    used_percent: real(),
    inodes_used_percent: real(),
  },
  (table) => [index("samples_at").on(table.at)],
);
