/**
 * Owns stretches of logs that a reader takes one after the other and may pause within: a stretch of the table, or one file of the
 * archive. As in `log-history.ts`, rows up to the watermark come from the archive and rows above it from the table (G8).
 */
import type { Database } from "bun:sqlite";
import { join } from "node:path";
import type { Log } from "../model/log.ts";
import { ArchiveTable } from "./archive.ts";
import { type ArchiveFile, archiveFolder, dayOf } from "./archive-names.ts";
import { archiveReader } from "./archive-reader.ts";
import { needleOf, passes } from "./log-filter.ts";
import type { LogGuards } from "./log-row.ts";
import { type LogFilter, logTable } from "./logs.ts";

/** Rows of a file that are read before the reader may pause. */
const PAUSE_ROWS = 1_000;

export interface LogWindow {
  /** As many as `limit` says of the rows that pass, the newest or the oldest, in the order of their ids. */
  readonly rows: readonly Log[];
  /** The lowest and the highest id that was looked at. */
  readonly from: number;
  readonly to: number;
}

/** `after` and `before` say where the stretch lies; it may come out shorter or, in the archive, reach beyond. */
export type WindowFilter = LogFilter & {
  readonly before: number;
  /** Which of those that the rest of the filter lets pass; null: all. */
  readonly choose: ((row: Log) => boolean) | null;
};

export class LogWindows {
  readonly #db: Database;
  readonly #archive: ArchiveTable;
  readonly #logs: ReturnType<typeof logTable>;
  readonly #reader;
  readonly #guards: LogGuards;
  readonly #folder: string;

  constructor(db: Database, data: string, guards: LogGuards) {
    this.#db = db;
    this.#archive = new ArchiveTable(db);
    this.#logs = logTable(db, guards);
    this.#folder = archiveFolder(data);
    this.#reader = archiveReader(this.#folder);
    this.#guards = guards;
  }

  /** The stretch at the end of `after`–`before` (at its beginning, unless `newest`); pauses while it reads a file. */
  *window(filter: WindowFilter): Generator<void, LogWindow> {
    const { newest, after, before } = filter;
    const found = this.#db.transaction(() => this.#beginning(filter))();
    if ("rows" in found) return found;
    const { file } = found;
    if (filter.since !== null && file.day < dayOf(filter.since)) {
      return { rows: [], from: newest ? after + 1 : file.first_id, to: newest ? before - 1 : file.last_id };
    }
    // Files below the archive's first id were removed: the stretch ends with the file.
    const whole = { ...filter, after: newest ? 0 : after, before: newest ? before : Number.MAX_SAFE_INTEGER };
    const rows = yield* this.#ofFile(file, whole);
    return { rows, from: newest ? file.first_id : after + 1, to: newest ? before - 1 : file.last_id };
  }

  /** The rows of the table, or the file that comes first. */
  #beginning(filter: WindowFilter): LogWindow | { readonly file: ArchiveFile } {
    const { newest, after, before } = filter;
    const watermark = this.#archive.upTo();
    const files = this.#archive.all();
    const file = newest
      ? before - 1 > watermark
        ? undefined
        : files.findLast(({ first_id }) => first_id < before)
      : after + 1 > watermark
        ? undefined
        : files.find(({ last_id }) => last_id > after);
    if (file !== undefined) return { file };
    if (newest && before - 1 <= watermark) return { rows: [], from: 1, to: before - 1 };
    const from = Math.max(after, watermark);
    return { rows: this.#ofTable({ ...filter, after: from }), from: from + 1, to: before - 1 };
  }

  #ofTable({ choose, ...filter }: WindowFilter): readonly Log[] {
    if (choose === null) return this.#logs.list(filter);
    const chosen = this.#logs.list({ ...filter, limit: Number.MAX_SAFE_INTEGER }).filter(choose);
    return filter.newest ? chosen.slice(-filter.limit) : chosen.slice(0, filter.limit);
  }

  *#ofFile(file: ArchiveFile, filter: WindowFilter): Generator<void, Log[]> {
    const { newest, limit, after, choose } = filter;
    const isWanted = passes(filter);
    const guard = this.#guards(join(this.#folder, file.file));
    let rows: Log[] = [];
    let read = 0;
    for (const row of this.#reader.rows(file, after, needleOf(filter))) {
      if (++read % PAUSE_ROWS === 0) yield;
      if (!isWanted(row) || !guard.passes(row) || (choose !== null && !choose(row))) continue;
      rows.push(row);
      if (!newest && rows.length >= limit) break;
      if (newest && rows.length > 2 * limit) rows = rows.slice(-limit);
    }
    return newest ? rows.slice(-limit) : rows;
  }
}
