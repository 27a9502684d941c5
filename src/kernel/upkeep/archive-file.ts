/** When a file of the archive begins and ends: written from the table slice by slice, removed when its time is over. */
import type { Log } from "../../model/log.ts";
import { type ArchiveFile, dayOf, endOfDay, freeName } from "../../store/archive-names.ts";
import { type ArchiveWriter, createArchiveFile } from "../../store/archive-writer.ts";
import type { Store } from "../../store/open.ts";
import type { World } from "../world.ts";

/** A day with more goes into several files: each is read and compared whole by whoever replays a run. */
const MOST_FILE_BYTES = 16 * 1024 * 1024;
/** What is read and written at once: about so many bytes, told from the rows before. */
const SLICE_BYTES = 256 * 1024;
const SLICE_ROWS = { first: 16, most: 256 };

export interface Limits {
  /** Logs stamped before go to the archive. */
  readonly logsBefore: number;
  /** Files whose day was over by then are removed; null: none. */
  readonly archiveBefore: number | null;
  /** What is stamped later is not young, whatever its stamp says. */
  readonly now: number;
}

export interface Moved {
  readonly files: number;
  readonly rows: number;
}

export interface Done extends Moved {
  /** Files whose time was over. */
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

/** Appends rows of one day behind `after`, up to the first that is not old. Null: it was stopped. */
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

/** A durable file of rows behind the watermark: of one day, up to the first that is not old. Null when there is none. */
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
    // Whoever loses the row of a durable file must have its logs in the table, or nobody reads them (G8).
    store.sync();
    const sha256 = await writer.finish();
    const held = { file: name, day, first_id: first.id, last_id: taken.last, rows: taken.rows, bytes: writer.bytes };
    return { ...held, sha256, at: world.clock.wallMs(), after_id: watermark };
  } catch (error) {
    await writer.abandon();
    throw error;
  }
}

/** How many files, from the oldest on, are past their time; one stamped in the future goes with an old one behind it. */
export function pastTheirTime(files: readonly ArchiveFile[], before: number, now: number): number {
  let count = 0;
  for (const [index, { day }] of files.entries()) {
    if (day > dayOf(now)) continue;
    if (endOfDay(day) > before) break;
    count = index + 1;
  }
  return count;
}
