/**
 * `workflow_runs` is a projection of the logs: here it is compared with them, put right where it differs, and made anew
 * where it is gone. A run whose `run.queued` retention has removed is not in it.
 */
import type { Database } from "bun:sqlite";
import { counted } from "../base/counted.ts";
import type { NewLog } from "../model/log.ts";
import { isOver, type Run } from "../model/run.ts";
import { damagedMessage, type RunChain, runLogOf } from "../model/run-log.ts";
import type { MigrationFile } from "../sqlite/migrate.ts";
import { splitStatements } from "../sqlite/statements.ts";
import { refuse } from "./damage.ts";
import { compareIncidents, IncidentFold, incidentsLack, makeIncidents, putIncidentsRight } from "./incident-fold.ts";
import { runLogGuards } from "./log-row.ts";
import { logTable } from "./logs.ts";
import {
  type Comparison,
  compare,
  type Findings,
  isPresent,
  type Scan,
  type ScanOf,
  summary,
  type Tally,
  tally,
} from "./run-comparison.ts";
import type { Fault } from "./run-fold.ts";
import { runTable } from "./runs.ts";
import { raiseSequence } from "./sequence.ts";

/** Rows that are read at once. */
const BATCH_RUNS = 200;

const clashing = (run: Run, holder: Run): Fault => ({
  run: run.id,
  log: run.first_log_id,
  message: `log ${run.first_log_id}: run ${run.id} is of reflex ${run.reflex} for ${run.decision}, as run ${holder.id} is`,
});

/** Writes rows as the logs have them. Inside a transaction. */
function rowWriter(db: Database) {
  const runs = runTable(db, refuse);
  const remove = db.prepare("DELETE FROM workflow_runs WHERE id = ?");
  const release = db.prepare("UPDATE workflow_runs SET reflex = NULL WHERE id = ?");
  return {
    /** The other run that its reflex decided for the same, null when it was put. */
    put(run: Run): Run | null {
      const holder = run.reflex === null || run.decision === null ? null : runs.byDecision(run.reflex, run.decision);
      if (holder !== null && holder.id !== run.id) return holder;
      remove.run(run.id);
      runs.insert(run);
      return null;
    },
    remove: (id: number): void => void remove.run(id),
    /** Lets go of its decision, which may be another's. */
    release: (id: number): void => void release.run(id),
    raiseSequence: (to: number): void => void raiseSequence(db, "workflow_runs", to),
  };
}

/**
 * Puts right what differs, while others write: every log is read first, and one transaction writes every row. A run whose
 * history cannot be read is left alone. Ended runs do not change: they are written as the snapshot has them. Those alive
 * are followed to the newest log in the transaction that writes them.
 */
export function rebuildRuns(reader: Database, writer: Database, scanOf: ScanOf): Comparison {
  const into = tally();
  const ended = new EndedRuns(writer);
  const open = new Map<number, RunChain>();
  const extra = new Set<number>();
  const compared = reader.transaction(() => {
    const found: Findings = {
      differing: (chain) => (isOver(chain.row.state) ? ended.add(chain.row) : void open.set(chain.row.id, chain)),
      extra: (id) => void extra.add(id),
      leave(id) {
        extra.delete(id);
        open.delete(id);
        ended.drop(id);
      },
    };
    return compare(reader, scanOf(reader), found, into);
  })();
  const { lastLog, highestRun } = compared.fold;
  const follow = follower(open, scanOf(writer), lastLog, into);
  // Outside of the transaction, as far as there are logs by now.
  if (open.size > 0) follow();
  const write = rowWriter(writer);
  let differences: ReturnType<typeof compareIncidents> = null;
  writer
    .transaction(() => {
      follow();
      for (const id of extra) write.remove(id);
      // Two rows may hold each other's decisions: all let go of theirs before the first is written.
      ended.release();
      for (const id of open.keys()) write.release(id);
      const put = (run: Run): void => {
        const holder = write.put(run);
        if (holder !== null) into.fault(clashing(run, holder));
      };
      for (const run of ended.all()) put(run);
      for (const { row } of open.values()) put(row);
      write.raiseSequence(highestRun);
      for (const log of scanOf(writer)(lastLog)) compared.incidents.take(log);
      differences = compareIncidents(writer, compared.incidents);
      putIncidentsRight(writer, compared.incidents);
    })
    .immediate();
  return summary(compared, differences, into);
}

/** Ended runs whose rows are to be written, aside in a temporary table: there may be as many as there ever were. */
class EndedRuns {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
    db.run("CREATE TEMPORARY TABLE ended_runs (id INTEGER PRIMARY KEY, run TEXT NOT NULL)");
  }

  add(run: Run): void {
    this.#db.query("INSERT INTO temp.ended_runs (id, run) VALUES (?, ?)").run(run.id, JSON.stringify(run));
  }

  drop(id: number): void {
    this.#db.query("DELETE FROM temp.ended_runs WHERE id = ?").run(id);
  }

  release(): void {
    this.#db.run("UPDATE workflow_runs SET reflex = NULL WHERE id IN (SELECT id FROM temp.ended_runs)");
  }

  *all(): Generator<Run> {
    const rows = this.#db.query<{ run: string }, [number, number]>(
      "SELECT run FROM temp.ended_runs WHERE id > ? ORDER BY id LIMIT ?",
    );
    for (let after = 0; ; ) {
      const page = rows.all(after, BATCH_RUNS).map(({ run }) => JSON.parse(run) as Run);
      yield* page;
      const last = page.at(-1);
      if (last === undefined) return;
      after = last.id;
    }
  }
}

/** Takes the runs of `open` further with the logs that came since it was last called. */
function follower(open: Map<number, RunChain>, scan: Scan, after: number, into: Tally): () => void {
  let cursor = after;
  return () => {
    for (const log of scan(cursor)) {
      cursor = log.id;
      const chain = log.run === null ? undefined : open.get(log.run);
      if (chain === undefined) continue;
      const { id } = chain.row;
      try {
        const told = runLogOf(log);
        if (told.kind === "damaged") throw new Error(damagedMessage(told));
        if (told.kind === "event") chain.take(told.row, told.event, told.n);
      } catch (error) {
        open.delete(id);
        into.fault({ run: id, log: log.id, message: (error as Error).message });
      }
    }
  };
}

/** No row is there, though the newest run that a log tells of was queued in one that is there. Three looks at an index. */
function isEmptied(db: Database): boolean {
  if (db.query("SELECT 1 FROM workflow_runs LIMIT 1").get() !== null) return false;
  const newest = "SELECT run FROM logs WHERE run IS NOT NULL ORDER BY run DESC LIMIT 1";
  return db.query(`SELECT 1 FROM logs WHERE run = (${newest}) AND event = 'run.queued' LIMIT 1`).get() !== null;
}

/** Makes a table that is gone or emptied, all that is in it and a log of it, in one transaction. Null: it is there. */
export function restoreRuns(
  db: Database,
  migrations: readonly MigrationFile[],
  scanOf: ScanOf,
  now: number,
): Comparison | null {
  const what = !isPresent(db) ? "gone" : isEmptied(db) ? "empty" : null;
  if (what === null) return null;
  const restoreAll = db.transaction(() => {
    const restored = restore(db, migrations, scanOf);
    logTable(db, runLogGuards).append(restoredLog(restored, what, now));
    return restored;
  });
  return restoreAll.immediate();
}

function restoredLog({ runs, faulty, faults }: Comparison, what: string, now: number): NewLog {
  const found = faulty === 0 ? "" : `; ${counted(faulty, "history", "histories")} could not be read`;
  return {
    at: now,
    level: faulty === 0 ? "warn" : "error",
    source: "kernel",
    event: "runs.restored",
    run: null,
    trace: null,
    message: `the table of runs was ${what}: ${counted(runs, "run")} derived from the logs${found}`,
    data: JSON.stringify({ runs, faulty, faults }),
  };
}

function restore(db: Database, migrations: readonly MigrationFile[], scanOf: ScanOf): Comparison {
  for (const { sql } of isPresent(db) ? [] : migrations) {
    for (const { text } of splitStatements(sql)) if (/\bworkflow_runs(_\w+)?\b/.test(text)) db.run(text);
  }
  const into = tally();
  const write = rowWriter(db);
  const found: Findings = {
    differing: ({ row }) => {
      const holder = write.put(row);
      if (holder !== null) into.fault(clashing(row, holder));
    },
    extra: () => {},
    leave: () => {},
  };
  const compared = compare(db, scanOf(db), found, into);
  write.raiseSequence(compared.fold.highestRun);
  return summary(compared, compareIncidents(db, compared.incidents), into);
}

/** As `restoreRuns`, of the incidents, and of a table in which open incidents are damaged. */
export function restoreIncidents(
  db: Database,
  migrations: readonly MigrationFile[],
  scanOf: ScanOf,
  now: number,
): "gone" | "damaged" | null {
  const lack = incidentsLack(db);
  if (lack === null) return null;
  const restoreAll = db.transaction(() => {
    if (lack === "gone") makeIncidents(db, migrations);
    const fold = new IncidentFold();
    for (const log of scanOf(db)(0)) fold.take(log);
    // What a reflex remembers may be the damaged row.
    if (lack === "damaged" && compareIncidents(db, fold)?.length === 0) return null;
    putIncidentsRight(db, fold);
    logTable(db, runLogGuards).append(restoredIncidentsLog(fold, lack, now));
    return lack;
  });
  return restoreAll.immediate();
}

function restoredIncidentsLog({ all, faults }: IncidentFold, lack: string, now: number): NewLog {
  const found = faults.length === 0 ? "" : `; ${counted(faults.length, "history", "histories")} could not be read`;
  return {
    at: now,
    level: faults.length === 0 ? "warn" : "error",
    source: "kernel",
    event: "incidents.restored",
    run: null,
    trace: null,
    message: `the table of incidents was ${lack}: ${counted(all.size, "incident")} derived from the logs${found}`,
    data: JSON.stringify({ incidents: all.size, faulty: faults.length }),
  };
}
