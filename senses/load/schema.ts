import { integer, real, sqliteTable } from "drizzle-orm/sqlite-core";

/** One row per compute: for peers and for people. The newest has the highest id, whatever the clock did. */
export const samples = sqliteTable("samples", {
  id: integer().primaryKey(),
  /** Unix milliseconds. */
  at: integer().notNull(),
  load1: real().notNull(),
  load5: real().notNull(),
  load15: real().notNull(),
  cores: integer().notNull(),
  load1_per_core: real().notNull(),
  load5_per_core: real().notNull(),
  load15_per_core: real().notNull(),
});
