/**
 * Follows runs through their logs, by the same fold the kernel uses: however short a state was, it is seen. What is known
 * of a run is kept until its ending.
 */
import type { Log } from "../../model/log.ts";
import { advance, isOver, type Run } from "../../model/run.ts";
import { runLogOf } from "../../model/run-log.ts";
import { ALL_LOGS } from "../../store/logs.ts";
import type { StoreReader } from "../../store/open-reader.ts";
import { POLL_MS } from "./listing.ts";

const PAGE = 1_000;

export interface Change {
  readonly run: Run;
  /** When it came to be so. */
  readonly at: number;
}

export interface Following {
  /** The newest log when it began. */
  readonly beganAt: number;
  /** Changes of state since the last call, oldest first. */
  news(): Change[];
  /** Resolves once another process has committed. */
  changed(): Promise<void>;
}

/** Begins now: what changes from here on is news. `workflows` empty: all. */
export function followRuns(store: StoreReader, workflows: readonly string[]): Following {
  let version = store.version();
  // In this order: what happens between the two is in both, and is known by the id of its log.
  let cursor = store.logs.lastId();
  const known = new Map(store.runs.active().map((run) => [run.id, run]));
  const sources = workflows.map((name) => `workflow:${name}`);
  const page = () => store.history.page({ ...ALL_LOGS, after: cursor, sources, limit: PAGE });
  const changeOf = (log: Log): Change[] => {
    const told = runLogOf(log);
    if (told.kind !== "event") return [];
    const { row, event } = told;
    const before = event.event === "run.queued" ? null : (known.get(row.run) ?? store.runs.byId(row.run));
    // It is in what was read at the beginning.
    if (before === null ? event.event !== "run.queued" : before.last_log_id >= log.id) return [];
    const run = advance(before, row, event);
    if (isOver(run.state)) known.delete(run.id);
    else known.set(run.id, run);
    const isNews = run.state !== before?.state || run.attempt !== before.attempt;
    return isNews ? [{ run, at: log.at }] : [];
  };
  return {
    beganAt: cursor,
    news() {
      const changes: Change[] = [];
      for (let rows = page(); rows.length > 0; rows = rows.length < PAGE ? [] : page()) {
        for (const log of rows) {
          cursor = log.id;
          try {
            changes.push(...changeOf(log));
          } catch {
            // A history that cannot be is for `nerve rebuild --check` to tell.
          }
        }
      }
      return changes;
    },
    async changed() {
      for (;;) {
        const now = store.version();
        if (now !== version) {
          version = now;
          return;
        }
        await Bun.sleep(POLL_MS);
      }
    },
  };
}
