/** The file system, as far as the kernel uses it beside SQLite: injected, so that a test can have a disk of its own. */
import {
  constants,
  type Dirent,
  lstatSync,
  lutimesSync,
  readdirSync,
  renameSync,
  type Stats,
  statfsSync,
  unlinkSync,
} from "node:fs";
import { open, rename, unlink } from "node:fs/promises";
import { loadLibc } from "./libc.ts";

const { O_RDONLY, O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW } = constants;
/** Advice of posix_fadvise(2). Only pages that are on disk are given up. */
const DONT_NEED = 4;
const WRITE_NEW = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW;

/** A file that is being written. */
export interface NewFile {
  /** Bytes of `bytes` from `at` on that were written. */
  write(bytes: Uint8Array, at: number): Promise<number>;
  /** What was written is durable. */
  sync(): Promise<void>;
  /** The same, without the times of the file. */
  syncData(): Promise<void>;
  /** As `syncData`. What was written, and is not soon read, takes no memory of this host any longer. */
  letGo(): Promise<void>;
  close(): Promise<void>;
}

export interface Room {
  readonly totalBytes: number;
  readonly freeBytes: number;
}

export interface Files {
  /** Null where nothing is. A link is not followed. */
  stats(path: string): Stats | null;
  list(folder: string): Dirent[];
  rename(from: string, to: string): void;
  remove(path: string): void;
  /** Sets both times of a file, in Unix milliseconds. */
  touch(path: string, at: number): void;
  /** Null when the file system does not answer. */
  room(folder: string): Room | null;
  /** As `remove` and `rename`, beside other work. */
  removeAside(path: string): Promise<void>;
  renameAside(from: string, to: string): Promise<void>;
  /** A new file, readable by its owner alone. Fails where there is one. */
  create(path: string): Promise<NewFile>;
  /** The names in `folder` are durable. */
  syncFolder(folder: string): Promise<void>;
}

async function create(path: string): Promise<NewFile> {
  const handle = await open(path, WRITE_NEW, 0o600);
  return {
    write: async (bytes, at) => (await handle.write(bytes, at, bytes.length - at)).bytesWritten,
    sync: () => handle.sync(),
    syncData: () => handle.datasync(),
    async letGo() {
      await handle.datasync();
      loadLibc()?.posix_fadvise(handle.fd, 0, 0, DONT_NEED);
    },
    close: () => handle.close(),
  };
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, O_RDONLY);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** What is set aside for root is free to root. */
function room(folder: string): Room | null {
  try {
    const { blocks, bsize, bfree, bavail } = statfsSync(folder);
    return { totalBytes: blocks * bsize, freeBytes: (process.getuid?.() === 0 ? bfree : bavail) * bsize };
  } catch {
    return null;
  }
}

export const SYSTEM_FILES: Files = {
  stats: (path) => lstatSync(path, { throwIfNoEntry: false }) ?? null,
  list: (folder) => readdirSync(folder, { withFileTypes: true }),
  rename: renameSync,
  remove: unlinkSync,
  touch: (path, at) => lutimesSync(path, at / 1000, at / 1000),
  room,
  removeAside: unlink,
  renameAside: rename,
  create,
  syncFolder,
};
