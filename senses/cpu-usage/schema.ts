import { integer, real, sqliteTable, text } from "drizzle-orm/sqlite-core";
import type { Cpus } from "./proc-stat.ts";

/** One row per compute: for peers and for people. The newest has the highest id, whatever the clock did. */
export const samples = sqliteTable("samples", {
  id: integer().primaryKey(),
  /** Unix milliseconds. */
  at: integer().notNull(),
  usage_percent: real().notNull(),
  user_percent: real().notNull(),
  system_percent: real().notNull(),
  iowait_percent: real().notNull(),
  irq_percent: real().notNull(),
  steal_percent: real().notNull(),
});

/** One row: the counters that the next compute subtracts from its own. */
export const counters = sqliteTable("counters", {
  id: integer().primaryKey(),
  boot_id: text().notNull(),
  ticks: text({ mode: "json" }).$type<Cpus>().notNull(),
});
