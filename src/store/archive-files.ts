/**
 * The files of the archive: `YYYY-MM-DD.jsonl`, `YYYY-MM-DD.2.jsonl` … in `data/archive`, one row of `logs` a line as
 * JSON with the columns as keys, each as it lies in the table (`data` is text). A file appears under its name only whole
 * and synced, and is never rewritten.
 */
import { createHash } from "node:crypto";
import { closeSync, constants, fstatSync, lstatSync, openSync, readdirSync, readSync } from "node:fs";
import { type FileHandle, open, rename, unlink } from "node:fs/promises";
import { join } from "node:path";
import type { Log } from "../model/log.ts";
import { type Problem, problem } from "../model/problem.ts";

/** A row of the table `archive`. */
export interface ArchiveFile {
  readonly file: string;
  /** YYYY-MM-DD in UTC. */
  readonly day: string;
  readonly first_id: number;
  readonly last_id: number;
  readonly rows: number;
  readonly bytes: number;
  /** 64 hex digits. */
  readonly sha256: string;
  /** Unix milliseconds: when it was written. */
  readonly at: number;
  /** The last log of the file before it, 0 for the first; null: not known. */
  readonly after_id: number | null;
}

/**
 * Logs above `after`, up to `upTo`, that were archived and that cannot be told where: the row of their file is lost, which
 * shows as each names the last log of the file before it; or the watermark is, which is the last log of the newest.
 */
export interface ArchiveGap {
  readonly lost: "row" | "watermark";
  readonly after: number;
  readonly upTo: number;
}

/** Archived logs cannot be had: reading goes no further, for they are nowhere else. */
export class ArchiveDamaged extends Error {
  readonly problem: Problem;

  /** `upTo`: the last of the logs that cannot be had. */
  constructor(path: string, why: string, remedy: string, upTo: number) {
    super(`${path} ${why}`);
    this.name = "ArchiveDamaged";
    const hint = `${remedy}; \`nerve logs --after ${upTo}\` lists what lies above`;
    this.problem = problem("archive-damaged", this.message, hint, path);
  }
}

/** A file that does not hold what the table says it holds. */
export const damagedFile = (folder: string, { file, last_id }: ArchiveFile, why: string): ArchiveDamaged => {
  const remedy = "`nerve archive verify` names every damaged file; put back an untouched copy";
  return new ArchiveDamaged(join(folder, file), why, remedy, last_id);
};

/** `log 4`, `logs 4 to 9`. */
export const logsWord = (first: number, last: number): string =>
  first === last ? `log ${first}` : `logs ${first} to ${last}`;

export const damagedByGap = (folder: string, { lost, after, upTo }: ArchiveGap): ArchiveDamaged => {
  const logs = `has ${logsWord(after + 1, upTo)}, but`;
  if (lost === "watermark") {
    const why = `${logs} by \`archived_up_to\` in \`meta\` the archive ends with log ${after}`;
    return new ArchiveDamaged(folder, why, `set it to ${upTo}`, upTo);
  }
  const remedy = "`nerve archive verify` looks which file it is; insert its row again, from a copy of logs.db";
  return new ArchiveDamaged(folder, `${logs} no row of the table \`archive\` tells in which file`, remedy, upTo);
};

const { O_RDONLY, O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW, O_NONBLOCK } = constants;
/** A link in the archive could lead anywhere, and a named pipe would be waited for. */
const READ_PLAIN = O_RDONLY | O_NOFOLLOW | O_NONBLOCK;
const WRITE_NEW = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW;

const NAME = /^(\d{4}-\d\d-\d\d)(?:\.([2-9]|[1-9]\d+))?\.jsonl$/;
const TEMPORARY = ".tmp";

const DAY_MS = 86_400_000;
const LAST_DAY_MS = Date.UTC(9999, 11, 31);

export const archiveFolder = (data: string): string => join(data, "archive");

/** The UTC day of a moment; what no calendar of four digits holds goes to its nearest end. */
export const dayOf = (at: number): string =>
  new Date(Math.min(Math.max(at, 0), LAST_DAY_MS)).toISOString().slice(0, 10);

/** The first moment that is not in `day` any more. */
export const endOfDay = (day: string): number => Date.parse(`${day}T00:00:00Z`) + DAY_MS;

export const isArchiveName = (name: string): boolean => NAME.test(name);
export const isTemporaryName = (name: string): boolean =>
  name.endsWith(TEMPORARY) && isArchiveName(name.slice(0, -TEMPORARY.length));

/** A name of `day` that nothing has yet. */
export function freeName(folder: string, day: string, isTaken: (name: string) => boolean): string {
  for (let nth = 1; ; nth++) {
    const name = nth === 1 ? `${day}.jsonl` : `${day}.${nth}.jsonl`;
    if (!isTaken(name) && lstatSync(join(folder, name), { throwIfNoEntry: false }) === undefined) return name;
  }
}

export function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder).sort();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
}

// ── writing ────────────────────────────────────────────────────────────

export interface ArchiveWriter {
  readonly bytes: number;
  append(rows: readonly Log[]): Promise<void>;
  /** Durable under its name when it resolves; its SHA-256. */
  finish(): Promise<string>;
  /** Nothing of it stays. */
  abandon(): Promise<void>;
}

export const syncFolder = async (folder: string): Promise<void> => {
  const handle = await open(folder, O_RDONLY);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
};

export const lineOf = (row: Log): string => `${JSON.stringify(row)}\n`;

/** The id of the row a line holds, whoever wrote it; null when it holds none. */
export function idIn(line: string): number | null {
  try {
    const id: unknown = (JSON.parse(line) as Partial<Log> | null)?.id;
    return Number.isSafeInteger(id) ? (id as number) : null;
  } catch {
    return null;
  }
}

async function writeWhole(handle: FileHandle, bytes: Buffer): Promise<void> {
  for (let at = 0; at < bytes.length; ) at += (await handle.write(bytes, at, bytes.length - at)).bytesWritten;
}

/** A sync of much at once would hold up every other one on the disk, those of commits too. */
const SYNC_EVERY_BYTES = 1024 * 1024;

export async function createArchiveFile(folder: string, name: string): Promise<ArchiveWriter> {
  const path = join(folder, name);
  const aside = path + TEMPORARY;
  // What is left of one that could be written, and then not be removed.
  await unlink(aside).catch(() => null);
  const handle = await open(aside, WRITE_NEW, 0o600);
  const hash = createHash("sha256");
  let bytes = 0;
  let synced = 0;
  let isNamed = false;
  return {
    get bytes() {
      return bytes;
    },
    async append(rows) {
      const piece = Buffer.from(rows.map(lineOf).join(""));
      hash.update(piece);
      bytes += piece.length;
      await writeWhole(handle, piece);
      if (bytes - synced < SYNC_EVERY_BYTES) return;
      await handle.datasync();
      synced = bytes;
    },
    async finish() {
      await handle.sync();
      await handle.close();
      await rename(aside, path);
      isNamed = true;
      await syncFolder(folder);
      return hash.digest("hex");
    },
    async abandon() {
      await handle.close().catch(() => null);
      await unlink(isNamed ? path : aside).catch(() => null);
    },
  };
}

// ── reading ────────────────────────────────────────────────────────────

const PIECE_BYTES = 256 * 1024;
const NEWLINE = 10;

const NOT_PLAIN = "is not a plain file";
const WHY: Readonly<Record<string, string>> = {
  ENOENT: "is missing",
  ELOOP: "is a symbolic link; nerve keeps plain files",
  // A socket.
  ENXIO: NOT_PLAIN,
};

/** A plain file, opened, or why not. */
function openRead(path: string): number | string {
  try {
    const descriptor = openSync(path, READ_PLAIN);
    if (fstatSync(descriptor).isFile()) return descriptor;
    closeSync(descriptor);
    return NOT_PLAIN;
  } catch (error) {
    const { code = "", message } = error as NodeJS.ErrnoException;
    return WHY[code] ?? `cannot be opened: ${message}`;
  }
}

function misfitOf(size: number, { bytes }: ArchiveFile): string | null {
  if (size < bytes) return `is truncated: it holds ${size} of ${bytes} bytes`;
  return size === bytes ? null : `was tampered with: it holds ${size} bytes, not ${bytes}`;
}

/** Compares the bytes of an open file with what is known of it, piece by piece; returns what is wrong, or null. */
function* comparing(descriptor: number, known: ArchiveFile): Generator<void, string | null> {
  const misfit = misfitOf(fstatSync(descriptor).size, known);
  if (misfit !== null) return misfit;
  const hash = createHash("sha256");
  const piece = Buffer.allocUnsafe(PIECE_BYTES);
  for (let at = 0; at < known.bytes; ) {
    const read = readSync(descriptor, piece, 0, piece.length, at);
    if (read === 0) return "became shorter while it was read";
    hash.update(piece.subarray(0, read));
    at += read;
    yield;
  }
  return hash.digest("hex") === known.sha256
    ? null
    : "was tampered with: its SHA-256 is not the one it was written with";
}

/** What is wrong with a file, or null; pauses after each piece, for whoever has other things to do. */
export function* checking(folder: string, known: ArchiveFile): Generator<void, string | null> {
  const descriptor = openRead(join(folder, known.file));
  if (typeof descriptor === "string") return descriptor;
  try {
    return yield* comparing(descriptor, known);
  } catch (error) {
    return `cannot be read: ${(error as Error).message}`;
  } finally {
    closeSync(descriptor);
  }
}

/** What is wrong at a glance: absence, kind and size, not content. */
export function glance(folder: string, known: ArchiveFile): string | null {
  const stats = lstatSync(join(folder, known.file), { throwIfNoEntry: false });
  if (stats === undefined) return WHY.ENOENT as string;
  if (stats.isSymbolicLink()) return WHY.ELOOP as string;
  if (!stats.isFile()) return NOT_PLAIN;
  return misfitOf(stats.size, known);
}

interface Piece {
  /** Whole lines. Overwritten by the next piece. */
  readonly bytes: Buffer;
  /** Where it begins in the file. */
  readonly at: number;
}

function* piecesOf(descriptor: number, from: number): Generator<Piece> {
  let buffer = Buffer.allocUnsafe(PIECE_BYTES);
  for (let at = from, filled = 0; ; ) {
    const read = readSync(descriptor, buffer, filled, buffer.length - filled, at + filled);
    if (read === 0) return;
    filled += read;
    const end = buffer.lastIndexOf(NEWLINE, filled - 1) + 1;
    if (end > 0) {
      yield { bytes: buffer.subarray(0, end), at };
      at += end;
      filled = 0;
    } else if (filled === buffer.length) {
      const larger = Buffer.allocUnsafe(buffer.length * 2);
      buffer.copy(larger, 0, 0, filled);
      buffer = larger;
    }
  }
}

/** Every row of a piece at once: one array is parsed faster than its elements. Line ends lie between rows only. */
const rowsOf = (bytes: Buffer): Log[] =>
  JSON.parse(`[${bytes.toString("utf8", 0, bytes.length - 1).replaceAll("\n", ",")}]`) as Log[];

/** The rows of those lines that hold `needle`: unquoted, it can only stand where a column begins. */
function* rowsWith(bytes: Buffer, needle: string): Generator<Log> {
  const wanted = Buffer.from(needle);
  for (let found = bytes.indexOf(wanted); found >= 0; ) {
    const end = bytes.indexOf(NEWLINE, found);
    yield JSON.parse(bytes.toString("utf8", bytes.lastIndexOf(NEWLINE, found) + 1, end)) as Log;
    found = bytes.indexOf(wanted, end);
  }
}

export interface ArchiveReader {
  /** Rows with ids above `after` in order, of them only those whose line holds `needle` if one is given. */
  rows(known: ArchiveFile, after: number, needle: string | null): Generator<Log>;
}

/** Reads files, each compared once with what is known of it. Throws {@link ArchiveDamaged}. */
export function archiveReader(folder: string): ArchiveReader {
  const trusted = new Map<string, string>();
  /** Where the last reading had come to: a list goes on there. By content, for a name may come again. */
  let place = { sha256: "", after: 0, at: 0 };

  function trust(descriptor: number, known: ArchiveFile): void {
    const { dev, ino, size, mtimeMs, ctimeMs } = fstatSync(descriptor);
    const print = [known.sha256, dev, ino, size, mtimeMs, ctimeMs].join();
    if (trusted.get(known.file) === print) return;
    const checked = comparing(descriptor, known);
    let step = checked.next();
    while (!step.done) step = checked.next();
    if (step.value !== null) throw damagedFile(folder, known, step.value);
    trusted.set(known.file, print);
  }

  return {
    *rows(known, after, needle) {
      const descriptor = openRead(join(folder, known.file));
      if (typeof descriptor === "string") throw damagedFile(folder, known, descriptor);
      try {
        trust(descriptor, known);
        const from = place.sha256 === known.sha256 && place.after <= after ? place.at : 0;
        for (const { bytes, at } of piecesOf(descriptor, from)) {
          if (needle !== null) {
            for (const row of rowsWith(bytes, needle)) if (row.id > after) yield row;
            continue;
          }
          const rows = rowsOf(bytes);
          const [first] = rows;
          if (first !== undefined) place = { sha256: known.sha256, after: first.id - 1, at };
          for (const row of rows) if (row.id > after) yield row;
        }
      } finally {
        closeSync(descriptor);
      }
    },
  };
}

/** The first and the last row of a file nothing is known of, null when it does not begin and end as one of ours. */
export function endsOf(path: string): { readonly first: string; readonly last: string } | null {
  const descriptor = openRead(path);
  if (typeof descriptor === "string") return null;
  try {
    let first: string | null = null;
    let last = "";
    for (const { bytes } of piecesOf(descriptor, 0)) {
      first ??= bytes.toString("utf8", 0, bytes.indexOf(NEWLINE) + 1);
      last = bytes.toString("utf8", bytes.lastIndexOf(NEWLINE, bytes.length - 2) + 1);
    }
    return first === null ? null : { first, last };
  } finally {
    closeSync(descriptor);
  }
}
