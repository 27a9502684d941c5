import { integer, sqliteTable, text } from "drizzle-orm/sqlite-core";
import type { Look } from "./judge.ts";

/** One row: the last look, because only two looks together show that a sense is failing or stale. */
export const looks = sqliteTable("looks", {
  id: integer().primaryKey(),
  look: text({ mode: "json" }).$type<Look>().notNull(),
});
