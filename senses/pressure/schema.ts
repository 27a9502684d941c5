import { integer, real, sqliteTable } from "drizzle-orm/sqlite-core";

/** One row per compute: for peers and for people. The newest has the highest id, whatever the clock did. */
export const samples = sqliteTable("samples", {
  id: integer().primaryKey(),
  /** Unix milliseconds. */
  at: integer().notNull(),
  cpu_some_avg10_percent: real(),
  cpu_some_avg60_percent: real(),
  memory_some_avg10_percent: real(),
  memory_some_avg60_percent: real(),
  memory_full_avg60_percent: real(),
  io_some_avg10_percent: real(),
  io_some_avg60_percent: real(),
  io_full_avg60_percent: real(),
});
