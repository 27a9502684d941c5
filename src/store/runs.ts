/** The table of runs: one row a run, written beside the log that changed it, and read by listings. */
import type { Database } from "bun:sqlite";
import type { Run, RunState } from "../model/run.ts";
import { type Page, readPage } from "./page.ts";

export interface RunFilter extends Page {
  /** Empty for all, as the following. */
  readonly workflows: readonly string[];
  readonly states: readonly RunState[];
  readonly reflexes: readonly string[];
}

const COLUMNS =
  "id, workflow, reflex, state, signal_id, input, output, attempt, queued_at, started_at, ended_at, error, trace, last_log_id, retry_of, first_log_id, until";

/** `run` as values of {@link COLUMNS}. */
const valuesOf = (run: Run) =>
  [
    run.id,
    run.workflow,
    run.reflex,
    run.state,
    run.signal_id,
    run.input,
    run.output,
    run.attempt,
    run.queued_at,
    run.started_at,
    run.ended_at,
    run.error,
    run.trace,
    run.last_log_id,
    run.retry_of,
    run.first_log_id,
    run.until,
  ] as const;

export function runTable(db: Database) {
  const insert = db.prepare(`INSERT INTO workflow_runs (${COLUMNS}) VALUES (${COLUMNS.replace(/\w+/g, "?")})`);
  const update = db.prepare(
    "UPDATE workflow_runs SET state = ?, output = ?, attempt = ?, started_at = ?, ended_at = ?, error = ?, last_log_id = ?, until = ? WHERE id = ?",
  );
  const touch = db.prepare("UPDATE workflow_runs SET last_log_id = ? WHERE id = ?");
  const byId = db.prepare<Run, [number]>(`SELECT ${COLUMNS} FROM workflow_runs WHERE id = ?`);
  const bySignal = db.prepare<Run, [string, number]>(
    `SELECT ${COLUMNS} FROM workflow_runs WHERE reflex = ? AND signal_id = ?`,
  );
  const active = db.prepare<Run, []>(
    `SELECT ${COLUMNS} FROM workflow_runs WHERE state IN ('queued', 'running', 'sleeping') ORDER BY id`,
  );
  const lastId = db.prepare<{ seq: number }, []>("SELECT seq FROM sqlite_sequence WHERE name = 'workflow_runs'");
  return {
    /** A run that was queued. Inside a commit of the store, as `update`. */
    insert: (run: Run): void => void insert.run(...valuesOf(run)),
    /** What events can change of it. */
    update: (run: Run): void =>
      void update.run(
        run.state,
        run.output,
        run.attempt,
        run.started_at,
        run.ended_at,
        run.error,
        run.last_log_id,
        run.until,
        run.id,
      ),
    /** Only its newest event is another: naming no more spares the indexes. */
    touch: (run: Run): void => void touch.run(run.last_log_id, run.id),
    byId: (id: number): Run | null => byId.get(id),
    bySignal: (reflex: string, signal: number): Run | null => bySignal.get(reflex, signal),
    /** Queued, running and sleeping ones, oldest first; as many steps as there are of them. */
    active: (): Run[] => active.all(),
    /** The highest id ever given, 0 before the first. */
    lastId: (): number => lastId.get()?.seq ?? 0,
    /** `since` is about `queued_at`. */
    list: (filter: RunFilter): Run[] =>
      readPage<Run>(
        db,
        `SELECT ${COLUMNS} FROM workflow_runs`,
        filter,
        { workflow: filter.workflows, state: filter.states, reflex: filter.reflexes },
        "queued_at",
      ),
  };
}
