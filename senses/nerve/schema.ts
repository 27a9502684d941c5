import { integer, sqliteTable, text } from "drizzle-orm/sqlite-core";
import type { Look } from "./judge.ts";

/** One row: what the last compute saw, since failing and stale are seen only between two looks. */
export const looks = sqliteTable("looks", {
  id: integer().primaryKey(),
  look: text({ mode: "json" }).$type<Look>().notNull(),
});
