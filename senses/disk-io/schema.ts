import { integer, sqliteTable, text } from "drizzle-orm/sqlite-core";
import type { Disks } from "./diskstats.ts";

/** One row: the counters that the next compute subtracts from its own. */
export const counters = sqliteTable("counters", {
  id: integer().primaryKey(),
  boot_id: text().notNull(),
  uptime_ms: integer().notNull(),
  wall_ms: integer().notNull(),
  devices: text({ mode: "json" }).$type<Disks>().notNull(),
});
