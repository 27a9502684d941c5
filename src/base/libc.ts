/** The few calls of the C library that Bun does not wrap, through bun:ffi; absent where ffi is (no JIT, unknown libc). */
import { dlopen, FFIType, ptr as pointerTo, read } from "bun:ffi";

const CANDIDATES = ["libc.so.6", "libc.musl-x86_64.so.1", "libc.musl-aarch64.so.1"];

const { i32, i64, u32, u64, ptr } = FFIType;

const SYMBOLS = {
  fcntl: { args: [i32, i32, i32], returns: i32 },
  close: { args: [i32], returns: i32 },
  pipe2: { args: [ptr, i32], returns: i32 },
  socket: { args: [i32, i32, i32], returns: i32 },
  clock_gettime: { args: [i32, ptr], returns: i32 },
  sendto: { args: [i32, ptr, u64, i32, ptr, u32], returns: i32 },
  signal: { args: [i32, u64], returns: u64 },
  posix_fadvise: { args: [i32, i64, i64, i32], returns: i32 },
  isatty: { args: [i32], returns: i32 },
  poll: { args: [ptr, u64, i32], returns: i32 },
  inotify_init1: { args: [i32], returns: i32 },
  inotify_add_watch: { args: [i32, ptr, u32], returns: i32 },
  inotify_rm_watch: { args: [i32, i32], returns: i32 },
  memfd_create: { args: [ptr, u32], returns: i32 },
  read: { args: [i32, ptr, u64], returns: i64 },
  __errno_location: { args: [], returns: ptr },
} as const;

export type Libc = ReturnType<typeof dlopen<typeof SYMBOLS>>["symbols"];

function load(): Libc | null {
  for (const name of CANDIDATES) {
    try {
      return dlopen(name, SYMBOLS).symbols;
    } catch {
      // Another libc, or no ffi at all: the next name, then null.
    }
  }
  return null;
}

let loaded: Libc | null | undefined;

/** The library, or null when this process cannot load it. The calls are made once for the process. */
export function loadLibc(): Libc | null {
  loaded ??= load();
  return loaded;
}

/** The number of the error that the last call in this thread ended with. */
export function errorNumber(libc: Libc): number {
  const place = libc.__errno_location();
  return place === null ? 0 : read.i32(place);
}

const CLOCK_MONOTONIC = 1;
const time = new BigInt64Array(2);

/** Nanoseconds of the system's monotonic clock, which all processes share. The clock of a process begins at its start instead. */
export function monotonicNs(libc: Libc): bigint {
  libc.clock_gettime(CLOCK_MONOTONIC, pointerTo(time));
  return (time[0] ?? 0n) * 1_000_000_000n + (time[1] ?? 0n);
}
