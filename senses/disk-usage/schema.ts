import { integer, real, sqliteTable, text } from "drizzle-orm/sqlite-core";

/** One row per compute: for peers and for people. The newest has the highest id, whatever the clock did. */
export const samples = sqliteTable("samples", {
  id: integer().primaryKey(),
  /** Unix milliseconds. */
  at: integer().notNull(),
  path: text().notNull(),
  total_bytes: integer().notNull(),
  used_bytes: integer().notNull(),
  available_bytes: integer().notNull(),
  used_percent: real(),
  inodes_used_percent: real(),
});
