import { index, integer, sqliteTable, text } from "drizzle-orm/sqlite-core";

/** One row per compute that read something. The newest has the highest id, whatever the clock did. */
export const samples = sqliteTable(
  "samples",
  {
    id: integer().primaryKey(),
    /** Unix milliseconds. */
    at: integer().notNull(),
    lines: integer().notNull(),
    /** Lines that `match` let through. */
    matched: integer().notNull(),
    bytes: integer().notNull(),
    /** What was there and was left to the next compute. */
    behind_bytes: integer().notNull(),
  },
  (table) => [index("samples_at").on(table.at)],
);

/** Each file that is followed, under whatever name it has now, and how far it was read. */
export const files = sqliteTable("files", {
  id: integer().primaryKey(),
  path: text().notNull(),
  /** `DEVICE:INODE`. */
  identity: text().notNull(),
  /** Of the first byte that was not taken: the begin of a line, or within a line that is skipped. */
  offset: integer().notNull(),
  /** True within a line that was too long: the rest of it is passed over. */
  skipping: integer({ mode: "boolean" }).notNull(),
  /** A hash of the first bytes before `offset`, and one of the last: by them the file is known again. */
  head: text().notNull(),
  last: text().notNull(),
  /** Its size, and Unix milliseconds of its last change, at the last look. */
  seen_bytes: integer().notNull(),
  changed_at: integer().notNull(),
  /** Why it is not read; null where it is. */
  held: text({ enum: ["new", "copy", "refused"] }),
  /** Where its name is a link, or was: the path of the log behind the link. */
  target: text(),
});

/** One row: the `path` that the files above follow from, and Unix milliseconds of the last look. */
export const following = sqliteTable("following", {
  id: integer().primaryKey(),
  path: text().notNull(),
  looked_at: integer().notNull(),
});
