/** Owns the question whether a descriptor is a terminal. The streams of the process answer it too, for half a megabyte. */
import { loadLibc } from "./libc.ts";

export function isTerminal(descriptor: number): boolean {
  const libc = loadLibc();
  return libc === null
    ? (require("node:tty") as typeof import("node:tty")).isatty(descriptor)
    : libc.isatty(descriptor) === 1;
}
