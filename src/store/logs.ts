/** The table of logs: appended to by the kernel, read by cursor. */
import type { Database } from "bun:sqlite";
import { LOG_LEVELS, type Log, type LogLevel, type NewLog } from "../model/log.ts";
import { prepared } from "../sqlite/prepared.ts";
import { ClockSteps } from "./clock-steps.ts";
import { LogAppends } from "./log-appends.ts";
import { LOG_COLUMNS, type LogGuards } from "./log-row.ts";
import { among, type Page, readPage, WHOLE_PAGE } from "./page.ts";
import { searchIn } from "./search.ts";
import { lastIdOf } from "./sequence.ts";

export interface LogFilter extends Page {
  /** Empty for all. */
  readonly sources: readonly string[];
  /** This level and the graver ones. */
  readonly level: LogLevel | null;
}

export const ALL_LOGS: LogFilter = { ...WHOLE_PAGE, sources: [], level: null };

export function logTable(db: Database, guards: LogGuards) {
  const guard = guards(db.filename);
  const ofEvents = prepared(
    db,
    `SELECT ${LOG_COLUMNS} FROM logs WHERE id > ? AND id <= ? AND event IN (SELECT value FROM json_each(?)) ORDER BY id`,
  );
  const ofRun = prepared(
    db,
    "SELECT count(*) AS count FROM logs WHERE run = ? AND id > ? AND event IN (SELECT value FROM json_each(?))",
  );
  const steps = new ClockSteps(db, "logs");
  const appends = new LogAppends(db, steps);
  return {
    ...searchIn(db, "logs", steps),
    /** Returns the id. Inside a commit of the store. */
    append: (log: NewLog): number => appends.append(log),
    /** A commit of the store begins. */
    begins: (): void => appends.begins(),
    /** Puts into the table what was appended so far. Inside a commit, before somebody reads. */
    settle: (): void => appends.settle(),
    committed(): void {
      appends.ends();
      steps.committed();
    },
    rolledBack(): void {
      appends.ends();
      steps.rolledBack();
    },
    lastId(): number {
      appends.settle();
      return lastIdOf(db, "logs");
    },
    /** How many logs of `run` above id `after` have one of these events. */
    countOfRun(run: number, after: number, events: readonly string[]): number {
      return (ofRun().get(run, after, JSON.stringify(events)) as { readonly count: number }).count;
    },
    /** Logs of these events with ids above `after`, up to `upTo`, oldest first. */
    ofEvents(events: readonly string[], after: number, upTo: number): Log[] {
      return guard.rows(ofEvents().all(after, upTo, JSON.stringify(events)) as Log[]);
    },
    list(filter: LogFilter): Log[] {
      const level = filter.level === null ? [] : LOG_LEVELS.slice(LOG_LEVELS.indexOf(filter.level));
      return readPage<Log>(
        db,
        guard,
        `SELECT ${LOG_COLUMNS} FROM logs`,
        filter,
        among({ source: filter.sources, level }),
      );
    },
  };
}
