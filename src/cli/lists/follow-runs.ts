/**
 * Owns the following of runs through their logs. It uses the same fold as the kernel, so every state is seen, however short
 * the state was. A run stays in memory until its ending.
 */
import type { Log } from "../../model/log.ts";
import { isQuiet } from "../../model/quiet-events.ts";
import { advance, isOver, type Run } from "../../model/run.ts";
import { runLogOf } from "../../model/run-log.ts";
import { ALL_LOGS } from "../../store/logs.ts";
import type { StoreReader } from "../../store/open-reader.ts";
import { POLL_MS } from "./listing.ts";

const PAGE = 1_000;

export interface Change {
  readonly run: Run;
  /** The time of the change. */
  readonly at: number;
}

export interface Following {
  /** The newest log when the following began. */
  readonly beganAt: number;
  /** Changes of state since the last call, oldest first. */
  news(): Change[];
  /** Resolves after another process has committed. */
  changed(): Promise<void>;
}

/** Follows from now on: every later change is news. An empty `workflows` means all workflows. */
export function followRuns(store: StoreReader, workflows: readonly string[]): Following {
  let version = store.version();
  // The order matters: a change between these two reads is in both results. The id of its log shows the repetition.
  let cursor = store.logs.lastId();
  const known = new Map(store.runs.active().map((run) => [run.id, run]));
  const sources = workflows.map((name) => `workflow:${name}`);
  const page = () => store.history.page({ ...ALL_LOGS, after: cursor, sources, limit: PAGE });
  /** The quiet events of `run` before log `id`. */
  const quietBefore = (run: Run, id: number): number => {
    let quiet = 0;
    for (const log of store.history.eachOfRun(run.id, run.last_log_id + 1)) {
      if (log.id >= id) break;
      if (isQuiet(run.state, log.event)) quiet++;
    }
    return quiet;
  };
  const changeOf = (log: Log): Change[] => {
    const told = runLogOf(log);
    if (told.kind !== "event") return [];
    const { row, event } = told;
    const before = event.event === "run.queued" ? null : (known.get(row.run) ?? store.runs.byId(row.run));
    // The runs that were read at the beginning include this log.
    if (before === null ? event.event !== "run.queued" : before.last_log_id >= log.id) return [];
    if (before !== null && isQuiet(before.state, log.event)) return [];
    const run = advance(before, row, event, before === null ? 0 : quietBefore(before, log.id));
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
            // `nerve rebuild --check` reports a history that contradicts itself.
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
