/** Reads and checks files of the archive: what a file holds is believed once its bytes are those that were written. */

import { closeSync, constants, fstatSync, lstatSync, openSync, readdirSync, readSync } from "node:fs";
import { join } from "node:path";
import { Sha256 } from "../base/digest.ts";
import type { Log } from "../model/log.ts";
import { ArchiveDamaged, damagedFile } from "./archive-damage.ts";
import type { ArchiveFile } from "./archive-names.ts";

const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = constants;
/** A link in the archive could lead anywhere, and a named pipe would be waited for. */
const READ_PLAIN = O_RDONLY | O_NOFOLLOW | O_NONBLOCK;

/** What lies in the folder; nothing where there is none. Throws {@link ArchiveDamaged} when it cannot be read. */
export function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder).sort();
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === "ENOENT") return [];
    if (code === "ENOTDIR") throw new ArchiveDamaged(folder, "is not a folder", "put the folder back", null);
    throw new ArchiveDamaged(folder, `cannot be read: ${message}`, "nerve must be able to read its own folder", null);
  }
}

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
  const hash = new Sha256();
  const piece = Buffer.allocUnsafe(PIECE_BYTES);
  for (let at = 0; at < known.bytes; ) {
    const read = readSync(descriptor, piece, 0, piece.length, at);
    if (read === 0) return "became shorter while it was read";
    hash.update(piece.subarray(0, read));
    at += read;
    yield;
  }
  return hash.hex() === known.sha256 ? null : "was tampered with: its SHA-256 is not the one it was written with";
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
        let last = after;
        const from = place.sha256 === known.sha256 && place.after <= after ? place.at : 0;
        for (const { bytes, at } of piecesOf(descriptor, from)) {
          if (needle !== null) {
            for (const row of rowsWith(bytes, needle)) if (row.id > after) yield row;
            continue;
          }
          const rows = rowsOf(bytes);
          const [first] = rows;
          if (first !== undefined) place = { sha256: known.sha256, after: first.id - 1, at };
          for (const row of rows) {
            last = row.id;
            if (row.id > after) yield row;
          }
        }
        if (needle === null && last !== known.last_id) {
          throw damagedFile(folder, known, `ends with log ${last}, and not with log ${known.last_id}`);
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

/** The id of the row a line holds, whoever wrote it; null when it holds none. */
export function idIn(line: string): number | null {
  try {
    const id: unknown = (JSON.parse(line) as Partial<Log> | null)?.id;
    return Number.isSafeInteger(id) ? (id as number) : null;
  } catch {
    return null;
  }
}

/** Lines of a file nothing is known of; none when it cannot be read. */
export function* linesOf(path: string): Generator<string> {
  const descriptor = openRead(path);
  if (typeof descriptor === "string") return;
  try {
    for (const { bytes } of piecesOf(descriptor, 0)) yield* bytes.toString("utf8").split("\n");
  } finally {
    closeSync(descriptor);
  }
}
