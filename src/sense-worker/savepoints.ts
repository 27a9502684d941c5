/**
 * The author's own `db.transaction`, sync or async, as savepoints inside a compute's transaction. Savepoints form a stack, as
 * SQLite's do. A savepoint that ends before one inside it, or after its compute, fails the compute.
 */
import type { Database } from "bun:sqlite";

const isPromise = (value: unknown): value is Promise<unknown> =>
  typeof value === "object" && value !== null && typeof (value as { then?: unknown }).then === "function";

const NONE: readonly string[] = [];

export class Savepoints {
  #stack = NONE;
  #made = 0;

  /** How many have not ended yet. */
  get open(): number {
    return this.#stack.length;
  }

  /** Forgets what is still open: a compute begins or has ended. */
  reset(): void {
    this.#stack = NONE;
  }

  /** Runs `body` in a savepoint of `db`, kept when it returns or resolves, rolled back when it throws or rejects. */
  around<T>(db: Database, body: () => T): T {
    const name = `nerve_${++this.#made}`;
    db.run(`SAVEPOINT ${name}`);
    this.#stack = [...this.#stack, name];
    let result: T;
    try {
      result = body();
    } catch (error) {
      this.#end(db, name, false);
      throw error;
    }
    if (!isPromise(result)) {
      this.#end(db, name, true);
      return result;
    }
    return result.then(
      (value) => {
        this.#end(db, name, true);
        return value;
      },
      (error) => {
        this.#end(db, name, false);
        throw error;
      },
    ) as T;
  }

  #end(db: Database, name: string, keep: boolean): void {
    if (!this.#stack.includes(name)) throw new Error("the compute ended before its db.transaction did: await it");
    if (this.#stack.at(-1) !== name)
      throw new Error("two db.transaction overlap: await the first before the second begins");
    this.#stack = this.#stack.slice(0, -1);
    // A conflict resolved by ROLLBACK has taken the savepoint away with everything else.
    if (!db.inTransaction) return;
    if (!keep) db.run(`ROLLBACK TO ${name}`);
    db.run(`RELEASE ${name}`);
  }
}
