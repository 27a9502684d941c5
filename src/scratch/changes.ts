/**
 * Which rows of a scratch copy a compute changes: counted by triggers, which see an update that leaves the number of rows
 * as it was. Tables made meanwhile had none: all their rows are new.
 */
import type { Database } from "bun:sqlite";
import { existsSync } from "node:fs";
import { openWriter } from "../sqlite/open.ts";

export interface TableChanges {
  readonly table: string;
  readonly inserted: number;
  readonly updated: number;
  readonly deleted: number;
}

const COUNTS = "_nerve_counts";
const OWN: ReadonlySet<string> = new Set(["_outbox", "_taken", "_migrations", COUNTS]);
const VERBS = { INSERT: "inserted", UPDATE: "updated", DELETE: "deleted" } as const;

const quote = (name: string): string => `"${name.replaceAll('"', '""')}"`;
const literal = (text: string): string => `'${text.replaceAll("'", "''")}'`;
const triggerName = (table: string, verb: string): string => quote(`_nerve_${verb}_${table}`);

function tablesOf(db: Database): string[] {
  return db
    .query<{ name: string; type: string }, []>("SELECT name, type FROM pragma_table_list WHERE schema = 'main'")
    .all()
    .filter(({ name, type }) => type === "table" && !name.startsWith("sqlite_") && !OWN.has(name))
    .map(({ name }) => name)
    .sort();
}

function using<T>(file: string, absent: T, act: (db: Database) => T): T {
  if (!existsSync(file)) return absent;
  const opened = openWriter(file, "normal");
  if (!opened.ok) return absent;
  try {
    return act(opened.value);
  } finally {
    opened.value.close(true);
  }
}

/** From now on changes are counted. Returns the tables that are watched. */
export const watchChanges = (file: string): readonly string[] =>
  using<string[]>(file, [], (db) =>
    db
      .transaction(() => {
        const tables = tablesOf(db);
        db.run(`CREATE TABLE ${COUNTS} (name TEXT PRIMARY KEY, inserted INT, updated INT, deleted INT) WITHOUT ROWID`);
        for (const table of tables) {
          db.run(`INSERT INTO ${COUNTS} VALUES (?, 0, 0, 0)`, [table]);
          for (const [verb, column] of Object.entries(VERBS)) {
            const count = `UPDATE ${COUNTS} SET ${column} = ${column} + 1 WHERE name = ${literal(table)}`;
            db.run(`CREATE TRIGGER ${triggerName(table, verb)} AFTER ${verb} ON ${quote(table)} BEGIN ${count}; END`);
          }
        }
        return tables;
      })
      .immediate(),
  );

/** What has changed since, tables without a change left out; the triggers are taken away. The worker must be gone. */
export const readChanges = (file: string, watched: readonly string[]): readonly TableChanges[] =>
  using<TableChanges[]>(file, [], (db) => {
    const tables = tablesOf(db);
    const isCounted = db.query("SELECT 1 FROM sqlite_schema WHERE name = ?").get(COUNTS) !== null;
    const counted = isCounted
      ? db
          .query<TableChanges, []>(`SELECT name AS "table", inserted, updated, deleted FROM ${COUNTS} ORDER BY name`)
          .all()
      : [];
    const made = tables
      .filter((table) => !watched.includes(table))
      .map((table) => {
        const row = db.query<{ n: number }, []>(`SELECT count(*) AS n FROM ${quote(table)}`).get();
        return { table, inserted: row?.n ?? 0, updated: 0, deleted: 0 };
      });
    for (const table of watched) {
      for (const verb of Object.keys(VERBS)) db.run(`DROP TRIGGER IF EXISTS ${triggerName(table, verb)}`);
    }
    db.run(`DROP TABLE IF EXISTS ${COUNTS}`);
    return [...counted, ...made].filter(({ inserted, updated, deleted }) => inserted + updated + deleted > 0);
  });
