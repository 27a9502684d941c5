/**
 * Owns the step of a newer nerve's rows into the tables of an older nerve. The older database is a copy from before the
 * migrations. Its tables are emptied, and filled with the newer rows in their columns. Further tables and columns stay
 * behind.
 */
import { Database } from "bun:sqlite";
import { err, ok, type Result } from "../base/result.ts";
import { syncPath } from "../base/sync-path.ts";

const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`;

const TABLES =
  "SELECT name FROM main.sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' AND name <> '_migrations'";
/** A sense's `_taken` is made with its first item, and what it holds belongs to the rows. One name: there is nothing to make. */
const MADE_LATER = `SELECT name FROM main.sqlite_schema WHERE name = '_taken'
  UNION ALL SELECT 'none' AS name WHERE NOT EXISTS (SELECT 1 FROM newer.sqlite_schema WHERE name = '_taken')`;
const TAKEN = "CREATE TABLE main._taken (origin TEXT PRIMARY KEY, up_to INTEGER NOT NULL)";
/** Triggers act by themselves, and virtual tables have tables of their own: copied rows cannot fill such a database. */
const UNFIT = `SELECT name FROM main.sqlite_schema
  WHERE type = 'trigger' OR (type = 'table' AND sql LIKE 'CREATE VIRTUAL%') LIMIT 1`;

const names = (db: Database, sql: string): string[] =>
  db
    .query<{ name: string }, []>(sql)
    .all()
    .map(({ name }) => name);

const columnsOf = (db: Database, schema: string, table: string): string[] =>
  names(db, `SELECT name FROM pragma_table_info('${table.replaceAll("'", "''")}', '${schema}')`);

/** Why the rows cannot be kept, or nothing. `older` is changed, and durable when this returns. `newer` is only read. */
export function carryOver(older: string, newer: string): Result<void, string> {
  const db = new Database(older, { readwrite: true, strict: true });
  try {
    db.run("PRAGMA foreign_keys = OFF");
    const [unfit = null] = names(db, UNFIT);
    if (unfit !== null) return err(`${unfit} cannot be filled by copying rows`);
    db.run("ATTACH ? AS newer", [newer]);
    if (names(db, MADE_LATER).length === 0) db.run(TAKEN);
    const tables = names(db, TABLES);
    for (const table of tables) {
      const there = new Set(columnsOf(db, "newer", table));
      const lost = columnsOf(db, "main", table).find((column) => !there.has(column));
      if (lost !== undefined) return err(`the newer version has no column ${lost} of ${table}`);
    }
    db.transaction(() => fill(db, tables)).immediate();
    db.run("DETACH newer");
    const found = db.query<{ quick_check: string }, []>("PRAGMA quick_check(1)").get()?.quick_check ?? "ok";
    if (found !== "ok") return err(found);
    db.run("PRAGMA journal_mode = DELETE");
  } catch (error) {
    return err((error as Error).message);
  } finally {
    db.close(true);
  }
  syncPath(older);
  return ok(undefined);
}

function fill(db: Database, tables: readonly string[]): void {
  for (const table of tables) {
    const columns = columnsOf(db, "main", table).map(quoted).join(", ");
    db.run(`DELETE FROM main.${quoted(table)}`);
    db.run(`INSERT INTO main.${quoted(table)} (${columns}) SELECT ${columns} FROM newer.${quoted(table)}`);
  }
  const counts = names(db, "SELECT name FROM main.sqlite_schema WHERE name = 'sqlite_sequence'").length > 0;
  if (!counts) return;
  db.run("DELETE FROM main.sqlite_sequence");
  for (const table of tables) {
    db.query(
      "INSERT INTO main.sqlite_sequence (name, seq) SELECT name, seq FROM newer.sqlite_sequence WHERE name = ?",
    ).run(table);
  }
}
