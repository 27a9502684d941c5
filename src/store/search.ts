/**
 * Finds rows by time or trace in a table whose one order is its id: there is no index to keep, and none is needed. Ids
 * follow time but for a clock that was set back; where it was, the table `clock_steps` says.
 */
import type { Database } from "bun:sqlite";
import { isCount } from "./columns.ts";
import { damagedRow } from "./damage.ts";

export interface Search {
  /** The first id of a row that is as young as `at`; one more than the last id when no row is. */
  firstIdSince(at: number): number;
  /** At most `limit` different traces that begin with `prefix`, among rows from id `from` on. */
  traces(prefix: string, from: number, limit: number): string[];
}

type Source = "signals" | "logs";

/** `at` may fall back by so much without a step: what came together is stamped before what it waited for. */
const TOLERANCE_MS = 1_000;

const hasSteps = (db: Database): boolean =>
  db.query("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'clock_steps'").get() !== null;

/** Notes where `at` falls back, as rows are appended. */
export class ClockSteps {
  readonly #db: Database;
  readonly #source: Source;
  /** The greatest `at` since the last step; null: the table has to be asked. */
  #newest: number | null = null;

  constructor(db: Database, source: Source) {
    this.#db = db;
    this.#source = source;
  }

  /** A row was appended. Inside the transaction that appends it. */
  appended(id: number, at: number): void {
    const newest = this.#newest ?? this.#before(id) ?? at;
    if (at >= newest - TOLERANCE_MS) {
      this.#newest = Math.max(newest, at);
      return;
    }
    this.#newest = at;
    this.#db.query("INSERT OR IGNORE INTO clock_steps (source, id) VALUES (?, ?)").run(this.#source, id);
  }

  /** A transaction was rolled back: what it appended is not there. */
  forget(): void {
    this.#newest = null;
  }

  #before(id: number): number | null {
    const row = this.#db.query<{ at: number }, [number]>(
      `SELECT at FROM ${this.#source} WHERE id < ? ORDER BY id DESC LIMIT 1`,
    );
    return row.get(id)?.at ?? null;
  }
}

export function searchIn(db: Database, source: Source): Search {
  const bounds = db.prepare<{ first: number | null; last: number | null }, []>(
    `SELECT (SELECT min(id) FROM ${source}) AS first, (SELECT max(id) FROM ${source}) AS last`,
  );
  const next = db.prepare<{ id: number; at: number }, [number]>(
    `SELECT id, at FROM ${source} WHERE id >= ? ORDER BY id LIMIT 1`,
  );
  const young = db.prepare<{ id: number }, [number, number, number]>(
    `SELECT id FROM ${source} WHERE id >= ? AND id < ? AND at >= ? ORDER BY id LIMIT 1`,
  );
  /** First ids of the stretches in which `at` grows with the id. */
  const stretches = (first: number, last: number): number[] => {
    if (!hasSteps(db)) return [first];
    const steps = db.query<{ id: unknown }, [string]>("SELECT id FROM clock_steps WHERE source = ? ORDER BY id");
    const ids = steps.all(source).map(({ id }) => {
      if (!isCount(id)) throw damagedRow(db, "clock_steps", source, "id", id);
      return id as number;
    });
    return [first, ...ids.filter((id) => id > first && id <= last)];
  };
  /** In the stretch from `low` to before `end`: the first id of a row as young as `at`, or null. */
  const inStretch = (low: number, end: number, at: number): number | null => {
    let high = end;
    while (low < high) {
      const middle = Math.floor((low + high) / 2);
      const row = next.get(middle);
      if (row === null || row.id >= high || row.at >= at - TOLERANCE_MS) high = middle;
      else low = row.id + 1;
    }
    return low < end ? (young.get(low, end, at)?.id ?? null) : null;
  };
  return {
    firstIdSince(at) {
      const { first = null, last = null } = bounds.get() ?? {};
      if (first === null || last === null) return 1;
      const begins = stretches(first, last);
      for (const [index, begin] of begins.entries()) {
        const found = inStretch(begin, begins[index + 1] ?? last + 1, at);
        if (found !== null) return found;
      }
      return last + 1;
    },
    traces: (prefix, from, limit) =>
      db
        .query<{ trace: string }, [number, string, string, number]>(
          `SELECT DISTINCT trace FROM ${source} WHERE id >= ? AND trace >= ? AND trace < ? LIMIT ?`,
        )
        .all(from, prefix, `${prefix}g`, limit)
        .map(({ trace }) => trace),
  };
}
