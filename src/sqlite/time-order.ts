/** Owns how a table of numbers over time is read in the order of its time: whether it can be, and by which index. */
import type { Database } from "bun:sqlite";

/** What is to be there. */
export interface TimedTable {
  readonly table: string;
  /** The column of the time. */
  readonly at: string;
  /** The other columns. */
  readonly columns: readonly string[];
}

export type TimeOrder =
  /** The index that begins with the time; null: the time is the key of the table. */
  | { readonly kind: "ordered"; readonly index: string | null }
  /** What is wrong, as the end of a sentence, and what to do. */
  | { readonly kind: "fault"; readonly message: string; readonly hint: string };

interface Column {
  readonly name: string;
  readonly type: string;
  readonly key: number;
}

/** A name from outside as SQL names a table or a column. */
export const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`;

const fault = (message: string, hint: string): TimeOrder => ({ kind: "fault", message, hint });

/** Holds `table` against the tables of `db`. A table that has no index on its time would be read whole at each question. */
export function timeOrderOf(db: Database, { table, at, columns: others }: TimedTable): TimeOrder {
  const found = db
    .query<{ type: string; strict: number; wr: number }, [string]>(
      "SELECT type, strict, wr FROM pragma_table_list(?) WHERE schema = 'main'",
    )
    .get(table);
  if (found === null) {
    const tables = namesOf(db, "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT GLOB '[_s]*_*'");
    const known = tables.length === 0 ? "its database has no tables" : `its tables are ${tables.join(", ")}`;
    return fault(`there is no table \`${table}\``, `${known}: make it in a migration, or correct the name`);
  }
  if (found.type !== "table" || found.wr === 1) {
    const what = found.wr === 1 ? "a table WITHOUT ROWID" : `a ${found.type}`;
    return fault(`\`${table}\` is ${what}`, "name an ordinary table");
  }
  const columns = db
    .query<Column, [string]>('SELECT name, type, pk AS key FROM pragma_table_xinfo(?, "main") WHERE hidden IN (0, 3)')
    .all(table);
  for (const name of [at, ...others]) {
    if (columns.some((column) => column.name === name)) continue;
    const known = columns.map((column) => column.name).join(", ");
    return fault(`the table \`${table}\` has no column \`${name}\``, `its columns are ${known}`);
  }
  if (columns.some(({ name }) => name.toLowerCase() === "rowid")) {
    return fault(`the table \`${table}\` has a column of its own called \`rowid\``, "give that column another name");
  }
  const time = columns.find(({ name }) => name === at);
  if (!/int/i.test(time?.type ?? "")) {
    return fault(
      `the column \`${at}\` is not declared INTEGER`,
      "keep the time in Unix milliseconds, as `context.now` is",
    );
  }
  if (time?.key === 1 && time.type.toUpperCase() === "INTEGER" && columns.every(({ key }) => key < 2)) {
    return { kind: "ordered", index: null };
  }
  const index = indexOn(db, table, at);
  if (index !== null) return { kind: "ordered", index };
  const sql = `CREATE INDEX ${table}_${at} ON ${table} (${at})`;
  return fault(`no index of \`${table}\` begins with \`${at}\``, `add a migration with \`${sql}\``);
}

/** An index of every row of `table` that begins with the column `at`. */
function indexOn(db: Database, table: string, at: string): string | null {
  const indexes = namesOf(db, 'SELECT name FROM pragma_index_list(?, "main") WHERE partial = 0', table);
  const first = db.query<{ name: string | null }, [string]>(
    'SELECT name FROM pragma_index_xinfo(?, "main") WHERE seqno = 0 AND key = 1',
  );
  return indexes.find((index) => first.get(index)?.name === at) ?? null;
}

const namesOf = (db: Database, sql: string, ...given: string[]): string[] =>
  db
    .query<{ name: string }, string[]>(sql)
    .all(...given)
    .map(({ name }) => name);
