import { integer, real, sqliteTable, text } from "drizzle-orm/sqlite-core";
import type { Interfaces } from "./net-dev.ts";

/** One row: the counters that the next compute subtracts from its own. */
export const counters = sqliteTable("counters", {
  id: integer().primaryKey(),
  boot_id: text().notNull(),
  uptime_ms: integer().notNull(),
  wall_ms: integer().notNull(),
  interfaces: text({ mode: "json" }).$type<Interfaces>().notNull(),
});

/** One row per compute: for peers and for people. The newest has the highest id, whatever the clock did. */
export const samples = sqliteTable("samples", {
  id: integer().primaryKey(),
  /** Unix milliseconds. */
  at: integer().notNull(),
  rx_bytes_per_second: real(),
  tx_bytes_per_second: real(),
  rx_errors_per_second: real(),
  tx_errors_per_second: real(),
});
