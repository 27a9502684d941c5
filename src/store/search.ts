/** Finds rows by time or trace in a table whose one order is its id: there is no index to keep, and none is needed. */
import type { Database } from "bun:sqlite";

export interface Search {
  /**
   * The id from which on rows are as young as `at`, found by halving: ids follow time, but for a clock that was set. One
   * more than the last id when no row is.
   */
  firstIdSince(at: number): number;
  /** At most `limit` different traces that begin with `prefix`, among rows from id `from` on. */
  traces(prefix: string, from: number, limit: number): string[];
}

export function searchIn(db: Database, table: "signals" | "logs"): Search {
  const bounds = db.prepare<{ first: number | null; last: number | null }, []>(
    `SELECT (SELECT min(id) FROM ${table}) AS first, (SELECT max(id) FROM ${table}) AS last`,
  );
  const next = db.prepare<{ id: number; at: number }, [number]>(
    `SELECT id, at FROM ${table} WHERE id >= ? ORDER BY id LIMIT 1`,
  );
  return {
    firstIdSince(at) {
      const { first = null, last = null } = bounds.get() ?? {};
      if (first === null || last === null) return 1;
      let low = first;
      let high = last + 1;
      while (low < high) {
        const middle = Math.floor((low + high) / 2);
        const row = next.get(middle);
        if (row === null || row.at >= at) high = middle;
        else low = row.id + 1;
      }
      return low;
    },
    traces: (prefix, from, limit) =>
      db
        .query<{ trace: string }, [number, string, string, number]>(
          `SELECT DISTINCT trace FROM ${table} WHERE id >= ? AND trace >= ? AND trace < ? LIMIT ?`,
        )
        .all(from, prefix, `${prefix}g`, limit)
        .map(({ trace }) => trace),
  };
}
