/** The table of logs: appended to by the kernel, read by cursor. */
import type { Database } from "bun:sqlite";
import { LOG_LEVELS, type Log, type LogLevel, type NewLog } from "../model/log.ts";
import { searchIn } from "./search.ts";

export interface LogFilter {
  readonly after: number;
  readonly sources: readonly string[];
  readonly since: number | null;
  readonly trace: string | null;
  /** This level and the graver ones. */
  readonly level: LogLevel | null;
  readonly limit: number;
  readonly newest: boolean;
}

const COLUMNS = "id, at, level, source, event, run, trace, message, data";

export function logTable(db: Database) {
  const insert = db.prepare(
    "INSERT INTO logs (at, level, source, event, run, trace, message, data) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
  );
  const lastId = db.prepare<{ seq: number }, []>("SELECT seq FROM sqlite_sequence WHERE name = 'logs'");
  return {
    ...searchIn(db, "logs"),
    /** Returns the id. Inside a commit of the store. */
    append(log: NewLog): number {
      const { at, level, source, event, run, trace, message, data } = log;
      return insert.run(at, level, source, event, run, trace, message, data).lastInsertRowid as number;
    },
    lastId: (): number => lastId.get()?.seq ?? 0,
    list(filter: LogFilter): Log[] {
      const where = ["id > ?"];
      const values: (string | number)[] = [filter.after];
      if (filter.sources.length > 0) {
        where.push(`source IN (${filter.sources.map(() => "?").join(", ")})`);
        values.push(...filter.sources);
      }
      if (filter.since !== null) {
        where.push("at >= ?");
        values.push(filter.since);
      }
      if (filter.trace !== null) {
        where.push("trace = ?");
        values.push(filter.trace);
      }
      if (filter.level !== null) {
        const levels = LOG_LEVELS.slice(LOG_LEVELS.indexOf(filter.level));
        where.push(`level IN (${levels.map(() => "?").join(", ")})`);
        values.push(...levels);
      }
      const order = filter.newest ? "DESC" : "ASC";
      const rows = db
        .query<Log, (string | number)[]>(
          `SELECT ${COLUMNS} FROM logs WHERE ${where.join(" AND ")} ORDER BY id ${order} LIMIT ?`,
        )
        .all(...values, filter.limit);
      return filter.newest ? rows.reverse() : rows;
    },
  };
}
