/** What in logs.db is not as nerve wrote it: found where it is read, and told by file, table, row, column and remedy. */
import { type Problem, problem } from "../model/problem.ts";

export const DAMAGED = "store-damaged";

/** Reading goes no further: what follows from a damaged row would be a guess. */
export class StoreDamaged extends Error {
  readonly problem: Problem;

  constructor(file: string, why: string, remedy: string) {
    super(`${file}: ${why}`);
    this.name = "StoreDamaged";
    this.problem = problem(DAMAGED, this.message, remedy, file);
  }
}

export const RESTORE = "put back a copy of logs.db, or stop nerve and mend it with `sqlite3`";

/** What follows from the logs: whoever opens the store derives a lost table again, and `nerve rebuild` a damaged row. */
export const DERIVED: ReadonlySet<string> = new Set(["workflow_runs", "incidents"]);
const REBUILD = "`nerve rebuild` makes the row anew from the logs";

/** At most so much of a value is shown. */
const SHOWN_CHARS = 40;

/** A stored value for people: its kind and its beginning. */
export function shownValue(value: unknown): string {
  if (value === null || value === undefined) return "NULL";
  if (typeof value === "number") return String(value);
  if (typeof value !== "string") return "a blob";
  const text = JSON.stringify(value);
  return `the text ${text.length > SHOWN_CHARS ? `${text.slice(0, SHOWN_CHARS)}…` : text}`;
}

/** `row`: its key, as a person finds it with SQL. `what`: what the value must be, or null. */
export function damagedRow(
  file: string,
  table: string,
  row: string,
  column: string,
  value: unknown,
  what: string | null,
): StoreDamaged {
  const instead = what === null ? "" : `, and not ${what}`;
  const remedy = DERIVED.has(table) ? REBUILD : RESTORE;
  return new StoreDamaged(file, `table ${table}, row ${row}: ${column} is ${shownValue(value)}${instead}`, remedy);
}

/** To whom a row is given that is not as nerve wrote it. Whoever returns goes on without the row. */
export type OnDamage = (damage: StoreDamaged) => void;

/** Nothing may follow from what is read here without the row. */
export const refuse: OnDamage = (damage) => {
  throw damage;
};

/** Rows that the kernel met and went on without, each told once. */
export class DamagedRows {
  readonly #known = new Set<string>();
  readonly #waiting: Problem[] = [];
  #listener: ((found: Problem) => void) | null = null;

  readonly add: OnDamage = ({ problem: found }) => {
    if (this.#known.has(found.message)) return;
    this.#known.add(found.message);
    if (this.#listener === null) this.#waiting.push(found);
    else this.#listener(found);
  };

  /** Tells `listener` what was met so far, and what will be. */
  tell(listener: (found: Problem) => void): void {
    this.#listener = listener;
    for (const found of this.#waiting.splice(0)) listener(found);
  }
}
