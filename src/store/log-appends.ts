/**
 * The way of new rows into the table of logs. Within a commit of the store the first row is inserted at once, and its id says
 * which ids the others get, for nobody else writes meanwhile. The others are inserted many in one statement: at the end of the
 * commit, or when somebody reads.
 */
import type { Database, SQLQueryBindings, Statement } from "bun:sqlite";
import type { NewLog } from "../model/log.ts";
import { RowWriter } from "../sqlite/row-writer.ts";
import type { ClockSteps } from "./clock-steps.ts";

const COLUMNS = "at, level, source, event, run, trace, message, data";
/** Values of a row, the id among them. */
const WIDTH = 9;

export class LogAppends {
  readonly #steps: ClockSteps;
  readonly #insert: Statement;
  readonly #others: RowWriter;
  /** Values of rows that are not inserted yet, one row after the other. */
  #values: SQLQueryBindings[] = [];
  #isCommit = false;
  /** The newest id of this commit, null before the first. */
  #newest: number | null = null;

  constructor(db: Database, steps: ClockSteps) {
    this.#steps = steps;
    this.#insert = db.prepare(`INSERT INTO logs (${COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`);
    this.#others = new RowWriter(db, WIDTH, (places) => `INSERT INTO logs (id, ${COLUMNS}) VALUES ${places}`);
  }

  /** A commit of the store begins. */
  begins(): void {
    this.#isCommit = true;
  }

  /** Returns the id. Outside of a commit of the store the row is inserted at once. */
  append({ at, level, source, event, run, trace, message, data }: NewLog): number {
    if (this.#newest !== null) {
      this.#values.push(++this.#newest, at, level, source, event, run, trace, message, data);
      return this.#newest;
    }
    const id = this.#insert.run(at, level, source, event, run, trace, message, data).lastInsertRowid as number;
    this.#steps.appended(id, at);
    if (this.#isCommit) this.#newest = id;
    return id;
  }

  /** Inserts the rows that are not inserted yet. */
  settle(): void {
    if (this.#values.length === 0) return;
    const values = this.#values;
    this.#values = [];
    this.#others.write(values);
    for (let row = 0; row < values.length; row += WIDTH) {
      this.#steps.appended(values[row] as number, values[row + 1] as number);
    }
  }

  /** The commit is over. What was not inserted is not there. */
  ends(): void {
    this.#isCommit = false;
    this.#newest = null;
    this.#values = [];
  }
}
