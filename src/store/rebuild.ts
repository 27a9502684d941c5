/**
 * `workflow_runs` is a projection of the logs: here it is compared with them, put right where it differs, and made anew
 * where it is gone. A run whose `run.queued` retention has removed is not in it.
 */
import type { Database } from "bun:sqlite";
import { counted } from "../base/counted.ts";
import type { Log, NewLog } from "../model/log.ts";
import { advance, isOver, type Run, runEventOf } from "../model/run.ts";
import type { MigrationFile } from "../sqlite/migrate.ts";
import { splitStatements } from "../sqlite/statements.ts";
import { logTable } from "./logs.ts";
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
}

const MAX_LISTED = 100;

/** As much as is written at once: the kernel waits for it. */
const BATCH_RUNS = 200;
const BATCH_CHARS = 256 * 1024;

const isPresent = (db: Database): boolean =>
  db.query("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'workflow_runs'").get() !== null;

/** Counts everything, keeps the first of it. */
function tally() {
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

type Tally = ReturnType<typeof tally>;

function differences(table: Run | null, log: Run): Difference[] {
  if (table === null) return [{ run: log.id, column: "row", table: null, log: log.state }];
  const found: Difference[] = [];
  for (const column in log) {
    const is = table[column as keyof Run];
    const shouldBe = log[column as keyof Run];
    if (is !== shouldBe) found.push({ run: log.id, column, table: is, log: shouldBe });
  }
  return found;
}

interface Findings {
  /** As the logs tell it; the row is missing or another. */
  differing(run: Run): void;
  /** A row no log tells of. */
  extra(id: number): void;
}

interface Compared {
  readonly fold: RunFold;
  /** The sequence runs get their ids from, which must be above every id ever given. */
  readonly sequence: number;
}

const sequenceOf = (db: Database): number =>
  db.query<{ seq: number }, []>("SELECT seq FROM sqlite_sequence WHERE name = 'workflow_runs'").get()?.seq ?? 0;

/** Inside one transaction of `db`. */
function compare(db: Database, scan: Scan, found: Findings, into: Tally): Compared {
  const { byId } = runTable(db);
  const fold = new RunFold(into.fault);
  const look = (run: Run): void => {
    const different = differences(byId(run.id), run);
    if (different.length === 0) return;
    into.differ(different);
    found.differing(run);
  };
  for (const log of scan(0)) {
    const over = fold.take(log);
    if (over !== null) look(over);
  }
  for (const run of fold.alive()) look(run);
  const rows = db.query<Pick<Run, "id" | "state">, []>("SELECT id, state FROM workflow_runs ORDER BY id");
  for (const row of rows.iterate()) {
    if (fold.knows(row.id)) continue;
    into.differ([{ run: row.id, column: "row", table: row.state, log: null }]);
    found.extra(row.id);
  }
  return { fold, sequence: sequenceOf(db) };
}

const summary = ({ fold }: Compared, into: Tally): Comparison => ({
  runs: fold.runs,
  events: fold.events,
  ...into.result(),
});

/** What differs, in one snapshot of `db`, which is only read. Null: there is no table. */
export function checkRuns(db: Database, scanOf: ScanOf): Comparison | null {
  return db.transaction(() => {
    if (!isPresent(db)) return null;
    const into = tally();
    const compared = compare(db, scanOf(db), { differing: () => {}, extra: () => {} }, into);
    const { highestRun } = compared.fold;
    if (compared.sequence < highestRun) {
      into.differ([{ run: highestRun, column: "sqlite_sequence", table: compared.sequence, log: highestRun }]);
    }
    return summary(compared, into);
  })();
}

const clashing = (run: Run, holder: Run): Fault => ({
  run: run.id,
  log: run.first_log_id,
  message: `log ${run.first_log_id}: run ${run.id} is of reflex ${run.reflex} for ${run.decision}, as run ${holder.id} is`,
});

/** Writes rows as the logs have them. Inside a transaction. */
function rowWriter(db: Database) {
  const runs = runTable(db);
  const remove = db.prepare("DELETE FROM workflow_runs WHERE id = ?");
  const release = db.prepare("UPDATE workflow_runs SET reflex = NULL WHERE id = ?");
  const raise = db.prepare("UPDATE sqlite_sequence SET seq = ? WHERE name = 'workflow_runs' AND seq < ?");
  const begin = db.prepare("INSERT INTO sqlite_sequence (name, seq) VALUES ('workflow_runs', ?)");
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
    /** Lets go of its decision, which is another's. */
    release: (id: number): void => void release.run(id),
    raiseSequence(to: number): void {
      if (sequenceOf(db) >= to) return;
      if (raise.run(to, to).changes === 0) begin.run(to);
    },
  };
}

/**
 * Puts right what differs, while others write. Ended runs do not change any more: they are written as the snapshot has
 * them. Those alive are followed to the newest log in the transaction that writes them.
 */
export function rebuildRuns(reader: Database, writer: Database, scanOf: ScanOf): Comparison {
  const into = tally();
  const write = rowWriter(writer);
  const open = new Map<number, Run>();
  const clashes = new Set<number>();
  const put = (run: Run): void => {
    if (write.put(run) === null) return;
    open.set(run.id, run);
    clashes.add(run.id);
  };
  let batch: (() => void)[] = [];
  let chars = 0;
  const flush = (): void => {
    const changes = batch;
    batch = [];
    chars = 0;
    if (changes.length === 0) return;
    writer
      .transaction(() => {
        for (const change of changes) change();
      })
      .immediate();
  };
  const later = (size: number, change: () => void): void => {
    batch.push(change);
    chars += size;
    if (batch.length >= BATCH_RUNS || chars >= BATCH_CHARS) flush();
  };
  const compared = reader.transaction(() => {
    const found: Findings = {
      differing: (run) => {
        if (isOver(run.state)) later((run.input?.length ?? 0) + (run.output?.length ?? 0), () => put(run));
        else open.set(run.id, run);
      },
      extra: (id) => later(0, () => write.remove(id)),
    };
    return compare(reader, scanOf(reader), found, into);
  })();
  flush();
  const { lastLog, highestRun } = compared.fold;
  const follow = follower(open, scanOf(writer), lastLog, into);
  const commit = (change: () => void): void =>
    writer
      .transaction(() => {
        follow();
        change();
      })
      .immediate();
  if (open.size > 0) follow();
  const waiting = [...open.keys()].filter((id) => !clashes.has(id));
  while (waiting.length > 0) {
    const slice = waiting.splice(0, BATCH_RUNS);
    commit(() => {
      for (const id of slice) putOpen(id);
    });
  }
  if (clashes.size > 0 || compared.sequence < highestRun) {
    commit(() => {
      for (const id of clashes) write.release(id);
      for (const id of clashes) {
        const run = open.get(id);
        const holder = run === undefined ? null : write.put(run);
        if (run !== undefined && holder !== null) into.fault(clashing(run, holder));
      }
      write.raiseSequence(highestRun);
    });
  }
  return summary(compared, into);

  function putOpen(id: number): void {
    const run = open.get(id);
    if (run === undefined) return;
    put(run);
    if (!clashes.has(id)) open.delete(id);
  }
}

/** Takes the runs of `open` further with the logs that came since it was last called. */
function follower(open: Map<number, Run>, scan: Scan, after: number, into: Tally): () => void {
  let cursor = after;
  return () => {
    for (const log of scan(cursor)) {
      cursor = log.id;
      const run = log.run === null ? undefined : open.get(log.run);
      if (run === undefined) continue;
      try {
        const told = runEventOf(log);
        if (told !== null) open.set(run.id, advance(run, told.row, told.event));
      } catch (error) {
        open.delete(run.id);
        into.fault({ run: run.id, log: log.id, message: (error as Error).message });
      }
    }
  };
}

/** Makes a table that is gone, all that is in it and a log of it, in one transaction. Null: it is there. */
export const restoreRuns = (
  db: Database,
  migrations: readonly MigrationFile[],
  scanOf: ScanOf,
  now: number,
): Comparison | null =>
  isPresent(db)
    ? null
    : db
        .transaction(() => {
          const restored = restore(db, migrations, scanOf);
          logTable(db).append(restoredLog(restored, now));
          return restored;
        })
        .immediate();

function restoredLog({ runs, faulty, faults }: Comparison, now: number): NewLog {
  const found = faulty === 0 ? "" : `; ${counted(faulty, "history", "histories")} could not be read`;
  return {
    at: now,
    level: faulty === 0 ? "warn" : "error",
    source: "kernel",
    event: "runs.restored",
    run: null,
    trace: null,
    message: `the table of runs was gone: ${counted(runs, "run")} derived from the logs${found}`,
    data: JSON.stringify({ runs, faulty, faults }),
  };
}

function restore(db: Database, migrations: readonly MigrationFile[], scanOf: ScanOf): Comparison {
  for (const { sql } of migrations) {
    for (const { text } of splitStatements(sql)) if (/\bworkflow_runs(_\w+)?\b/.test(text)) db.run(text);
  }
  const into = tally();
  const write = rowWriter(db);
  const found: Findings = {
    differing: (run) => {
      const holder = write.put(run);
      if (holder !== null) into.fault(clashing(run, holder));
    },
    extra: () => {},
  };
  const compared = compare(db, scanOf(db), found, into);
  write.raiseSequence(compared.fold.highestRun);
  return summary(compared, into);
}
