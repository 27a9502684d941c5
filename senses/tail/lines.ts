/** The lines of an open file from an offset on: whole ones only, in bounded memory. */
import type { FileHandle } from "node:fs/promises";

export interface Place {
  /** Of the first byte that was not taken. */
  readonly offset: number;
  /** Within a line that was too long. */
  readonly skipping: boolean;
}

export interface Line {
  readonly text: string;
  /** True where the line was too long: this is its begin. */
  readonly cut: boolean;
}

/** A longer line is cut. */
export const LONGEST_LINE = 8_192;
const CHUNK = 256 * 1024;
const NEWLINE = 10;
const RETURN = 13;

export interface Reading {
  readonly from: Place;
  /** Bytes from here on are not looked at. */
  readonly end: number;
  /** True where nobody writes to the file any more: what follows the last line end is a line as well. */
  readonly isFinished: boolean;
  /** False leaves the line, and all behind it, where they are. */
  readonly take: (line: Line) => boolean;
  /** Asked between two chunks. */
  readonly goesOn: () => boolean;
}

/** Resolves to the place behind what was taken. */
export async function readLines(file: FileHandle, { from, end, isFinished, take, goesOn }: Reading): Promise<Place> {
  const buffer = Buffer.allocUnsafe(CHUNK);
  let { offset, skipping } = from;
  while (offset < end && goesOn()) {
    const { bytesRead } = await file.read(buffer, 0, Math.min(CHUNK, end - offset), offset);
    if (bytesRead === 0) break;
    const chunk = buffer.subarray(0, bytesRead);
    const isLast = offset + bytesRead >= end;
    let start = 0;
    for (let at = chunk.indexOf(NEWLINE); at >= 0; at = chunk.indexOf(NEWLINE, start)) {
      if (!skipping && !take(lineIn(chunk, start, at))) return { offset: offset + start, skipping };
      skipping = false;
      start = at + 1;
    }
    const rest = bytesRead - start;
    if (skipping) start = bytesRead;
    else if (rest > LONGEST_LINE || (rest > 0 && isLast && isFinished)) {
      if (!take(lineIn(chunk, start, bytesRead))) return { offset: offset + start, skipping };
      skipping = rest > LONGEST_LINE;
      start = bytesRead;
    }
    offset += start;
    // What is left is the begin of a line: with the next chunk, or once its end is written.
    if (isLast) break;
  }
  return { offset, skipping };
}

function lineIn(chunk: Buffer, start: number, end: number): Line {
  const cut = end - start > LONGEST_LINE;
  const to = cut ? start + LONGEST_LINE : end > start && chunk[end - 1] === RETURN ? end - 1 : end;
  return { text: chunk.toString("utf8", start, to), cut };
}
