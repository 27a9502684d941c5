/**
 * The author's own `db.transaction`, sync or async, as savepoints inside a compute's transaction. Savepoints form a stack, as
 * SQLite's do. A savepoint that ends before one inside it, or after its compute, fails the compute.
 */
import type { Database } from "bun:sqlite";

export interface Savepoints {
  /** Runs `body` in a savepoint of `db`, kept when it returns or resolves, rolled back when it throws or rejects. */
  around<T>(db: Database, body: () => T): T;
  /** How many have not ended yet. */
  readonly open: number;
  /** Forgets what is still open: a compute begins or has ended. */
  reset(): void;
}

const isPromise = (value: unknown): value is Promise<unknown> =>
  typeof value === "object" && value !== null && typeof (value as { then?: unknown }).then === "function";

export function savepoints(): Savepoints {
  let stack: string[] = [];
  let made = 0;

  const end = (db: Database, name: string, keep: boolean): void => {
    if (!stack.includes(name)) throw new Error("the compute ended before its db.transaction did: await it");
    if (stack.at(-1) !== name) throw new Error("two db.transaction overlap: await the first before the second begins");
    stack.pop();
    // A conflict resolved by ROLLBACK has taken the savepoint away with everything else.
    if (!db.inTransaction) return;
    if (!keep) db.run(`ROLLBACK TO ${name}`);
    db.run(`RELEASE ${name}`);
  };

  return {
    around<T>(db: Database, body: () => T): T {
      const name = `nerve_${++made}`;
      db.run(`SAVEPOINT ${name}`);
      stack.push(name);
      let result: T;
      try {
        result = body();
      } catch (error) {
        end(db, name, false);
        throw error;
      }
      if (!isPromise(result)) {
        end(db, name, true);
        return result;
      }
      return result.then(
        (value) => {
          end(db, name, true);
          return value;
        },
        (error) => {
          end(db, name, false);
          throw error;
        },
      ) as T;
    },
    get open() {
      return stack.length;
    },
    reset() {
      stack = [];
    },
  };
}
