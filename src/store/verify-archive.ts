/** Whether every file of the archive holds what the store says, and the folder holds nothing else. */
import { basename, join } from "node:path";
import { type Problem, problem } from "../model/problem.ts";
import { ArchiveDamaged } from "./archive-damage.ts";
import { type ArchiveFile, archiveFolder, dayOf } from "./archive-names.ts";
import { archiveReader, checking, namesIn } from "./archive-reader.ts";
import { strayOf } from "./archive-strays.ts";
import { isKernelRunning } from "./kernel-lock.ts";
import type { StoreReader } from "./open-reader.ts";

interface Finding {
  readonly file: string;
  /** Goes on after the file's name. */
  readonly message: string;
  readonly hint: string | null;
}

/** A running daemon has this long to put a file it is writing into the table, or a removed one out of the folder. */
const PATIENCE_MS = 3_000;
const POLL_MS = 50;

function findingProblem(data: string, { file, message, hint }: Finding): Problem {
  const path = join(archiveFolder(data), file);
  return problem("archive-damaged", `${path} ${message}`, hint, path);
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

const LOST_ROW = "a row of the table `archive` is lost: insert it again, from a copy of logs.db";

/** Ids that were in no log when the files were written are none: somebody may have deleted those. */
function gaps(files: readonly ArchiveFile[], removedUpTo: number | null, upTo: number): Finding[] {
  const found = files.flatMap(({ file, after_id }, index): Finding[] => {
    const before = files[index - 1] ?? null;
    const end = before === null ? removedUpTo : before.last_id;
    // The oldest may have gone meanwhile.
    if (after_id === null || end === null || (before === null ? after_id <= end : after_id === end)) return [];
    const instead =
      before === null ? "there is none before it" : `${before.file}, the one before it, ends with log ${end}`;
    return [{ file, message: `follows log ${after_id}, but ${instead}`, hint: LOST_ROW }];
  });
  const last = files.at(-1);
  const end = last?.last_id ?? removedUpTo;
  if (end === null || (last === undefined ? end >= upTo : end === upTo)) return found;
  const message = `${last === undefined ? "has no file" : `ends with log ${end}`}, but logs up to ${upTo} are archived`;
  return [...found, { file: last?.file ?? ".", message, hint: LOST_ROW }];
}

/** What lies in the folder and is in no row; not what the next start removes, which is missing nowhere. */
async function strangers(data: string, unknown: () => Finding[]): Promise<Finding[]> {
  let found = unknown();
  const until = performance.now() + PATIENCE_MS;
  while (found.length > 0 && isKernelRunning(data) && performance.now() < until) {
    await Bun.sleep(POLL_MS);
    const now = new Set(unknown().map(({ file }) => file));
    found = found.filter(({ file }) => now.has(file));
  }
  return found;
}

const strangersIn =
  ({ archive }: StoreReader, folder: string) =>
  (): Finding[] =>
    namesIn(folder).flatMap((file): Finding[] => {
      if (archive.byName(file) !== null) return [];
      const stray = strayOf(archive, folder, file);
      return stray.kind === "unfinished" ? [] : [{ file, message: stray.why, hint: stray.remedy }];
    });

export interface Verified {
  /** Files of rows that can be what nerve wrote. */
  readonly files: readonly ArchiveFile[];
  /** The watermark, null where it is damaged. */
  readonly upTo: number | null;
  readonly findings: readonly Finding[];
  /** The same, as they are printed. */
  readonly problems: readonly Problem[];
}

export async function verifyArchive(store: StoreReader, data: string): Promise<Verified> {
  const folder = archiveFolder(data);
  const { files, damaged: rows } = store.archive.examined();
  const end = files.at(-1)?.last_id ?? 0;
  const found = files.flatMap((file): Finding[] => {
    const message = damageOf(folder, file);
    // Its time may have ended meanwhile.
    if (message === null || isOver(store, file)) return [];
    return [{ file: file.file, message, hint: "put back an untouched copy" }];
  });
  const { upTo, damage } = watermarkOf(store);
  const inTables = [...rows, ...damage];
  // What lies between the files cannot be told while a row of one is damaged, or the watermark.
  if (inTables.length === 0) found.push(...(await betweenFiles(store, data, files, end)));
  return {
    files,
    upTo,
    findings: [...inTables.map(inStore), ...found],
    problems: [...inTables.map((row) => row.problem), ...found.map((finding) => findingProblem(data, finding))],
  };
}

/** `message` goes on after the file's name, as that of a file of the archive does. */
const inStore = ({ problem: { file, message, hint } }: ArchiveDamaged): Finding => ({
  file: basename(file ?? ""),
  message: message.slice((file ?? "").length).trim(),
  hint,
});

function watermarkOf({ archive }: StoreReader): { readonly upTo: number | null; readonly damage: ArchiveDamaged[] } {
  try {
    return { upTo: archive.upTo(), damage: [] };
  } catch (error) {
    if (!(error instanceof ArchiveDamaged)) throw error;
    return { upTo: null, damage: [error] };
  }
}

const isOver = ({ archive }: StoreReader, { file }: ArchiveFile): boolean =>
  archive.examined().files.every((known) => known.file !== file);

async function betweenFiles(
  store: StoreReader,
  data: string,
  files: readonly ArchiveFile[],
  upTo: number,
): Promise<Finding[]> {
  const watermark = store.archive.all().length === files.length ? store.archive.upTo() : upTo;
  const lost = gaps(files, store.archive.removedUpTo(), watermark);
  return [...lost, ...(await strangers(data, strangersIn(store, archiveFolder(data))))];
}
