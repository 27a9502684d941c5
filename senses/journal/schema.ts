import { index, integer, sqliteTable, text } from "drizzle-orm/sqlite-core";

/** One row per compute that read something. The newest has the highest id, whatever the clock did. */
export const samples = sqliteTable(
  "samples",
  {
    id: integer().primaryKey(),
    /** Unix milliseconds. */
    at: integer().notNull(),
    /** Of the units and priorities that are asked for. */
    entries: integer().notNull(),
    /** Entries that `match` let through. */
    matched: integer().notNull(),
  },
  (table) => [index("samples_at").on(table.at)],
);

/** One row: the entry behind which the next compute reads. */
export const cursors = sqliteTable("cursors", {
  id: integer().primaryKey(),
  /** The journal of the host, or a file. */
  source: text().notNull(),
  /** As journalctl gives it; empty before the first entry of a journal without any. */
  cursor: text().notNull(),
});
