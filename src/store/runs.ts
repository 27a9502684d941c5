/** The table of runs: one row a run, written beside the log that changed it, and read by listings. */
import type { Database } from "bun:sqlite";
import { ACTIVE_STATES, ENDINGS, type Run, type RunState } from "../model/run.ts";
import { spellDecision } from "../model/run-decision.ts";
import { prepared } from "../sqlite/prepared.ts";
import { RowWriter } from "../sqlite/row-writer.ts";
import { COUNT, FULL_TEXT, ID, JSON_TEXT, NAME, oneOf, orNull, RowGuard, TEXT, TIME, TRACE } from "./columns.ts";
import type { OnDamage } from "./damage.ts";
import { among, type Page, readPage, WHOLE_PAGE } from "./page.ts";
import { lastIdOf } from "./sequence.ts";

export interface RunFilter extends Page {
  /** Empty for all, as the following. */
  readonly workflows: readonly string[];
  readonly states: readonly RunState[];
  readonly reflexes: readonly string[];
}

export const ALL_RUNS: RunFilter = { ...WHOLE_PAGE, workflows: [], states: [], reflexes: [] };

const COLUMNS =
  "id, workflow, reflex, state, signal_id, input, output, attempt, queued_at, started_at, ended_at, error, trace, last_log_id, retry_of, first_log_id, until, key, decision, events";

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
    run.events,
  ] as const;

const GUARDED = {
  id: ID,
  workflow: NAME,
  reflex: orNull(FULL_TEXT),
  state: oneOf([...ACTIVE_STATES, ...ENDINGS]),
  signal_id: orNull(ID),
  input: orNull(JSON_TEXT),
  output: orNull(JSON_TEXT),
  attempt: COUNT,
  queued_at: TIME,
  started_at: orNull(TIME),
  ended_at: orNull(TIME),
  error: orNull(TEXT),
  trace: TRACE,
  last_log_id: COUNT,
  retry_of: orNull(ID),
  first_log_id: COUNT,
  until: orNull(TIME),
  key: orNull(TEXT),
  decision: orNull(TEXT),
  events: orNull(ID),
};

/** What later migrations added, as it is read where they have not been: a reader may come before the kernel that migrates. */
const LATER_COLUMNS: Readonly<Record<string, string>> = {
  key: "NULL AS key",
  decision: "CASE WHEN reflex IS NOT NULL THEN 'signal:' || signal_id END AS decision",
  events: "NULL AS events",
};

const INSERT = `INSERT INTO workflow_runs (${COLUMNS}) VALUES`;

/** {@link COLUMNS} of the table as it is. */
function columnsIn(db: Database): string {
  const names = db.query<{ name: string }, []>("SELECT name FROM pragma_table_info('workflow_runs')").all();
  const present = new Set(names.map(({ name }) => name));
  return COLUMNS.replace(/\w+/g, (column) => (present.has(column) ? column : (LATER_COLUMNS[column] ?? column)));
}

/** A row as it lies there. Not whole: a column of it is nothing nerve writes. */
export interface FoundRun {
  readonly row: Run;
  readonly isWhole: boolean;
}

/** What events can change of a row. */
const CHANGED = ["state", "output", "attempt", "started_at", "ended_at", "error", "last_log_id", "until", "events"];

/** The values of a row are its id and those of {@link CHANGED}. One row alone is found without a table of values. */
function updateOf(places: string): string {
  if (!places.includes("), (")) {
    const settings = CHANGED.map((column, nth) => `${column} = ?${nth + 2}`).join(", ");
    return `UPDATE workflow_runs SET ${settings} WHERE id = ?1`;
  }
  const settings = CHANGED.map((column, nth) => `${column} = made.column${nth + 2}`).join(", ");
  return `UPDATE workflow_runs SET ${settings} FROM (VALUES ${places}) AS made WHERE workflow_runs.id = made.column1`;
}

const changedOf = (run: Run) =>
  [
    run.id,
    run.state,
    run.output,
    run.attempt,
    run.started_at,
    run.ended_at,
    run.error,
    run.last_log_id,
    run.until,
    run.events,
  ] as const;

/** Statements are prepared at their first use: a reader may look at a store that lacks later migrations. */
function writing(db: Database) {
  const remove = prepared(db, "DELETE FROM workflow_runs WHERE id = ?");
  const inserting = new RowWriter(db, COLUMNS.split(",").length, (places) => `${INSERT} ${places}`);
  const updating = new RowWriter(db, CHANGED.length + 1, updateOf);
  const insert = (...runs: readonly Run[]): void => {
    if (runs.length > 0) inserting.write(runs.flatMap(valuesOf));
  };
  return {
    /** Runs that were queued. Inside a commit of the store, as what follows. */
    insert,
    /** A row that is not what its logs say. */
    replace(run: Run): void {
      remove().run(run.id);
      insert(run);
    },
    /** What events have changed of these runs. */
    update(...runs: readonly Run[]): void {
      if (runs.length > 0) updating.write(runs.flatMap(changedOf));
    },
  };
}

/** Rows as they lie there, whatever they hold: for whoever holds them against the logs. */
function finding(db: Database, all: string, guard: RowGuard<Run>) {
  const byId = prepared<Run, [number]>(db, `${all} WHERE id = ?`);
  const byDecision = prepared<Run, [string, string]>(db, `SELECT * FROM (${all}) WHERE reflex = ? AND decision = ?`);
  const active = prepared<Run, []>(db, `${all} WHERE state IN ('queued', 'running', 'sleeping') ORDER BY id`);
  return {
    asFound: (id: number): Run | null => byId().get(id),
    decidedAsFound: (reflex: string, decision: string): Run | null => byDecision().get(reflex, decision),
    /** Queued, running and sleeping ones, oldest first; as many steps as there are of them. */
    activeAsFound: (): FoundRun[] =>
      active()
        .all()
        .map((row) => ({ row, isWhole: guard.isWhole(row) })),
    /** Whole rows of runs above `after` that ended in one of `states`. */
    endedAs: (states: readonly RunState[], after: number): Run[] =>
      db
        .query<Run, [number, string]>(`${all} WHERE id > ? AND state IN (SELECT value FROM json_each(?)) ORDER BY id`)
        .all(after, JSON.stringify(states))
        .filter((row) => guard.isWhole(row)),
  };
}

export function runTable(db: Database, onDamage: OnDamage) {
  const all = `SELECT ${columnsIn(db)} FROM workflow_runs`;
  const guard = new RowGuard<Run>(db.filename, "workflow_runs", "id", GUARDED, onDamage);
  const found = finding(db, all, guard);
  const byDecision = (reflex: string, decision: string): Run | null =>
    guard.orNull(found.decidedAsFound(reflex, decision));
  return {
    ...writing(db),
    ...found,
    byId: (id: number): Run | null => guard.orNull(found.asFound(id)),
    /** The run that `reflex` decided for this. */
    byDecision,
    /** The run that `reflex` decided for `signal` and `key`. Builds that knew no decisions recorded the signal alone. */
    ofSignal(reflex: string, signal: number, key: string | null): Run | null {
      const run = byDecision(reflex, spellDecision({ kind: "signal", signal, key }));
      if (run !== null || key === null) return run;
      return byDecision(reflex, spellDecision({ kind: "signal", signal, key: null }));
    },
    active: (): Run[] => guard.rows(found.activeAsFound().map(({ row }) => row)),
    /** The highest id ever given, 0 before the first. */
    lastId: (): number => lastIdOf(db, "workflow_runs"),
    /** `since` and `until` are about `queued_at`. */
    list: (filter: RunFilter): Run[] =>
      readPage<Run>(
        db,
        guard,
        all,
        filter,
        among({ workflow: filter.workflows, state: filter.states, reflex: filter.reflexes }),
        "queued_at",
      ),
  };
}
