/**
 * Where the clock fell back in a table: between two such rows `at` grows with the id. They are noted as rows are appended;
 * rows above a mark, which others may have written, are looked at when somebody asks. The mark follows by thousands, so
 * that neither costs more than a glance.
 */
import type { Database } from "bun:sqlite";
import { isCount } from "./columns.ts";
import { damagedRow } from "./damage.ts";
import { MetaTable } from "./meta.ts";

/** `at` may fall back by so much without a step: what came together is stamped before what it waited for. */
export const TOLERANCE_MS = 1_000;
/** Rows above the mark that nobody has noted durably, at most. */
const MARK_EVERY = 4_096;

interface Appended {
  id: number;
  newest: number;
  mark: number;
}

export class ClockSteps {
  readonly #db: Database;
  readonly #source: "signals" | "logs";
  readonly #meta: MetaTable;
  /** The last row this has seen appended, and the greatest `at` since the last step; null: the table has to be asked. */
  #last: Appended | null = null;
  /** The same as of the last commit. */
  #committed: Readonly<Appended> | null = null;

  constructor(db: Database, source: "signals" | "logs") {
    this.#db = db;
    this.#source = source;
    this.#meta = new MetaTable(db);
  }

  get #key(): string {
    return `clock_steps_${this.#source}`;
  }

  /** Rows up to it have been looked at. */
  #mark(): number {
    return this.#meta.count(this.#key) ?? 0;
  }

  /** A row was appended. Inside the transaction that appends it. */
  appended(id: number, at: number): void {
    const last = this.#last;
    if (last === null || last.id !== id - 1) return this.#catchUp(id, at);
    const isStep = at < last.newest - TOLERANCE_MS;
    if (isStep) this.#note(id);
    last.id = id;
    last.newest = isStep ? at : Math.max(last.newest, at);
    if (id - last.mark >= MARK_EVERY) last.mark = this.#setMark(id);
  }

  committed(): void {
    this.#committed = this.#last === null ? null : { ...this.#last };
  }

  /** A transaction was rolled back: what it appended is not there. */
  rolledBack(): void {
    this.#last = this.#committed === null ? null : { ...this.#committed };
  }

  /** Looks at what was written since the mark, by whomever. */
  #catchUp(id: number, at: number): void {
    for (const step of this.#unmarked()) this.#note(step);
    this.#last = { id, newest: at, mark: this.#setMark(id) };
  }

  #setMark(id: number): number {
    this.#meta.set(this.#key, String(id));
    return id;
  }

  #note(id: number): void {
    this.#db.query("INSERT OR IGNORE INTO clock_steps (source, id) VALUES (?, ?)").run(this.#source, id);
  }

  /** Steps from the mark on. */
  #unmarked(): number[] {
    return this.#db
      .query<{ id: number }, [number, number]>(
        `SELECT id FROM (SELECT id, at, lag(at) OVER (ORDER BY id) AS before FROM ${this.#source} WHERE id >= ?)
         WHERE at < before - ?`,
      )
      .all(this.#mark(), TOLERANCE_MS)
      .map(({ id }) => id);
  }

  /** First rows behind a fall, in order. `last`: the highest id there is. Up to what this saw appended all are noted. */
  known(last: number): number[] {
    const unmarked = last === this.#last?.id ? [] : this.#unmarked();
    return [...new Set([...this.#noted(), ...unmarked])].sort((a, b) => a - b);
  }

  /** None in a store that a build without this table wrote: there the whole table is above the mark. */
  #noted(): number[] {
    const table = this.#db.query("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'clock_steps'");
    if (table.get() === null) return [];
    const rows = this.#db.query<{ id: unknown }, [string]>("SELECT id FROM clock_steps WHERE source = ?");
    return rows.all(this.#source).map(({ id }) => {
      if (!isCount(id)) throw damagedRow(this.#db.filename, "clock_steps", this.#source, "id", id, "an id");
      return id as number;
    });
  }
}
