/**
 * The Drizzle handle that an author gets on the sense's own database. Every statement is checked and passes the gate of the
 * compute's transaction; `db.transaction` is a savepoint in that transaction.
 */
import type { Database, Statement } from "bun:sqlite";
import type { SenseDatabase } from "../sdk/index.ts";
import { isExplain } from "../sqlite/explain.ts";
import { once } from "../sqlite/once.ts";
import { leavesTransaction, splitStatements } from "../sqlite/statements.ts";
import type { Savepoints } from "./savepoints.ts";

/** Thrown at the author's code for what a compute must not do. */
export class AuthorError extends Error {}

export interface Gate {
  /** The connection, inside the compute's transaction. Throws while no compute is under way. */
  enter(): Database;
  /** The statement changes the schema, which no count of changed rows shows. */
  defines(): void;
}

/** What may change the file without counting as a change of rows. */
const DEFINES = new Set(["CREATE", "ALTER", "DROP", "REINDEX", "ANALYZE", "PRAGMA"]);
const MOST_CHECKED = 200;

type Verb = "run" | "all" | "get" | "values";
type Parameters = readonly unknown[];

/** What drizzle takes for a connection of bun:sqlite. The author can reach it, and nothing behind it. */
class GuardedClient {
  readonly #gate: Gate;
  /** Text of a statement → whether it changes the schema. */
  readonly #checked = new Map<string, boolean>();

  constructor(gate: Gate) {
    this.#gate = gate;
  }

  #check(sql: string): void {
    let defines = this.#checked.get(sql);
    if (defines === undefined) {
      defines = changesSchema(sql);
      if (this.#checked.size >= MOST_CHECKED) this.#checked.clear();
      this.#checked.set(sql, defines);
    }
    if (defines) this.#gate.defines();
  }

  prepare(sql: string): Record<Verb, (...parameters: Parameters) => unknown> {
    this.#check(sql);
    const statement = hinting(() => this.#gate.enter().query(sql));
    const explains = isExplain(sql);
    const call =
      (verb: Verb) =>
      (...parameters: Parameters): unknown => {
        const db = this.#gate.enter();
        this.#check(sql);
        const act = (on: Statement): unknown => on[verb](...(parameters as never[]));
        return explains ? once(db, sql, act) : act(statement);
      };
    return { run: call("run"), all: call("all"), get: call("get"), values: call("values") };
  }

  query(sql: string): ReturnType<GuardedClient["prepare"]> {
    return this.prepare(sql);
  }

  run(sql: string, ...parameters: Parameters): unknown {
    return this.prepare(sql).run(...parameters);
  }

  exec(sql: string, ...parameters: Parameters): unknown {
    return this.run(sql, ...parameters);
  }

  /** What drizzle calls to make its `tx`; the savepoint around it is made by the handle. */
  transaction(body: (...parameters: never[]) => unknown) {
    return Object.assign(body, { deferred: body, immediate: body, exclusive: body });
  }
}

Object.freeze(GuardedClient.prototype);

const NOT_THERE = /^(no such (table|column)|table \S+ has no column named)/;

/** A table or column that is not there is most often one that no migration makes. */
function hinting<T>(prepare: () => T): T {
  try {
    return prepare();
  } catch (error) {
    if (error instanceof Error && NOT_THERE.test(error.message)) {
      error.message += " (no migration has made it: add a file to migrations/)";
    }
    throw error;
  }
}

/** Throws for what a compute must not run. */
function changesSchema(sql: string): boolean {
  const [first, ...others] = splitStatements(sql);
  if (others.length > 0)
    throw new AuthorError("only one statement at a time: the ones after the first would be ignored");
  if (first && leavesTransaction(first)) {
    throw new AuthorError(`${first.keyword} is not allowed: a compute is one transaction, kept when it returns`);
  }
  return first !== undefined && DEFINES.has(first.keyword);
}

type Body = (tx: object) => unknown;

/** `db` has `transaction` as a savepoint, whatever its body returns. The rest is drizzle's, which is loaded at the first use. */
export const authorDatabase = (gate: Gate, nested: Savepoints): SenseDatabase =>
  new Proxy({}, new AuthorHandle(gate, nested, null)) as SenseDatabase;

class AuthorHandle implements ProxyHandler<object> {
  readonly #gate: Gate;
  readonly #nested: Savepoints;
  /** What drizzle made of it in a transaction. */
  readonly #tx: object | null;
  #drizzled: object | null = null;

  constructor(gate: Gate, nested: Savepoints, tx: object | null) {
    this.#gate = gate;
    this.#nested = nested;
    this.#tx = tx;
  }

  get(_: object, key: PropertyKey): unknown {
    if (key === "transaction") return (body: Body) => this.#transaction(body);
    const orm = this.#orm;
    const value = Reflect.get(orm, key);
    return typeof value === "function" ? value.bind(orm) : value;
  }

  getPrototypeOf(): object | null {
    return Reflect.getPrototypeOf(this.#orm);
  }

  get #orm(): object {
    if (this.#tx !== null) return this.#tx;
    if (this.#drizzled === null) {
      const { drizzle } = require("drizzle-orm/bun-sqlite") as typeof import("drizzle-orm/bun-sqlite");
      this.#drizzled = drizzle({ client: Object.freeze(new GuardedClient(this.#gate)) as unknown as Database });
    }
    return this.#drizzled;
  }

  #transaction(body: Body): unknown {
    const inner = (tx: object): unknown => body(new Proxy({}, new AuthorHandle(this.#gate, this.#nested, tx)));
    const orm = this.#orm as { transaction(body: Body): unknown };
    return this.#nested.around(this.#gate.enter(), () =>
      this.#tx === null ? orm.transaction(inner) : inner(this.#tx),
    );
  }
}
