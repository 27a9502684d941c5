/**
 * Whether logs.db is what nerve made: its tables and columns, and its pages. What is wrong is found when the file is
 * opened, and not in the midst of an answer, where a lost page reads like rows that never were.
 */
import { Database } from "bun:sqlite";
import type { MigrationFile } from "../sqlite/migrate.ts";
import { once } from "../sqlite/once.ts";
import { shortage } from "../sqlite/size.ts";
import { splitStatements } from "../sqlite/statements.ts";
import { DERIVED, RESTORE, StoreDamaged } from "./damage.ts";

/** What was made of migrations once in this process, by their names. */
const expected = new Map<string, Map<string, readonly string[]>>();

/** Table → its columns, as `migrations` make them. */
function expectedTables(migrations: readonly MigrationFile[]): Map<string, readonly string[]> {
  const names = migrations.map(({ name }) => name).join();
  const known = expected.get(names) ?? madeBy(migrations);
  expected.set(names, known);
  return known;
}

function madeBy(migrations: readonly MigrationFile[]): Map<string, readonly string[]> {
  const db = new Database(":memory:");
  try {
    for (const { sql } of migrations) for (const { text } of splitStatements(sql)) db.run(text);
    return tablesIn(db);
  } finally {
    db.close(true);
  }
}

function tablesIn(db: Database): Map<string, readonly string[]> {
  const columns = db.query<{ table: string; column: string }, []>(
    `SELECT tables.name AS "table", columns.name AS "column" FROM sqlite_schema AS tables, pragma_table_info(tables.name) AS columns
     WHERE tables.type = 'table'`,
  );
  const found = new Map<string, string[]>();
  for (const { table, column } of columns.all()) found.set(table, [...(found.get(table) ?? []), column]);
  return found;
}

/**
 * Stands for the schema of this file under these migrations. SQLite counts every change of a schema, whoever makes it: while
 * the mark that was kept after a check is the mark of now, nothing has to be checked again.
 */
export function schemaMark(db: Database, applied: readonly MigrationFile[]): string {
  const { schema_version: version } = once(
    db,
    "PRAGMA schema_version",
    (statement) => statement.get() as SchemaVersion,
  );
  return `${version} ${applied.at(-1)?.name ?? ""}`;
}

interface SchemaVersion {
  readonly schema_version: number;
}

/** Throws {@link StoreDamaged} for a table or column that is gone. `applied`: the migrations this file has had. */
export function checkTables(db: Database, applied: readonly MigrationFile[]): void {
  const there = tablesIn(db);
  for (const [table, columns] of expectedTables(applied)) {
    const found = there.get(table);
    if (found === undefined && DERIVED.has(table)) continue;
    if (found === undefined) throw new StoreDamaged(db.filename, `the table ${table} is gone`, RESTORE);
    const gone = columns.find((column) => !found.includes(column));
    if (gone === undefined) continue;
    const remedy = DERIVED.has(table) ? "drop the table: `nerve rebuild` derives it from the logs" : RESTORE;
    throw new StoreDamaged(db.filename, `the column ${gone} of the table ${table} is gone`, remedy);
  }
}

const sizeOf = (db: Database): number =>
  db
    .query<{ bytes: number }, []>("SELECT page_count * page_size AS bytes FROM pragma_page_count, pragma_page_size")
    .get()?.bytes ?? 0;

/**
 * Reads every page of a file of at most `mostBytes`, and looks at the size of any. Throws {@link StoreDamaged} for the first
 * page that is not sound.
 */
export function checkPages(db: Database, mostBytes: number): void {
  const missing = shortage(db);
  if (missing !== null) throw new StoreDamaged(db.filename, missing, RESTORE);
  if (sizeOf(db) > mostBytes) return;
  const found = db.query<{ integrity_check: string }, []>("PRAGMA integrity_check(1)").get()?.integrity_check ?? "ok";
  if (found !== "ok")
    throw new StoreDamaged(
      db.filename,
      `a page is damaged: ${found.replace(/^\*\*\* in database main \*\*\*/, "").trim()}`,
      RESTORE,
    );
}

/** A trigger of somebody else's that refuses what nerve writes, or null. */
export function foreignTrigger(db: Database): string | null {
  const trigger = db.query<{ name: string; table: string }, []>(
    `SELECT name, tbl_name AS "table" FROM sqlite_schema WHERE type = 'trigger' LIMIT 1`,
  );
  const found = trigger.get();
  return found === null ? null : `trigger ${found.name} on the table ${found.table}`;
}
