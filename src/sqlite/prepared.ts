/**
 * A statement that is prepared at its first use, and kept as long as its connection. For what is run again and again:
 * Bun's own cache behind `query` holds the first 20 statements of a connection, and a start fills it.
 */
import type { Database, Statement } from "bun:sqlite";

export function prepared(db: Database, sql: string): () => Statement {
  let statement: Statement | null = null;
  return () => {
    statement ??= db.prepare(sql);
    return statement;
  };
}
