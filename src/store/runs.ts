/** The table of runs: one row a run, written beside the log that changed it, and read by listings. */
import type { Database } from "bun:sqlite";
import type { Run, RunState } from "../model/run.ts";
import { spellDecision } from "../model/run-decision.ts";
import { type Page, readPage } from "./page.ts";

export interface RunFilter extends Page {
  /** Empty for all, as the following. */
  readonly workflows: readonly string[];
  readonly states: readonly RunState[];
  readonly reflexes: readonly string[];
}

const COLUMNS =
  "id, workflow, reflex, state, signal_id, input, output, attempt, queued_at, started_at, ended_at, error, trace, last_log_id, retry_of, first_log_id, until, key, decision";

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
    run.key,
    run.decision,
  ] as const;

/** Columns as a store has them that 0007 has not reached: a reader may come before the kernel that migrates it. */
const OLDER_COLUMNS = COLUMNS.replace(
  "key, decision",
  "NULL AS key, CASE WHEN reflex IS NOT NULL THEN 'signal:' || signal_id END AS decision",
);

const INSERT = `INSERT INTO workflow_runs (${COLUMNS}) VALUES (${COLUMNS.replace(/\w+/g, "?")})`;

const hasDecisions = (db: Database): boolean =>
  db.query("SELECT 1 FROM pragma_table_info('workflow_runs') WHERE name = 'decision'").get() !== null;

export function runTable(db: Database) {
  const columns = hasDecisions(db) ? COLUMNS : OLDER_COLUMNS;
  const all = `SELECT ${columns} FROM workflow_runs`;
  const update = db.prepare(
    "UPDATE workflow_runs SET state = ?, output = ?, attempt = ?, started_at = ?, ended_at = ?, error = ?, last_log_id = ?, until = ? WHERE id = ?",
  );
  const remove = db.prepare("DELETE FROM workflow_runs WHERE id = ?");
  const touch = db.prepare("UPDATE workflow_runs SET last_log_id = ? WHERE id = ?");
  const byId = db.prepare<Run, [number]>(`${all} WHERE id = ?`);
  const byDecision = db.prepare<Run, [string, string]>(`SELECT * FROM (${all}) WHERE reflex = ? AND decision = ?`);
  const active = db.prepare<Run, []>(`${all} WHERE state IN ('queued', 'running', 'sleeping') ORDER BY id`);
  const lastId = db.prepare<{ seq: number }, []>("SELECT seq FROM sqlite_sequence WHERE name = 'workflow_runs'");
  return {
    /** A run that was queued. Inside a commit of the store, as `update`. */
    insert: (run: Run): void => void db.query(INSERT).run(...valuesOf(run)),
    /** A row that is not what its logs say. */
    replace(run: Run): void {
      remove.run(run.id);
      db.query(INSERT).run(...valuesOf(run));
    },
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
    /** The run that `reflex` decided for this. */
    byDecision: (reflex: string, decision: string): Run | null => byDecision.get(reflex, decision),
    /** The run that `reflex` decided for `signal` and `key`. Builds that knew no decisions recorded the signal alone. */
    ofSignal(reflex: string, signal: number, key: string | null): Run | null {
      const run = byDecision.get(reflex, spellDecision({ kind: "signal", signal, key }));
      if (run !== null || key === null) return run;
      return byDecision.get(reflex, spellDecision({ kind: "signal", signal, key: null }));
    },
    /** Queued, running and sleeping ones, oldest first; as many steps as there are of them. */
    active: (): Run[] => active.all(),
    /** The highest id ever given, 0 before the first. */
    lastId: (): number => lastId.get()?.seq ?? 0,
    /** `since` is about `queued_at`. */
    list: (filter: RunFilter): Run[] =>
      readPage<Run>(
        db,
        all,
        filter,
        { workflow: filter.workflows, state: filter.states, reflex: filter.reflexes },
        "queued_at",
      ),
  };
}
