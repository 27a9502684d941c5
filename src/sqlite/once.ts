/**
 * Owns what is run once on a connection. A statement that stays prepared takes 3 KB for as long as the connection is open, and
 * Bun's own `transaction` keeps nine of them.
 */
import type { Database, Statement } from "bun:sqlite";

/** Prepares `sql` for this one use. */
export function once<T>(db: Database, sql: string, how: (statement: Statement) => T): T {
  const statement = db.prepare(sql);
  try {
    return how(statement);
  } finally {
    statement.finalize();
  }
}

/** Runs `work` in one transaction: kept whole or, when it throws, not at all. No transaction may be open. */
export function transact<T>(db: Database, kind: "DEFERRED" | "IMMEDIATE", work: () => T): T {
  db.run(`BEGIN ${kind}`);
  try {
    const result = work();
    db.run("COMMIT");
    return result;
  } catch (error) {
    if (db.inTransaction) db.run("ROLLBACK");
    throw error;
  }
}
