/**
 * Bytes stored once under their SHA-256, as `sha256/ab/cdef…`. A file appears under its name only whole and synced:
 * written aside, synced, renamed, folder synced.
 */

import { constants } from "node:fs";
import { type FileHandle, lstat, lutimes, mkdir, open, rename, unlink } from "node:fs/promises";
import { dirname, join } from "node:path";
import { randomBytes } from "./chance.ts";
import { sha256 } from "./digest.ts";

export const DIGEST_PATTERN = /^[0-9a-f]{64}$/;

export interface ContentStore {
  /** Durable when it resolves. The digest is 64 lowercase hex digits. */
  put(bytes: Uint8Array): Promise<string>;
  /** The bytes, or null when nothing is stored under `digest`. Throws when they no longer have that digest. */
  get(digest: string): Promise<Uint8Array | null>;
}

/** A link in the store could lead anywhere. */
const READ = constants.O_RDONLY | constants.O_NOFOLLOW;
const CHUNK_BYTES = 1024 * 1024;

async function using<T>(path: string, flags: string | number, use: (handle: FileHandle) => Promise<T>): Promise<T> {
  const handle = await open(path, flags, 0o600);
  try {
    return await use(handle);
  } finally {
    await handle.close();
  }
}

const sync = (path: string): Promise<void> => using(path, "r", (handle) => handle.sync());

/** Whether the file at `path` holds exactly `bytes`, read piece by piece. */
async function holds(path: string, bytes: Uint8Array): Promise<boolean> {
  try {
    return await using(path, READ, async (handle) => {
      if ((await handle.stat()).size !== bytes.length) return false;
      const chunk = Buffer.allocUnsafe(Math.min(CHUNK_BYTES, bytes.length));
      for (let at = 0; at < bytes.length; ) {
        const { bytesRead } = await handle.read(chunk, 0, chunk.length, at);
        if (bytesRead === 0 || chunk.compare(bytes, at, at + bytesRead, 0, bytesRead) !== 0) return false;
        at += bytesRead;
      }
      return true;
    });
  } catch {
    // None there, a link, or unreadable: it is written anew, which says what is wrong.
    return false;
  }
}

/**
 * Makes a file that is put once more as young as a new one: what nothing refers to is removed by its age. Its path is looked
 * at after that: the time may have been given to a file that was found there and removed before it got it. False when it
 * cannot be made young: then it is written anew.
 */
async function makeYoung(path: string): Promise<boolean> {
  const now = Date.now() / 1000;
  try {
    await lutimes(path, now, now);
    await lstat(path);
    return true;
  } catch {
    return false;
  }
}

/** Makes `folder` and what is missing above it, durably. */
async function makeFolder(folder: string): Promise<void> {
  const first = await mkdir(folder, { recursive: true, mode: 0o700 });
  if (first === undefined) return;
  for (let made = folder; made.length >= first.length; made = dirname(made)) await sync(dirname(made));
}

/** `maxBytes`: nothing larger was ever stored, so a file that is larger is not read. */
export function contentStore(root: string, maxBytes: number): ContentStore {
  const pathOf = (digest: string): string => join(root, "sha256", digest.slice(0, 2), digest.slice(2));
  return {
    async put(bytes) {
      const digest = sha256(bytes);
      const path = pathOf(digest);
      const folder = dirname(path);
      if (!(await holds(path, bytes)) || !(await makeYoung(path))) {
        await makeFolder(folder);
        const aside = `${path}.${randomBytes(6).toString("hex")}.tmp`;
        try {
          await using(aside, "wx", async (handle) => {
            await handle.writeFile(bytes);
            await handle.sync();
          });
          await rename(aside, path);
        } catch (error) {
          await unlink(aside).catch(() => null);
          throw error;
        }
      }
      // Also of a file that was there: whoever renamed it may have died before this.
      await sync(folder);
      return digest;
    },
    async get(digest) {
      let bytes: Uint8Array | null;
      try {
        bytes = await using(pathOf(digest), READ, async (handle) =>
          (await handle.stat()).size > maxBytes ? null : handle.readFile(),
        );
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
        throw error;
      }
      if (bytes === null || sha256(bytes) !== digest) throw new Error(`blob ${digest} is damaged on disk`);
      return bytes;
    },
  };
}
