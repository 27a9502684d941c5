/**
 * All logs as one sequence, read through the watermark: up to it from the archive, above it from the table (G8). Each
 * step decides anew, in one snapshot, which of the two goes on: rows only ever move from the table to a file, so a
 * sequence that is read while others archive has every row once. What a damaged file or a lost one held is not passed over:
 * ArchiveDamaged is thrown.
 */
import type { Database } from "bun:sqlite";
import { join } from "node:path";
import type { Log } from "../model/log.ts";
import type { DamagedLog } from "../model/run-log.ts";
import { ArchiveTable } from "./archive.ts";
import { ArchiveDamaged, damagedByGap } from "./archive-damage.ts";
import { type ArchiveFile, archiveFolder, dayOf } from "./archive-names.ts";
import { type ArchiveReader, archiveReader } from "./archive-reader.ts";
import type { RowGuard } from "./columns.ts";
import { RESTORE, StoreDamaged } from "./damage.ts";
import { firstDayOf, lineOfTrace, needleOf, passes } from "./log-filter.ts";
import { LOG_COLUMNS, type LogGuards } from "./log-row.ts";
import { ALL_LOGS, type LogFilter, logTable } from "./logs.ts";

const SCAN_ROWS = 1_000;
/** Ids of the table that are looked through at once. */
const WINDOW = 5_000;
/** Rows of a run, whose results may be large, that are read at once. */
const RUN_ROWS = 100;
/** What a run said before its end, or before it fell asleep, may come that many logs behind it. */
const TRAILING_LOGS = 10_000;

/** `damage`: what is in the way of the rest; null: there is none. */
export interface Readable {
  readonly rows: Log[];
  readonly damage: ArchiveDamaged | null;
}

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

export class LogHistory {
  readonly #settle: () => void;
  readonly #db: Database;
  readonly #archive: ArchiveTable;
  readonly #logs: ReturnType<typeof logTable>;
  readonly #folder: string;
  readonly #reader: ArchiveReader;
  readonly #guard: RowGuard<Log>;
  readonly #guards: LogGuards;
  readonly #transaction: (read: () => unknown) => unknown;
  readonly #above;
  readonly #byRun;
  readonly #lastOfRun;

  /** `settle`: puts into the table what the kernel has appended within a transaction. */
  constructor(db: Database, data: string, guards: LogGuards, settle: () => void) {
    this.#settle = settle;
    this.#db = db;
    this.#transaction = db.transaction((read) => read());
    this.#archive = new ArchiveTable(db);
    this.#logs = logTable(db, guards);
    this.#folder = archiveFolder(data);
    this.#guard = guards(db.filename);
    this.#guards = guards;
    this.#reader = archiveReader(this.#folder);
    this.#above = db.prepare<Log, [number, number]>(`SELECT ${LOG_COLUMNS} FROM logs WHERE id > ? ORDER BY id LIMIT ?`);
    this.#byRun = db.prepare<Log, [number, number, number]>(
      `SELECT ${LOG_COLUMNS} FROM logs WHERE run = ? AND id > ? ORDER BY id LIMIT ?`,
    );
    this.#lastOfRun = db.prepare<{ id: number | null }, [number]>(
      "SELECT CASE WHEN state = 'running' THEN NULL ELSE last_log_id END AS id FROM workflow_runs WHERE id = ?",
    );
  }

  /** Within a transaction everything is of one snapshot anyway. */
  #snapshot<T>(read: () => T): T {
    if (this.#db.inTransaction) this.#settle();
    return this.#db.inTransaction ? read() : (this.#transaction(read) as T);
  }

  #step<T>(cursor: number, { fromDay, upTo }: Reach, ofTable: (above: number) => T): Step<T> {
    return this.#snapshot(() => {
      const watermark = this.#archive.upTo();
      if (this.#isAbove(cursor)) return { file: null, rows: ofTable(cursor) };
      const file = cursor < watermark ? this.#archive.next(cursor, fromDay) : null;
      const gap = this.#archive.gap(file, cursor);
      if (gap !== null && gap.after < upTo) throw damagedByGap(this.#folder, gap);
      return file === null ? { file, rows: ofTable(Math.max(cursor, watermark)) } : { file };
    });
  }

  /** Before the first step: a watermark below what the files hold would let a sequence pass over logs at its end. */
  #begin(after: number, { upTo }: Reach): void {
    const gap = this.#snapshot(() => (this.#isAbove(after) ? null : this.#archive.gap(null, after)));
    if (gap?.lost === "watermark" && gap.after < upTo) throw damagedByGap(this.#folder, gap);
  }

  /** Whether nothing archived comes after `id`: what lies above the archive is read whatever is wrong with it. */
  #isAbove(id: number): boolean {
    return id >= this.#archive.upTo() && this.#archive.isBelow(id);
  }

  /** A file whose time in the archive has ended since it was looked up is not missing. */
  *#rowsOf(file: ArchiveFile, after: number, needle: string | null): Generator<Log> {
    const guard = this.#guards(join(this.#folder, file.file));
    try {
      for (const row of this.#reader.rows(file, after, needle)) if (guard.passes(row)) yield row;
    } catch (error) {
      if (!(error instanceof ArchiveDamaged) || this.#archive.byName(file.file) !== null) throw error;
    }
  }

  /** Gives every file with ids above `after` to `take` until it has enough, then the table above them. */
  #walk<T>(after: number, reach: Reach, take: (file: ArchiveFile) => boolean, ofTable: (above: number) => T): T | null {
    this.#begin(after, reach);
    for (let cursor = after; ; ) {
      const next = this.#step(cursor, reach, ofTable);
      if (next.file === null) return next.rows;
      if (take(next.file)) return null;
      cursor = next.file.last_id;
    }
  }

  /** Gives `pieces` what it comes to, in this order; so does `#newest`. */
  #oldest(filter: LogFilter, pieces: Log[][]): void {
    const rows: Log[] = [];
    pieces.push(rows);
    const isWanted = passes(filter);
    const take = (file: ArchiveFile): boolean => {
      for (const row of this.#rowsOf(file, filter.after, needleOf(filter))) {
        if (isWanted(row) && rows.push(row) === filter.limit) return true;
      }
      return filter.before !== null && file.last_id >= filter.before - 1;
    };
    const rest = this.#walk(filter.after, { ...ALL, fromDay: firstDayOf(filter) }, take, (from) =>
      this.#logs.list({ ...filter, after: from, limit: filter.limit - rows.length }),
    );
    if (rest !== null) pieces.push(rest);
  }

  #newest(filter: LogFilter, pieces: Log[][]): void {
    const { rows, files, gap } = this.#snapshot(() => {
      const watermark = this.#archive.upTo();
      const found = this.#logs.list({ ...filter, after: Math.max(filter.after, watermark) });
      // What the archive cannot tell comes after what the table has.
      pieces.push(found);
      if (found.length >= filter.limit || this.#isAbove(filter.after)) return { rows: found, files: [], gap: null };
      return { rows: found, files: [...this.#archive.all()], gap: this.#archive.gap(null, filter.after) };
    });
    if (gap !== null) throw damagedByGap(this.#folder, gap);
    const fromDay = firstDayOf(filter);
    let room = filter.limit - rows.length;
    for (const file of files.reverse()) {
      if (file.last_id <= filter.after) break;
      if (file.day < fromDay) continue;
      const last = this.#lastIn(file, filter, room);
      pieces.push(last);
      room -= last.length;
      if (room === 0) break;
      const lost = this.#archive.gap(file, filter.after);
      if (lost !== null) throw damagedByGap(this.#folder, lost);
    }
  }

  /** The last `room` rows of a file that pass. */
  #lastIn(file: ArchiveFile, filter: LogFilter, room: number): Log[] {
    const isWanted = passes(filter);
    let last: Log[] = [];
    for (const row of this.#rowsOf(file, filter.after, needleOf(filter))) {
      if (isWanted(row)) last.push(row);
      if (last.length > 2 * room) last = last.slice(-room);
    }
    return last.slice(-room);
  }

  /** As much of the page as can be had: up to what is damaged, or where the newest are asked for, down to it. */
  readable(filter: LogFilter): Readable {
    const pieces: Log[][] = [];
    let damage: ArchiveDamaged | null = null;
    try {
      if (filter.limit > 0 && filter.newest) this.#newest(filter, pieces);
      else if (filter.limit > 0) this.#oldest(filter, pieces);
    } catch (error) {
      if (!(error instanceof ArchiveDamaged)) throw error;
      damage = error;
    }
    return { rows: (filter.newest ? pieces.reverse() : pieces).flat(), damage };
  }

  page(filter: LogFilter): Log[] {
    const { rows, damage } = this.readable(filter);
    if (damage !== null) throw damage;
    return rows;
  }

  /** An id no row before which is as young as `at`. */
  firstIdSince(at: number): number {
    const file = this.#archive.next(0, dayOf(at));
    const gap = this.#archive.gap(file, 0);
    const first = gap === null ? file?.first_id : gap.after + 1;
    return Math.min(first ?? Number.POSITIVE_INFINITY, this.#logs.firstIdSince(at));
  }

  /** The logs of a trace with ids above `after`, in order; null where whoever reads may pause. */
  eachOfTrace(trace: string, after: number): Generator<Log | null> {
    const among = { ...ALL_LOGS, trace };
    const ofTable = (from: number, before: number) => this.#logs.list({ ...among, after: from, before });
    return this.#sought(after, lineOfTrace(trace), ofTable, (row) => row);
  }

  /** Traces that begin with `prefix`, of logs with ids above `after`, some of them again and again; null as above. */
  eachTrace(prefix: string, after: number): Generator<string | null> {
    const ofTable = (from: number, before: number) => this.#logs.traces(prefix, from, before, SCAN_ROWS);
    return this.#sought(after, `"trace":"${prefix}`, ofTable, ({ trace }) => trace);
  }

  *#sought<T>(
    after: number,
    needle: string,
    ofTable: (after: number, before: number) => readonly T[],
    ofRow: (row: Log) => T,
  ): Generator<T | null> {
    this.#begin(after, ALL);
    const last = Math.max(this.#archive.upTo(), this.#logs.lastId());
    for (let cursor = after; cursor < last; ) {
      const next = this.#step(cursor, ALL, (from) => ({ to: from + WINDOW, found: ofTable(from, from + WINDOW + 1) }));
      if (next.file === null) {
        yield* next.rows.found;
        cursor = next.rows.to;
      } else {
        for (const row of this.#rowsOf(next.file, cursor, needle)) yield ofRow(row);
        cursor = next.file.last_id;
      }
      yield null;
    }
  }

  /** The row with this id, null when there is none. */
  byId(id: number): Log | null {
    const next = this.#step(id - 1, { ...ALL, upTo: id }, () => this.#archive.log(id));
    if (next.file === null) return next.rows;
    const [row = null] = this.#rowsOf(next.file, id - 1, `{"id":${id},`);
    return row;
  }

  /** A log that nerve did not write so, named by the file in which it lies. */
  damagedLog({ id, column, why }: DamagedLog): StoreDamaged {
    const archived = id <= this.#archive.upTo() ? this.#archive.next(id - 1, "") : null;
    const place = archived === null ? this.#db.filename : join(this.#folder, archived.file);
    return new StoreDamaged(place, `${archived === null ? "table logs, row" : "log"} ${id}: ${column} ${why}`, RESTORE);
  }

  /** Every row of a run from id `fromId` on. */
  ofRun = (run: number, fromId: number): Log[] => [...this.eachOfRun(run, fromId)];

  /** The same, read as it is asked for: a long history need not be held at once. */
  *eachOfRun(run: number, fromId: number): Generator<Log> {
    const end = (this.#lastOfRun.get(run)?.id ?? Number.POSITIVE_INFINITY) + TRAILING_LOGS;
    const reach = { ...ALL, upTo: end };
    this.#begin(fromId - 1, reach);
    for (let cursor = fromId - 1; ; ) {
      const next = this.#step(cursor, reach, (from) => this.#byRun.all(run, from, RUN_ROWS));
      if (next.file === null) {
        yield* this.#guard.rows(next.rows);
        const last = next.rows.at(-1);
        if (last === undefined || next.rows.length < RUN_ROWS) return;
        cursor = last.id;
        continue;
      }
      // Of one that ended long ago, or has slept since, nothing is in the years between.
      if (next.file.first_id > end) return;
      yield* this.#rowsOf(next.file, cursor, `"run":${run},`);
      cursor = next.file.last_id;
    }
  }

  /** Every row with an id above `afterId`, in order, read as it is asked for. */
  *scan(afterId: number): Generator<Log> {
    this.#begin(afterId, ALL);
    for (let cursor = afterId; ; ) {
      const next = this.#step(cursor, ALL, (from) => this.#above.all(from, SCAN_ROWS));
      if (next.file === null) {
        const last = next.rows.at(-1);
        if (last === undefined) return;
        yield* this.#guard.rows(next.rows);
        cursor = last.id;
        continue;
      }
      yield* this.#rowsOf(next.file, cursor, null);
      cursor = next.file.last_id;
    }
  }
}
