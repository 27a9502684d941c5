/** `_outbox`, where a compute that wrote keeps its signal beside its rows, until the kernel has taken it. */
import type { Database, Statement } from "bun:sqlite";
import { counted } from "../base/counted.ts";
import type { Json } from "../base/json.ts";
import { once } from "../sqlite/once.ts";

/** What every signal of a compute carries. */
export interface Signed {
  readonly now: number;
  readonly cause: number | null;
  readonly trace: string;
}

/** A signal as it is kept. */
export interface OutboxSignal {
  /** JSON text. */
  readonly payload: string;
  readonly cause: number | null;
  readonly trace: string;
  readonly at: number;
}

export interface OutboxRow extends Pick<OutboxSignal, "cause" | "trace"> {
  readonly id: number;
  readonly payload: Json;
}

const CREATE = `CREATE TABLE IF NOT EXISTS _outbox (
  id INTEGER PRIMARY KEY AUTOINCREMENT, payload TEXT NOT NULL, cause INTEGER, trace TEXT NOT NULL, at INTEGER NOT NULL)`;
/** Rows that nerve did not write, or that somebody changed: a signal made of one would be made up. */
const DAMAGED = `SELECT id FROM _outbox
  WHERE NOT json_valid(payload) OR typeof(trace) <> 'text' OR typeof(cause) NOT IN ('integer', 'null') LIMIT 1`;
const IN_SCHEMA = "SELECT type, sql FROM sqlite_schema WHERE name = '_outbox'";

const SEQUENCE = "SELECT seq FROM sqlite_sequence WHERE name = '_outbox'";
const NEW_SEQUENCE = "INSERT INTO sqlite_sequence (name, seq) VALUES ('_outbox', ?)";
const LIFT_SEQUENCE = "UPDATE sqlite_sequence SET seq = ? WHERE name = '_outbox'";
const WAITING = "SELECT id, payload, cause, trace FROM _outbox WHERE id > ? ORDER BY id LIMIT ?";

type Stored = Omit<OutboxRow, "payload"> & { readonly payload: string };

export class Outbox {
  readonly #db: Database;
  readonly #insert: Statement<{ id: number }, [string, number | null, string, number]>;
  readonly #remove: Statement<unknown, [number]>;
  readonly #report: (message: string) => void;
  #takenUpTo: number;
  #removedUpTo = 0;
  /** The last row that this process has added in a transaction that was not rolled back. */
  #added = 0;

  /**
   * Makes the table where there is none. `takenUpTo` is the highest row that the kernel has ever taken: new rows get
   * higher ids even if the file was restored from a copy or lost its last commits.
   */
  constructor(db: Database, takenUpTo: number, report: (message: string) => void) {
    this.#db = db;
    this.#report = report;
    this.#takenUpTo = takenUpTo;
    const found = once(db, IN_SCHEMA, (statement) => statement.get() as { type: string; sql: string | null } | null);
    if (found === null) db.run(CREATE);
    else if (found.type !== "table" || found.sql?.includes("AUTOINCREMENT") !== true) {
      throw new Error("_outbox is a name of nerve's own: give the table or view of that name another one");
    }
    const damaged = once(db, DAMAGED, (statement) => statement.get() as { id: number } | null);
    if (damaged !== null) {
      const remedy = `put back an untouched copy, or remove the row: DELETE FROM _outbox WHERE id = ${damaged.id}`;
      throw new Error(`row ${damaged.id} of the table _outbox is damaged and holds no signal; ${remedy}`);
    }
    this.#reportOlder(takenUpTo);
    this.#reportNewer(takenUpTo);
    this.#liftSequence(takenUpTo);
    this.#insert = db.prepare("INSERT INTO _outbox (payload, cause, trace, at) VALUES (?, ?, ?, ?) RETURNING id");
    this.#remove = db.prepare("DELETE FROM _outbox WHERE id <= ?");
  }

  #sequence(): { readonly seq: number } | null {
    return once(this.#db, SEQUENCE, (statement) => statement.get() as { seq: number } | null);
  }

  /** An older copy, or what a power loss has left: it may hand over again what it had handed over. */
  #reportOlder(takenUpTo: number): void {
    const row = this.#sequence();
    if (row === null || row.seq >= takenUpTo) return;
    this.#report(
      `its database is older than what nerve knows of it: signals up to row ${takenUpTo} of _outbox were taken, and the newest row that it knows of is ${row.seq}; what the sense kept since is missing, and it may come again. \`durability: full\` at the sense keeps a power loss from that`,
    );
  }

  /** Rows leave only once logs.db has their signals: where rows are missing, logs.db is the older one. 0: it knows of nothing. */
  #reportNewer(takenUpTo: number): void {
    const given = takenUpTo === 0 ? 0 : (this.#sequence()?.seq ?? 0);
    const waiting = this.#db
      .query<{ count: number }, [number]>("SELECT count(*) AS count FROM _outbox WHERE id > ?")
      .get(takenUpTo);
    const missing = given - takenUpTo - (waiting?.count ?? 0);
    if (missing <= 0) return;
    this.#report(
      `${counted(missing, "signal")} that the sense handed over ${missing === 1 ? "is" : "are"} missing from logs.db, which is older than the database of the sense: it knows of row ${takenUpTo} of _outbox, and row ${given} was handed over; what the sense kept is there. \`durability: full\` keeps a power loss from that`,
    );
  }

  #liftSequence(to: number): void {
    const row = this.#sequence();
    if (row === null && to > 0) once(this.#db, NEW_SEQUENCE, (statement) => statement.run(to));
    if (row !== null && row.seq < to) once(this.#db, LIFT_SEQUENCE, (statement) => statement.run(to));
  }

  /** Answers the row's id, which is above every one before: the kernel takes a lower one for a row that it has taken. */
  add(signal: OutboxSignal): number {
    const known = Math.max(this.#takenUpTo, this.#added);
    let id = this.#insertRow(signal);
    if (id <= known) {
      this.#report(
        `somebody set back the counter of the table _outbox: it gave row ${id} after row ${known}, and goes on above that`,
      );
      once(this.#db, "DELETE FROM _outbox WHERE id = ?", (statement) => statement.run(id));
      this.#liftSequence(known);
      id = this.#insertRow(signal);
    }
    this.#added = id;
    return id;
  }

  #insertRow({ payload, cause, trace, at }: OutboxSignal): number {
    const row = this.#insert.get(payload, cause, trace, at);
    if (row === null) throw new Error("the table _outbox took no row: a trigger of yours prevents that");
    return row.id;
  }

  /** Rows that the kernel has not taken yet, oldest first. */
  waiting(after: number, limit: number): OutboxRow[] {
    return once(this.#db, WAITING, (statement) => statement.all(after, limit) as Stored[]).map((row) => ({
      ...row,
      payload: JSON.parse(row.payload) as Json,
    }));
  }

  /** The kernel has committed the rows up to `id`. */
  taken(id: number): void {
    this.#takenUpTo = Math.max(this.#takenUpTo, id);
  }

  /** Removes what was taken. */
  sweep(): void {
    if (this.#takenUpTo <= this.#removedUpTo) return;
    this.#remove.run(this.#takenUpTo);
    this.#removedUpTo = this.#takenUpTo;
  }

  /** The transaction was rolled back, and the counter with it. The next sweep removes the same rows again. */
  rolledBack(): void {
    this.#removedUpTo = 0;
    this.#added = 0;
  }
}
