/**
 * The operating system's own watch over folders (inotify), without a wait: whoever asks learns what was seen since the last
 * time. A folder is watched, and not what lies in its folders. What is written by other hosts, through `mmap`, or by the kernel
 * of the operating system (`/proc`) is not seen.
 */
import { errorNumber, type Libc, loadLibc } from "./libc.ts";

const MODIFY = 0x2;
const ATTRIB = 0x4;
const MOVED_FROM = 0x40;
const MOVED_TO = 0x80;
const CREATE = 0x100;
const DELETE = 0x200;
const DELETE_SELF = 0x400;
const MOVE_SELF = 0x800;
const UNMOUNT = 0x2000;
const OVERFLOW = 0x4000;
const IGNORED = 0x8000;
const ONLYDIR = 0x0100_0000;

const SEEN = MODIFY | ATTRIB | MOVED_FROM | MOVED_TO | CREATE | DELETE | DELETE_SELF | MOVE_SELF | ONLYDIR;
/** A name in the folder has begun or ended to mean a file. */
const NAMES = MOVED_FROM | MOVED_TO | CREATE | DELETE;
/** The folder itself is no longer watched, or no longer at its path. */
const ENDS = DELETE_SELF | MOVE_SELF | UNMOUNT | IGNORED;

const NONBLOCK = 0o4000;
const CLOEXEC = 0o2000000;

const BUFFER_BYTES = 64 * 1024;
/** Reads of one look: a folder in which somebody writes without end costs no more. */
const MOST_READS = 2;
/** `wd`, `mask`, `cookie` and `len`, each of four bytes. */
const HEAD_BYTES = 16;

const ERRORS: Readonly<Record<number, string>> = {
  2: "it is not there",
  13: "nerve may not read it",
  20: "it is no folder",
  24: "the user's inotify instances are used up (fs.inotify.max_user_instances)",
  28: "the user's inotify watches are used up (fs.inotify.max_user_watches)",
};

export interface Sighting {
  /** What `add` answered. */
  readonly watch: number;
  /** Of a file in the folder; empty: the folder itself. */
  readonly name: string;
  /** A file has come or gone, or now has another name. */
  readonly isName: boolean;
  /** The watch is over, or the folder is no longer where it was. */
  readonly isEnd: boolean;
}

export interface Look {
  readonly sightings: readonly Sighting[];
  /** More happened than the operating system kept. */
  readonly isIncomplete: boolean;
}

export type Added =
  | { readonly kind: "watched"; readonly watch: number }
  | { readonly kind: "refused"; readonly why: string };
export type Opened =
  | { readonly kind: "open"; readonly inotify: Inotify }
  | { readonly kind: "refused"; readonly why: string };

const NOTHING: Look = { sightings: [], isIncomplete: false };

export class Inotify {
  readonly #libc: Libc;
  readonly #descriptor: number;
  readonly #buffer = Buffer.alloc(BUFFER_BYTES);

  static open(): Opened {
    const libc = loadLibc();
    if (libc === null) return { kind: "refused", why: "the C library cannot be loaded" };
    const descriptor = libc.inotify_init1(NONBLOCK | CLOEXEC);
    if (descriptor < 0) return { kind: "refused", why: lastError(libc) };
    return { kind: "open", inotify: new Inotify(libc, descriptor) };
  }

  private constructor(libc: Libc, descriptor: number) {
    this.#libc = libc;
    this.#descriptor = descriptor;
  }

  /** Watches the folder at `path`. The same folder by another path has the same watch. */
  add(path: string): Added {
    const watch = this.#libc.inotify_add_watch(this.#descriptor, Buffer.from(`${path}\0`), SEEN);
    return watch < 0 ? { kind: "refused", why: lastError(this.#libc) } : { kind: "watched", watch };
  }

  remove(watch: number): void {
    this.#libc.inotify_rm_watch(this.#descriptor, watch);
  }

  /** What was seen since the last look, up to a bound: the rest is seen by the next look. */
  look(): Look {
    const sightings: Sighting[] = [];
    let isIncomplete = false;
    for (let reads = 0; reads < MOST_READS; reads++) {
      const length = Number(this.#libc.read(this.#descriptor, this.#buffer, BUFFER_BYTES));
      if (length <= 0) break;
      isIncomplete = readEvents(this.#buffer.subarray(0, length), sightings) || isIncomplete;
    }
    return sightings.length === 0 && !isIncomplete ? NOTHING : { sightings, isIncomplete };
  }

  close(): void {
    this.#libc.close(this.#descriptor);
  }
}

/** Adds what `bytes` holds to `sightings`. True where something is missing. */
function readEvents(bytes: Buffer, sightings: Sighting[]): boolean {
  let isIncomplete = false;
  for (let at = 0; at + HEAD_BYTES <= bytes.length; ) {
    const watch = bytes.readInt32LE(at);
    const mask = bytes.readUInt32LE(at + 4);
    const nameEnd = at + HEAD_BYTES + bytes.readUInt32LE(at + 12);
    const name = bytes.subarray(at + HEAD_BYTES, nameEnd);
    const zero = name.indexOf(0);
    at = nameEnd;
    if ((mask & OVERFLOW) !== 0) isIncomplete = true;
    else {
      const text = name.toString("utf8", 0, zero < 0 ? name.length : zero);
      sightings.push({ watch, name: text, isName: (mask & NAMES) !== 0, isEnd: (mask & ENDS) !== 0 });
    }
  }
  return isIncomplete;
}

function lastError(libc: Libc): string {
  const code = errorNumber(libc);
  return ERRORS[code] ?? `error ${code}`;
}
