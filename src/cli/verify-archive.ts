/** Whether every file of the archive holds what the store says, and the folder holds nothing else. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { type Problem, problem } from "../model/problem.ts";
import { lockHolder } from "../sqlite/lock.ts";
import {
  type ArchiveFile,
  archiveFolder,
  archiveReader,
  checking,
  dayOf,
  isTemporaryName,
  namesIn,
} from "../store/archive-files.ts";
import type { StoreReader } from "../store/open.ts";

export interface Finding {
  readonly file: string;
  /** Goes on after the file's name. */
  readonly message: string;
}

/** A running daemon has this long to put a file it is writing into the table, or a removed one out of the folder. */
const PATIENCE_MS = 3_000;
const POLL_MS = 50;

export function findingProblem(data: string, { file, message }: Finding): Problem {
  const path = join(archiveFolder(data), file);
  return problem("archive-damaged", `${path} ${message}`, null, path);
}

function damageOf(folder: string, file: ArchiveFile): string | null {
  const checked = checking(folder, file);
  let step = checked.next();
  while (!step.done) step = checked.next();
  return step.value ?? contradictionIn(folder, file);
}

/** Its bytes are those that were written: whether the row tells the truth about them. */
function contradictionIn(folder: string, file: ArchiveFile): string | null {
  let rows = 0;
  let first = 0;
  let last = 0;
  try {
    for (const { id, at } of archiveReader(folder).rows(file, 0, null)) {
      if (id <= last) return `holds log ${id} after log ${last}`;
      if (dayOf(at) !== file.day) return `holds log ${id} of ${dayOf(at)}, and is of ${file.day}`;
      if (rows++ === 0) first = id;
      last = id;
    }
  } catch (error) {
    return `cannot be read: ${(error as Error).message}`;
  }
  if (rows !== file.rows) return `holds ${rows} logs, not ${file.rows}`;
  if (first !== file.first_id || last !== file.last_id)
    return `holds logs ${first} to ${last}, not ${file.first_id} to ${file.last_id}`;
  return null;
}

/** Ids that were in no log when the files were written are none: somebody may have deleted those. */
function gaps(files: readonly ArchiveFile[], upTo: number): Finding[] {
  const found = files.slice(1).flatMap(({ file, after_id }, index): Finding[] => {
    const { file: before, last_id } = files[index] as ArchiveFile;
    if (after_id === null || after_id === last_id) return [];
    return [{ file, message: `follows log ${after_id}, but ${before}, the one before it, ends with log ${last_id}` }];
  });
  const last = files.at(-1);
  if (last === undefined || last.last_id === upTo) return found;
  return [...found, { file: last.file, message: `ends with log ${last.last_id}, but logs up to ${upTo} are archived` }];
}

const isRunning = (data: string): boolean => {
  const lock = join(data, "locks", "kernel.lock");
  return existsSync(lock) && lockHolder(lock) !== null;
};

/**
 * What lies in the folder and is in no row. A file that was not finished is nothing that is missing anywhere: its logs
 * are in the table, and the next start removes it.
 */
async function strangers(store: StoreReader, data: string): Promise<Finding[]> {
  const folder = archiveFolder(data);
  const unknown = (): string[] =>
    namesIn(folder).filter((name) => !isTemporaryName(name) && store.archive.byName(name) === null);
  let names = unknown();
  const until = performance.now() + PATIENCE_MS;
  while (names.length > 0 && isRunning(data) && performance.now() < until) {
    await Bun.sleep(POLL_MS);
    const now = new Set(unknown());
    names = names.filter((name) => now.has(name));
  }
  return names.map((file) => ({ file, message: "is in no row of the table `archive`" }));
}

export async function verifyArchive(store: StoreReader, data: string): Promise<Finding[]> {
  const folder = archiveFolder(data);
  const files = store.archive.all();
  const upTo = files.at(-1)?.last_id ?? 0;
  const damaged = files.flatMap((file): Finding[] => {
    const message = damageOf(folder, file);
    // Its time may have ended meanwhile.
    return message === null || store.archive.byName(file.file) === null ? [] : [{ file: file.file, message }];
  });
  const watermark = store.archive.all().length === files.length ? store.archive.upTo() : upTo;
  return [...damaged, ...gaps(files, watermark), ...(await strangers(store, data))];
}
