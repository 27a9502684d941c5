/**
 * All logs as one sequence, read through the watermark: up to it from the archive, above it from the table (G8). Each
 * step decides anew, in one snapshot, which of the two goes on: rows only ever move from the table to a file, so a
 * sequence that is read while others archive has every row once. What a damaged file held is not passed over:
 * ArchiveDamaged is thrown.
 */
import type { Database } from "bun:sqlite";
import { LOG_LEVELS, type Log } from "../model/log.ts";
import { archiveTable } from "./archive.ts";
import { ArchiveDamaged, type ArchiveFile, archiveFolder, archiveReader, dayOf } from "./archive-files.ts";
import { type LogFilter, logTable } from "./logs.ts";

const COLUMNS = "id, at, level, source, event, run, trace, message, data";
const SCAN_ROWS = 1_000;
/** What a run said before its end, or before it fell asleep, may come that many logs behind it. */
const TRAILING_LOGS = 10_000;

export interface LogHistory {
  page(filter: LogFilter): Log[];
  /** An id no row before which is as young as `at`, but for a clock that was set. */
  firstIdSince(at: number): number;
  /** At most `limit` different traces that begin with `prefix`, among rows from id `from` on. */
  traces(prefix: string, from: number, limit: number): string[];
  /** The row with this id, null when there is none. */
  byId(id: number): Log | null;
  /** Every row of a run from id `fromId` on. */
  ofRun(run: number, fromId: number): Log[];
  /** Every row with an id above `afterId`, in order, read as it is asked for. */
  scan(afterId: number): Generator<Log>;
}

const passes = ({ after, since, trace, sources, level }: LogFilter): ((row: Log) => boolean) => {
  const least = level === null ? 0 : LOG_LEVELS.indexOf(level);
  const wanted = sources.length === 0 ? null : new Set(sources);
  return (row) =>
    row.id > after &&
    (since === null || row.at >= since) &&
    (trace === null || row.trace === trace) &&
    (wanted === null || wanted.has(row.source)) &&
    (least === 0 || LOG_LEVELS.indexOf(row.level) >= least);
};

/** `file`: the next to read; else the table goes on, and this is what it had. */
type Step<T> = { readonly file: ArchiveFile } | { readonly file: null; readonly rows: T };

export function logHistory(db: Database, data: string): LogHistory {
  const archive = archiveTable(db);
  const logs = logTable(db);
  const reader = archiveReader(archiveFolder(data));
  const above = db.prepare<Log, [number, number]>(`SELECT ${COLUMNS} FROM logs WHERE id > ? ORDER BY id LIMIT ?`);
  const byRun = db.prepare<Log, [number, number]>(`SELECT ${COLUMNS} FROM logs WHERE run = ? AND id > ? ORDER BY id`);
  const lastOfRun = db.prepare<{ id: number | null }, [number]>(
    "SELECT CASE WHEN state = 'running' THEN NULL ELSE last_log_id END AS id FROM workflow_runs WHERE id = ?",
  );
  const snapshot = <T>(read: () => T): T => db.transaction(read)();

  const step = <T>(cursor: number, ofTable: (above: number) => T): Step<T> =>
    snapshot(() => {
      const watermark = archive.upTo();
      const file = cursor < watermark ? archive.next(cursor) : null;
      return file === null ? { file, rows: ofTable(Math.max(cursor, watermark)) } : { file };
    });

  /** A file whose time in the archive has ended since it was looked up is not missing. */
  function* rowsOf(file: ArchiveFile, after: number, needle: string | null): Generator<Log> {
    try {
      yield* reader.rows(file, after, needle);
    } catch (error) {
      if (!(error instanceof ArchiveDamaged) || archive.byName(file.file) !== null) throw error;
    }
  }

  /** Gives every file with ids above `after` to `take` until it has enough, then the table above them. */
  function walk<T>(after: number, take: (file: ArchiveFile) => boolean, ofTable: (above: number) => T): T | null {
    for (let cursor = after; ; ) {
      const next = step(cursor, ofTable);
      if (next.file === null) return next.rows;
      if (take(next.file)) return null;
      cursor = next.file.last_id;
    }
  }

  function oldest(filter: LogFilter): Log[] {
    const rows: Log[] = [];
    if (filter.limit <= 0) return rows;
    const isWanted = passes(filter);
    const needle = filter.trace === null ? null : `"trace":"${filter.trace}"`;
    const take = (file: ArchiveFile): boolean => {
      for (const row of rowsOf(file, filter.after, needle)) {
        if (isWanted(row) && rows.push(row) === filter.limit) return true;
      }
      return false;
    };
    const rest = walk(filter.after, take, (from) =>
      logs.list({ ...filter, after: from, limit: filter.limit - rows.length }),
    );
    return rest === null ? rows : rows.concat(rest);
  }

  function newest(filter: LogFilter): Log[] {
    const { watermark, files, rows } = snapshot(() => {
      const upTo = archive.upTo();
      const found = logs.list({ ...filter, after: Math.max(filter.after, upTo) });
      return { watermark: upTo, files: found.length < filter.limit ? archive.all() : [], rows: found };
    });
    const isWanted = passes(filter);
    const needle = filter.trace === null ? null : `"trace":"${filter.trace}"`;
    let found = rows;
    for (const file of files.reverse()) {
      if (found.length >= filter.limit || file.last_id <= filter.after) break;
      if (file.first_id > watermark) continue;
      const room = filter.limit - found.length;
      let last: Log[] = [];
      for (const row of rowsOf(file, filter.after, needle)) {
        if (isWanted(row)) last.push(row);
        if (last.length > 2 * room) last = last.slice(-room);
      }
      found = last.slice(-room).concat(found);
    }
    return found;
  }

  return {
    page: (filter) => (filter.newest ? newest(filter) : oldest(filter)),
    firstIdSince(at) {
      const file = archive.fromDay(dayOf(at));
      const id = logs.firstIdSince(at);
      return file === null ? id : Math.min(file.first_id, id);
    },
    traces(prefix, from, limit) {
      const found = new Set<string>();
      const take = (file: ArchiveFile): boolean => {
        for (const { trace } of rowsOf(file, from - 1, `"trace":"${prefix}`)) {
          if (trace !== null && found.size < limit) found.add(trace);
        }
        return found.size >= limit;
      };
      const rest = walk(from - 1, take, (above) => logs.traces(prefix, above + 1, limit));
      for (const trace of rest ?? []) found.add(trace);
      return [...found].slice(0, limit);
    },
    byId(id) {
      const next = step(id - 1, () => archive.log(id));
      if (next.file === null) return next.rows;
      const [row = null] = rowsOf(next.file, id - 1, `{"id":${id},`);
      return row;
    },
    ofRun(run, fromId) {
      const rows: Log[] = [];
      const end = (lastOfRun.get(run)?.id ?? Number.POSITIVE_INFINITY) + TRAILING_LOGS;
      const take = (file: ArchiveFile): boolean => {
        // Of one that ended long ago, or has slept since, nothing is in the years between.
        if (file.first_id > end) return true;
        for (const row of rowsOf(file, fromId - 1, `"run":${run},`)) rows.push(row);
        return false;
      };
      const rest = walk(fromId - 1, take, (from) => byRun.all(run, from));
      return rows.concat(rest ?? []);
    },
    *scan(afterId) {
      for (let cursor = afterId; ; ) {
        const next = step(cursor, (from) => above.all(from, SCAN_ROWS));
        if (next.file === null) {
          const last = next.rows.at(-1);
          if (last === undefined) return;
          yield* next.rows;
          cursor = last.id;
          continue;
        }
        yield* rowsOf(next.file, cursor, null);
        cursor = next.file.last_id;
      }
    },
  };
}
