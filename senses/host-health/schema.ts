import { integer, sqliteTable, text } from "drizzle-orm/sqlite-core";

/** One row, kept only with `changes_only`: the last verdict that was signalled. */
export const verdicts = sqliteTable("verdicts", {
  id: integer().primaryKey(),
  verdict: text().notNull(),
});
