import { integer, sqliteTable, text } from "drizzle-orm/sqlite-core";
import type { Look } from "./judge.ts";

/** One row: the last look, because only two looks together show that a sense is failing or stale. */
export const looks = sqliteTable("looks", {
  id: integer().primaryKey(),
  look: text({ mode: "json" }).$type<Look>().notNull(),
});

/** One row per compute: for peers and for people. The newest has the highest id, whatever the clock did. */
export const samples = sqliteTable("samples", {
  id: integer().primaryKey(),
  /** Unix milliseconds. */
  at: integer().notNull(),
  running: integer(),
  queued: integer(),
  sleeping: integer(),
  restarts: integer(),
});
