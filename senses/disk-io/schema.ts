import { integer, real, sqliteTable, text } from "drizzle-orm/sqlite-core";
import type { Disks } from "./diskstats.ts";

/** One row: the counters that the next compute subtracts from its own. */
export const counters = sqliteTable("counters", {
  id: integer().primaryKey(),
  boot_id: text().notNull(),
  uptime_ms: integer().notNull(),
  wall_ms: integer().notNull(),
  devices: text({ mode: "json" }).$type<Disks>().notNull(),
});

/** One row per compute: for peers and for people. The newest has the highest id, whatever the clock did. */
export const samples = sqliteTable("samples", {
  id: integer().primaryKey(),
  /** Unix milliseconds. */
  at: integer().notNull(),
  read_bytes_per_second: real(),
  write_bytes_per_second: real(),
  reads_per_second: real(),
  writes_per_second: real(),
});
