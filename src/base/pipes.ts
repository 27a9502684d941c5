/**
 * Owns pipes between this process and a child. The runtime gives a child a socket where one asks for a pipe, and a socket cannot be
 * opened again by `/dev/stdout`. Source: pipe(2).
 */
import { ptr } from "bun:ffi";
import { closeSync, constants, write } from "node:fs";
import { loadLibc } from "./libc.ts";

/** Two descriptors, closed in a child that is not given them. */
export interface Pipe {
  readonly readEnd: number;
  readonly writeEnd: number;
}

const O_CLOEXEC = 0o2000000;
const F_SETFL = 4;
/** A reader that takes nothing just now is asked again after so long. */
const TRY_AGAIN_MS = 10;

/** Null where the C library cannot be called, or no descriptor is left. Reading it takes no thread that waits. */
export function openPipe(): Pipe | null {
  const ends = new Int32Array(2);
  const libc = loadLibc();
  if (libc?.pipe2(ptr(ends), O_CLOEXEC) !== 0) return null;
  const [readEnd = -1, writeEnd = -1] = ends;
  libc.fcntl(readEnd, F_SETFL, constants.O_NONBLOCK);
  return { readEnd, writeEnd };
}

/** What comes in by the read end, until its end or until the reader stops. Closes the read end. */
export async function* pieces(readEnd: number): AsyncGenerator<Uint8Array> {
  const reader = Bun.file(readEnd).stream().getReader();
  try {
    for (let piece = await reader.read(); !piece.done; piece = await reader.read()) yield piece.value;
  } finally {
    await reader.cancel();
    // The runtime leaves it open.
    closeSync(readEnd);
  }
}

/** Whether the descriptor took all of it. False: nobody reads any more. */
export async function writeAll(descriptor: number, bytes: Uint8Array): Promise<boolean> {
  let at = 0;
  while (at < bytes.length) {
    const outcome = await new Promise<number | string>((resolve) =>
      write(descriptor, bytes, at, bytes.length - at, null, (error, count) => resolve(error?.code ?? count)),
    );
    if (typeof outcome === "number") at += outcome;
    else if (outcome === "EAGAIN") await new Promise((resolve) => setTimeout(resolve, TRY_AGAIN_MS));
    else return false;
  }
  return true;
}
