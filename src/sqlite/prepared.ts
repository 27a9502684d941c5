/**
 * A statement that is prepared at its first use, and kept as long as its connection. For what is run again and again:
 * Bun's own cache behind `query` holds the first 20 statements of a connection, and a start fills it.
 */
import type { Database, SQLQueryBindings, Statement } from "bun:sqlite";

export function prepared<Row = unknown, Given extends SQLQueryBindings[] = SQLQueryBindings[]>(
  db: Database,
  sql: string,
): () => Statement<Row, Given> {
  let statement: Statement<Row, Given> | null = null;
  return () => {
    const kept = statement ?? (db.prepare(sql) as unknown as Statement<Row, Given>);
    statement = kept;
    return kept;
  };
}
