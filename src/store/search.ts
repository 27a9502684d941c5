/**
 * Finds rows by time or trace in a table whose one order is its id: there is no index to keep, and none is needed. Ids
 * follow time but for a clock that was set back; where it was, `ClockSteps` knows.
 */
import type { Database } from "bun:sqlite";
import { prepared } from "../sqlite/prepared.ts";
import { type ClockSteps, TOLERANCE_MS } from "./clock-steps.ts";

/** A set clock moves times, but not ids. A search by time therefore begins this much earlier. */
export const CLOCK_SLACK_MS = 60_000;

export interface Search {
  /** The first id of a row that is as young as `at`; one more than the last id when no row is. */
  firstIdSince(at: number): number;
  /** At most `limit` different traces that begin with `prefix`, among rows with ids above `after` and below `before`. */
  traces(prefix: string, after: number, before: number, limit: number): string[];
}

export function searchIn(db: Database, source: "signals" | "logs", steps: ClockSteps): Search {
  const bounds = prepared<{ first: number | null; last: number | null }, []>(
    db,
    `SELECT (SELECT min(id) FROM ${source}) AS first, (SELECT max(id) FROM ${source}) AS last`,
  );
  // A time that is none says nothing of where others are.
  const next = prepared<{ id: number; at: number }, [number]>(
    db,
    `SELECT id, at FROM ${source} WHERE id >= ? AND typeof(at) = 'integer' AND at >= 0 ORDER BY id LIMIT 1`,
  );
  const young = prepared<{ id: number }, [number, number, number]>(
    db,
    `SELECT id FROM ${source} WHERE id >= ? AND id < ? AND at >= ? ORDER BY id LIMIT 1`,
  );
  /** In the stretch from `low` to before `end`, found by halving: the first id of a row as young as `at`, or null. */
  const inStretch = (low: number, end: number, at: number): number | null => {
    let high = end;
    while (low < high) {
      const middle = Math.floor((low + high) / 2);
      const row = next().get(middle);
      if (row === null || row.id >= high || row.at >= at - TOLERANCE_MS) high = middle;
      else low = row.id + 1;
    }
    return low < end ? (young().get(low, end, at)?.id ?? null) : null;
  };
  return {
    firstIdSince(at) {
      const { first = null, last = null } = bounds().get() ?? {};
      if (first === null || last === null) return 1;
      const begins = [first, ...steps.known(last).filter((id) => id > first && id <= last)];
      for (const [index, begin] of begins.entries()) {
        const found = inStretch(begin, begins[index + 1] ?? last + 1, at);
        if (found !== null) return found;
      }
      return last + 1;
    },
    traces: (prefix, after, before, limit) =>
      db
        .query<{ trace: string }, [number, number, string, string, number]>(
          `SELECT DISTINCT trace FROM ${source} WHERE id > ? AND id < ? AND trace >= ? AND trace < ? LIMIT ?`,
        )
        .all(after, before, prefix, `${prefix}g`, limit)
        .map(({ trace }) => trace),
  };
}
