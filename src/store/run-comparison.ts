/** What `workflow_runs` says beside what the logs say: every run is folded, and each row compared with its run. */
import type { Database } from "bun:sqlite";
import type { Log } from "../model/log.ts";
import type { Run } from "../model/run.ts";
import type { RunChain } from "../model/run-log.ts";
import { isCount } from "./columns.ts";
import { refuse } from "./damage.ts";
import { compareIncidents, type IncidentDifference, IncidentFold, shownTo } from "./incident-fold.ts";
import { type Fault, RunFold } from "./run-fold.ts";
import { runTable } from "./runs.ts";

/** Every log above an id in id order, those in the archive included; asked of a connection once the table is there. */
export type Scan = (after: number) => Iterable<Log>;
export type ScanOf = (db: Database) => Scan;

/** `column` `row`: one of the two has no such run; the other's value is its state. */
export interface Difference {
  readonly run: number;
  readonly column: string;
  readonly table: string | number | null;
  readonly log: string | number | null;
}

export interface Comparison {
  /** Runs the logs tell of, and the events they consist of. */
  readonly runs: number;
  readonly events: number;
  /** Runs whose row differed. */
  readonly differing: number;
  /** The first of the differences. */
  readonly differences: readonly Difference[];
  readonly faulty: number;
  /** The first of the faults. */
  readonly faults: readonly Fault[];
  readonly incidents: ComparedIncidents;
}

/** The same of incidents. `table`: null where it is gone. */
export interface ComparedIncidents {
  readonly incidents: number;
  readonly differing: number;
  readonly differences: readonly IncidentDifference[];
  readonly faults: readonly string[];
  readonly wasGone: boolean;
}

const MAX_LISTED = 100;

export const isPresent = (db: Database): boolean =>
  db.query("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'workflow_runs'").get() !== null;

/** Counts everything, keeps the first of it. */
export function tally() {
  const differences: Difference[] = [];
  const faults: Fault[] = [];
  let differing = 0;
  let faulty = 0;
  return {
    differ(found: readonly Difference[]): void {
      differing++;
      differences.push(...found.slice(0, MAX_LISTED - differences.length));
    },
    fault(found: Fault): void {
      faulty++;
      if (faults.length < MAX_LISTED) faults.push(found);
    },
    result: () => ({ differing, differences, faulty, faults }),
  };
}

export type Tally = ReturnType<typeof tally>;

/** Where a row is not what its logs tell. The row of a running run may be as an earlier build left it. */
export function differencesTo(table: Run | null, chain: RunChain): Difference[] {
  const found = differences(table, chain.row);
  return found.length > 0 && chain.quiet > 0 && differences(table, chain.counted).length === 0 ? [] : found;
}

/** Where two rows of one run are not the same. */
export function differences(table: Run | null, log: Run): Difference[] {
  if (table === null) return [{ run: log.id, column: "row", table: null, log: log.state }];
  const found: Difference[] = [];
  for (const column in log) {
    const is = table[column as keyof Run];
    const shouldBe = log[column as keyof Run];
    // Earlier builds did not count.
    if (column === "events" && is === null) continue;
    if (is !== shouldBe) found.push({ run: log.id, column, table: is, log: shouldBe });
  }
  return found;
}

/** How many events of a run are gone: its row counts more than `log`, the run as what is left of its logs tells it. */
export const eventsGone = (table: Run | null, log: Run): number =>
  isCount(table?.events) ? Math.max(0, (table?.events ?? 0) - (log.events ?? 0)) : 0;

/** `gone` events of `log`'s run are. */
export const goneMessage = (log: Run, gone: number): string =>
  `log ${log.last_log_id}: of the ${(log.events ?? 0) + gone} events of run ${log.id} up to here ${gone} ${gone === 1 ? "is" : "are"} gone`;

export interface Findings {
  /** As the logs tell it; the row is missing or another. */
  differing(chain: RunChain): void;
  /** A row no log tells of. */
  extra(id: number): void;
  /** A log of it is gone, so that nobody can tell what its row should be. */
  leave(id: number): void;
}

export const NOTHING: Findings = { differing: () => {}, extra: () => {}, leave: () => {} };

export interface Compared {
  readonly fold: RunFold;
  readonly incidents: IncidentFold;
  /** The sequence runs get their ids from, which must be above every id ever given. */
  readonly sequence: number;
}

/** What a sequence says, as far as it can be read. */
function highestGiven(db: Database, table: "logs" | "workflow_runs"): number {
  const { seq = null } =
    db.query<{ seq: unknown }, [string]>("SELECT seq FROM sqlite_sequence WHERE name = ?").get(table) ?? {};
  return isCount(seq) ? (seq as number) : 0;
}

function isThere(scan: Scan, id: number): boolean {
  for (const log of scan(id - 1)) return log.id === id;
  return false;
}

/** Inside one transaction of `db`. */
export function compare(db: Database, scan: Scan, found: Findings, into: Tally): Compared {
  const { asFound } = runTable(db, refuse);
  const fold = new RunFold(into.fault);
  /** Logs that rows name and their runs lack, with the run. */
  const named = new Map<number, number>();
  const look = (chain: RunChain): void => {
    const run = chain.row;
    const row = asFound(run.id);
    const different = differencesTo(row, chain);
    if (different.length === 0) return;
    const gone = row !== null && row.last_log_id === run.last_log_id ? eventsGone(row, run) : 0;
    if (gone > 0) return into.fault({ run: run.id, log: run.last_log_id, message: goneMessage(run, gone) });
    into.differ(different);
    if (row !== null && row.last_log_id > run.last_log_id) named.set(row.last_log_id, run.id);
    found.differing(chain);
  };
  const incidents = new IncidentFold();
  for (const log of shownTo(incidents, scan(0))) {
    const over = fold.take(log);
    if (over !== null) look(over);
  }
  for (const chain of fold.alive()) look(chain);
  const rows = db.query<Pick<Run, "id" | "state" | "first_log_id">, []>(
    "SELECT id, state, first_log_id FROM workflow_runs ORDER BY id",
  );
  for (const row of rows.iterate()) {
    if (fold.knows(row.id)) continue;
    into.differ([{ run: row.id, column: "row", table: row.state, log: null }]);
    named.set(row.first_log_id, row.id);
    found.extra(row.id);
  }
  const lastLog = highestGiven(db, "logs");
  for (const [log, run] of named) {
    if (log > lastLog || log < (fold.firstLog ?? 0) || isThere(scan, log)) continue;
    found.leave(run);
    into.fault({ run, log, message: `log ${log}: it is gone, and the row of run ${run} names it` });
  }
  return { fold, incidents, sequence: highestGiven(db, "workflow_runs") };
}

/** `differences`: of incidents, null where the table is gone. */
export const summary = (
  { fold, incidents }: Compared,
  differences: readonly IncidentDifference[] | null,
  into: Tally,
): Comparison => ({
  runs: fold.runs,
  events: fold.events,
  ...into.result(),
  incidents: {
    incidents: incidents.all.size,
    differing: new Set(differences?.map(({ incident }) => incident)).size,
    differences: (differences ?? []).slice(0, MAX_LISTED),
    faults: incidents.faults.map(({ message }) => message).slice(0, MAX_LISTED),
    wasGone: differences === null,
  },
});

/** What differs, in one snapshot of `db`, which is only read. Null: there is no table. */
export function checkRuns(db: Database, scanOf: ScanOf): Comparison | null {
  return db.transaction(() => {
    if (!isPresent(db)) return null;
    const into = tally();
    const compared = compare(db, scanOf(db), NOTHING, into);
    const { highestRun } = compared.fold;
    if (compared.sequence < highestRun) {
      into.differ([{ run: highestRun, column: "sqlite_sequence", table: compared.sequence, log: highestRun }]);
    }
    return summary(compared, compareIncidents(db, compared.incidents), into);
  })();
}
