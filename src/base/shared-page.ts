/**
 * Owns memory that two processes share: one makes it and hands its descriptor down, the other maps it. It has no name in any
 * file system, and its size is sealed, so that nobody can take the memory away from under a reader. Source: memfd_create(2).
 */
import { ptr } from "bun:ffi";
import { closeSync, ftruncateSync, readlinkSync } from "node:fs";
import { type Libc, loadLibc } from "./libc.ts";

const PAGE_BYTES = 4_096;
const MFD_CLOEXEC = 1;
const MFD_ALLOW_SEALING = 2;
/** Asked for where a host allows no other memory. Linux before 6.3 does not know the flag. */
const MFD_NOEXEC_SEAL = 8;
const F_ADD_SEALS = 1_033;
const SEAL_SHRINK_GROW_SEAL = 1 | 2 | 4;

export interface SharedPage {
  readonly bytes: Uint8Array;
  /** To be handed down, and closed then. */
  readonly descriptor: number;
}

const link = (descriptor: number): string => `/proc/self/fd/${descriptor}`;

const NAME = "nerve";

function createMemory(libc: Libc): number {
  const name = Buffer.from(`${NAME}\0`);
  const flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
  const descriptor = libc.memfd_create(ptr(name), flags | MFD_NOEXEC_SEAL);
  return descriptor < 0 ? libc.memfd_create(ptr(name), flags) : descriptor;
}

/** At least `bytes` of memory, all zero. Null where this host gives none. */
export function makeSharedPage(bytes: number): SharedPage | null {
  const libc = loadLibc();
  const descriptor = libc === null ? -1 : createMemory(libc);
  if (libc === null || descriptor < 0) return null;
  try {
    ftruncateSync(descriptor, Math.ceil(bytes / PAGE_BYTES) * PAGE_BYTES);
    if (libc.fcntl(descriptor, F_ADD_SEALS, SEAL_SHRINK_GROW_SEAL) === 0) {
      return { bytes: Bun.mmap(link(descriptor), { shared: true }), descriptor };
    }
  } catch {
    // No memory to be had, or no /proc: both processes do without.
  }
  closeSync(descriptor);
  return null;
}

/** Maps the memory that was handed down as `descriptor`, and closes the descriptor. Null where it is something else. */
export function openSharedPage(descriptor: number): Uint8Array | null {
  try {
    if (!readlinkSync(link(descriptor)).startsWith(`/memfd:${NAME}`)) return null;
    const bytes = Bun.mmap(link(descriptor), { shared: true });
    closeSync(descriptor);
    return bytes;
  } catch {
    return null;
  }
}
