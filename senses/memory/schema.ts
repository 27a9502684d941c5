import { integer, real, sqliteTable } from "drizzle-orm/sqlite-core";

/** One row per compute: for peers and for people. The newest has the highest id, whatever the clock did. */
export const samples = sqliteTable("samples", {
  id: integer().primaryKey(),
  /** Unix milliseconds. */
  at: integer().notNull(),
  total_bytes: integer().notNull(),
  available_bytes: integer().notNull(),
  used_percent: real().notNull(),
  swap_used_bytes: integer().notNull(),
  swap_used_percent: real(),
});
