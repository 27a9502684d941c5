/** Whether a file is the one that it was: by what is behind us in it, and not by its name. */
import type { FileHandle } from "node:fs/promises";

/** So many bytes from the begin, and before the offset, are compared. */
const COMPARED = 1_024;

export interface Marks {
  readonly head: string;
  readonly last: string;
}

/** The marks of a file that was read up to `offset`. */
export async function marksOf(file: FileHandle, offset: number): Promise<Marks> {
  const length = Math.min(COMPARED, offset);
  return { head: await hashAt(file, 0, length), last: await hashAt(file, offset - length, length) };
}

/** Of the first bytes of a file that is distinct: most files differ here. */
export const headOf = (file: FileHandle): Promise<string> => hashAt(file, 0, COMPARED);

export const areEqual = (a: Marks | null, b: Marks | null): boolean =>
  a !== null && b !== null && a.head === b.head && a.last === b.last;

/** A file that was read for less looks like many others: a copy of it is not told from another file. */
export const isDistinct = (offset: number): boolean => offset >= COMPARED;

async function hashAt(file: FileHandle, at: number, length: number): Promise<string> {
  const bytes = Buffer.alloc(length);
  let read = 0;
  while (read < length) {
    const { bytesRead } = await file.read(bytes, read, length - read, at + read);
    if (bytesRead === 0) break;
    read += bytesRead;
  }
  return Bun.hash(bytes.subarray(0, read)).toString(16);
}
