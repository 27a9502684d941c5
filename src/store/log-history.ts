/**
 * All logs as one sequence, read through the watermark: up to it from the archive, above it from the table (G8). Each
 * step decides anew, in one snapshot, which of the two goes on: rows only ever move from the table to a file, so a
 * sequence that is read while others archive has every row once. What a damaged file or a lost one held is not passed over:
 * ArchiveDamaged is thrown.
 */
import type { Database } from "bun:sqlite";
import { LOG_LEVELS, type Log } from "../model/log.ts";
import { archiveTable } from "./archive.ts";
import {
  ArchiveDamaged,
  type ArchiveFile,
  archiveFolder,
  archiveReader,
  damagedByGap,
  dayOf,
} from "./archive-files.ts";
import { type LogFilter, logTable } from "./logs.ts";

const COLUMNS = "id, at, level, source, event, run, trace, message, data";
const SCAN_ROWS = 1_000;
/** What a run said before its end, or before it fell asleep, may come that many logs behind it. */
const TRAILING_LOGS = 10_000;

/** `damage`: what is in the way of the rest; null: there is none. */
export interface Readable {
  readonly rows: Log[];
  readonly damage: ArchiveDamaged | null;
}

export interface LogHistory {
  page(filter: LogFilter): Log[];
  /** As much of the page as can be had: up to what is damaged, or where the newest are asked for, down to it. */
  readable(filter: LogFilter): Readable;
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

/** Which archived logs are asked for. */
interface Reach {
  /** Files of earlier days hold none of them; "": any may. */
  readonly fromDay: string;
  /** None has a higher id. */
  readonly upTo: number;
}

const ALL: Reach = { fromDay: "", upTo: Number.POSITIVE_INFINITY };

/** A file holds rows of one day, so that those of earlier ones need not even be opened. */
const firstDayOf = ({ since }: LogFilter): string => (since === null ? "" : dayOf(since));

export function logHistory(db: Database, data: string): LogHistory {
  const archive = archiveTable(db);
  const logs = logTable(db);
  const folder = archiveFolder(data);
  const reader = archiveReader(folder);
  const above = db.prepare<Log, [number, number]>(`SELECT ${COLUMNS} FROM logs WHERE id > ? ORDER BY id LIMIT ?`);
  const byRun = db.prepare<Log, [number, number]>(`SELECT ${COLUMNS} FROM logs WHERE run = ? AND id > ? ORDER BY id`);
  const lastOfRun = db.prepare<{ id: number | null }, [number]>(
    "SELECT CASE WHEN state = 'running' THEN NULL ELSE last_log_id END AS id FROM workflow_runs WHERE id = ?",
  );
  const snapshot = <T>(read: () => T): T => db.transaction(read)();

  const step = <T>(cursor: number, { fromDay, upTo }: Reach, ofTable: (above: number) => T): Step<T> =>
    snapshot(() => {
      const watermark = archive.upTo();
      const file = cursor < watermark ? archive.next(cursor, fromDay) : null;
      const gap = archive.gap(file, cursor);
      if (gap !== null && gap.after < upTo) throw damagedByGap(folder, gap);
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
  function walk<T>(
    after: number,
    reach: Reach,
    take: (file: ArchiveFile) => boolean,
    ofTable: (above: number) => T,
  ): T | null {
    for (let cursor = after; ; ) {
      const next = step(cursor, reach, ofTable);
      if (next.file === null) return next.rows;
      if (take(next.file)) return null;
      cursor = next.file.last_id;
    }
  }

  /** Both give `pieces` what they come to, in this order. */
  function oldest(filter: LogFilter, pieces: Log[][]): void {
    const rows: Log[] = [];
    pieces.push(rows);
    const isWanted = passes(filter);
    const needle = filter.trace === null ? null : `"trace":"${filter.trace}"`;
    const take = (file: ArchiveFile): boolean => {
      for (const row of rowsOf(file, filter.after, needle)) {
        if (isWanted(row) && rows.push(row) === filter.limit) return true;
      }
      return false;
    };
    const rest = walk(filter.after, { ...ALL, fromDay: firstDayOf(filter) }, take, (from) =>
      logs.list({ ...filter, after: from, limit: filter.limit - rows.length }),
    );
    if (rest !== null) pieces.push(rest);
  }

  function newest(filter: LogFilter, pieces: Log[][]): void {
    const { rows, files, gap } = snapshot(() => {
      const watermark = archive.upTo();
      const found = logs.list({ ...filter, after: Math.max(filter.after, watermark) });
      const isAll = found.length >= filter.limit;
      return { rows: found, files: isAll ? [] : archive.all(), gap: isAll ? null : archive.gap(null, filter.after) };
    });
    pieces.push(rows);
    if (gap !== null) throw damagedByGap(folder, gap);
    const isWanted = passes(filter);
    const needle = filter.trace === null ? null : `"trace":"${filter.trace}"`;
    const fromDay = firstDayOf(filter);
    let room = filter.limit - rows.length;
    for (const file of files.reverse()) {
      if (file.last_id <= filter.after) break;
      if (file.day < fromDay) continue;
      let last: Log[] = [];
      for (const row of rowsOf(file, filter.after, needle)) {
        if (isWanted(row)) last.push(row);
        if (last.length > 2 * room) last = last.slice(-room);
      }
      last = last.slice(-room);
      pieces.push(last);
      room -= last.length;
      if (room === 0) break;
      const lost = archive.gap(file, filter.after);
      if (lost !== null) throw damagedByGap(folder, lost);
    }
  }

  function readable(filter: LogFilter): Readable {
    const pieces: Log[][] = [];
    let damage: ArchiveDamaged | null = null;
    try {
      if (filter.limit > 0) (filter.newest ? newest : oldest)(filter, pieces);
    } catch (error) {
      if (!(error instanceof ArchiveDamaged)) throw error;
      damage = error;
    }
    return { rows: (filter.newest ? pieces.reverse() : pieces).flat(), damage };
  }

  return {
    page(filter) {
      const { rows, damage } = readable(filter);
      if (damage !== null) throw damage;
      return rows;
    },
    readable,
    firstIdSince(at) {
      const file = archive.next(0, dayOf(at));
      const gap = archive.gap(file, 0);
      const first = gap === null ? file?.first_id : gap.after + 1;
      return Math.min(first ?? Number.POSITIVE_INFINITY, logs.firstIdSince(at));
    },
    traces(prefix, from, limit) {
      const found = new Set<string>();
      const take = (file: ArchiveFile): boolean => {
        for (const { trace } of rowsOf(file, from - 1, `"trace":"${prefix}`)) {
          if (trace !== null && found.size < limit) found.add(trace);
        }
        return found.size >= limit;
      };
      const rest = walk(from - 1, ALL, take, (above) => logs.traces(prefix, above + 1, limit));
      for (const trace of rest ?? []) found.add(trace);
      return [...found].slice(0, limit);
    },
    byId(id) {
      const next = step(id - 1, { ...ALL, upTo: id }, () => archive.log(id));
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
      const rest = walk(fromId - 1, { ...ALL, upTo: end }, take, (from) => byRun.all(run, from));
      return rows.concat(rest ?? []);
    },
    *scan(afterId) {
      for (let cursor = afterId; ; ) {
        const next = step(cursor, ALL, (from) => above.all(from, SCAN_ROWS));
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
