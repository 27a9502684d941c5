import { integer, sqliteTable, text } from "drizzle-orm/sqlite-core";
import type { Ticks } from "./top.ts";

/** One row: the counters that the next compute subtracts from its own. */
export const counters = sqliteTable("counters", {
  id: integer().primaryKey(),
  boot_id: text().notNull(),
  uptime_ms: integer().notNull(),
  wall_ms: integer().notNull(),
  ticks: text({ mode: "json" }).$type<Ticks>().notNull(),
});

/** One row per compute: for peers and for people. The newest has the highest id, whatever the clock did. */
export const samples = sqliteTable("samples", {
  id: integer().primaryKey(),
  /** Unix milliseconds. */
  at: integer().notNull(),
  total: integer(),
  threads: integer(),
  running: integer(),
  blocked: integer(),
  zombie: integer(),
});
