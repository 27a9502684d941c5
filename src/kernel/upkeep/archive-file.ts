/**
 * Owns the begin and the end of a file of the archive: written from the table slice by slice, removed when its time is
 * over.
 */
import type { Log } from "../../model/log.ts";
import { type ArchiveFile, dayOf, endOfDay, freeName } from "../../store/archive-names.ts";
import { type ArchiveWriter, createArchiveFile } from "../../store/archive-writer.ts";
import type { Store } from "../../store/open.ts";
import type { World } from "../world.ts";

/** A day with more bytes goes into several files, because a replay of a run reads and compares each file as a whole. */
const MOST_FILE_BYTES = 16 * 1024 * 1024;
/** Bytes that are read and written at once, about: estimated from the rows before. */
const SLICE_BYTES = 256 * 1024;
const SLICE_ROWS = { first: 16, most: 256 };

export interface Limits {
  /** Logs with an earlier stamp go to the archive. */
  readonly logsBefore: number;
  /** Files whose day was over by then are removed. Null where none is removed. */
  readonly archiveBefore: number | null;
  /** A log with a later stamp is not young. */
  readonly now: number;
}

export interface Moved {
  readonly files: number;
  readonly rows: number;
}

export interface Done extends Moved {
  /** The number of removed files. */
  readonly removedFiles: number;
}

export interface WritingParts {
  readonly world: Pick<World, "clock" | "files">;
  readonly store: Store;
  /** `data/archive`. */
  readonly folder: string;
}

interface Taken {
  readonly rows: number;
  readonly last: number;
}

/** Appends rows of one day after `after`, up to the first row that is not old. Null when it was stopped. */
async function takeRows(
  writer: ArchiveWriter,
  { archive }: Store,
  after: number,
  isTaken: (row: Log) => boolean,
  isStopped: () => boolean,
): Promise<Taken | null> {
  let rows = 0;
  let last = after;
  let limit = SLICE_ROWS.first;
  for (let isMore = true; isMore; ) {
    const slice = archive.logsAfter(last, limit);
    const end = slice.findIndex((row) => !isTaken(row));
    const taken = end < 0 ? slice : slice.slice(0, end);
    if (taken.length > 0) await writer.append(taken);
    if (isStopped()) return null;
    rows += taken.length;
    last = taken.at(-1)?.id ?? last;
    isMore = end < 0 && slice.length === limit && writer.bytes < MOST_FILE_BYTES;
    limit = Math.max(1, Math.min(SLICE_ROWS.most, Math.floor((SLICE_BYTES * rows) / Math.max(1, writer.bytes))));
  }
  return { rows, last };
}

/**
 * Writes a durable file of rows after the watermark: of one day, up to the first row that is not old. Null when there is
 * none.
 */
export async function writeNext(
  { world, store, folder }: WritingParts,
  isOld: (row: Log) => boolean,
  isStopped: () => boolean,
): Promise<ArchiveFile | null> {
  const watermark = store.archive.upTo();
  const [first] = store.archive.logsAfter(watermark, 1);
  if (first === undefined || !isOld(first) || isStopped()) return null;
  const day = dayOf(first.at);
  const name = freeName(folder, day, (taken) => store.archive.byName(taken) !== null);
  const writer = await createArchiveFile(world.files, folder, name);
  try {
    const taken = await takeRows(writer, store, watermark, (row) => isOld(row) && dayOf(row.at) === day, isStopped);
    if (taken === null) {
      await writer.abandon();
      return null;
    }
    // If the row of a durable file is lost, its logs must be in the table, or nobody reads them (G8).
    store.sync();
    const sha256 = await writer.finish();
    const held = { file: name, day, first_id: first.id, last_id: taken.last, rows: taken.rows, bytes: writer.bytes };
    return { ...held, sha256, at: world.clock.wallMs(), after_id: watermark };
  } catch (error) {
    await writer.abandon();
    throw error;
  }
}

/**
 * The number of files, from the oldest on, that are past their time. A file from the future goes with an old file behind
 * it.
 */
export function pastTheirTime(files: readonly ArchiveFile[], before: number, now: number): number {
  let count = 0;
  for (const [index, { day }] of files.entries()) {
    if (day > dayOf(now)) continue;
    if (endOfDay(day) > before) break;
    count = index + 1;
  }
  return count;
}
