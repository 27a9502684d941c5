/**
 * Bytes stored once under their SHA-256, as `sha256/ab/cdef…`. A file appears under its name only whole and synced:
 * written aside, synced, renamed, folder synced.
 */
import { createHash, randomBytes } from "node:crypto";
import { type FileHandle, mkdir, open, readFile, rename, stat, unlink } from "node:fs/promises";
import { dirname, join } from "node:path";

export const DIGEST_PATTERN = /^[0-9a-f]{64}$/;

export interface ContentStore {
  /** Durable when it resolves. The digest is 64 lowercase hex digits. */
  put(bytes: Uint8Array): Promise<string>;
  /** The bytes, or null when nothing is stored under `digest`. Throws when they no longer have that digest. */
  get(digest: string): Promise<Uint8Array | null>;
}

const digestOf = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

async function syncing(path: string, flags: string, use: (handle: FileHandle) => Promise<unknown>): Promise<void> {
  const handle = await open(path, flags, 0o600);
  try {
    await use(handle);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

export function contentStore(root: string): ContentStore {
  const pathOf = (digest: string): string => join(root, "sha256", digest.slice(0, 2), digest.slice(2));
  return {
    async put(bytes) {
      const digest = digestOf(bytes);
      const path = pathOf(digest);
      if ((await stat(path).catch(() => null))?.size === bytes.length) return digest;
      const folder = dirname(path);
      await mkdir(folder, { recursive: true, mode: 0o700 });
      const aside = `${path}.${randomBytes(6).toString("hex")}.tmp`;
      try {
        await syncing(aside, "wx", (handle) => handle.writeFile(bytes));
        await rename(aside, path);
      } catch (error) {
        await unlink(aside).catch(() => null);
        throw error;
      }
      await syncing(folder, "r", async () => {});
      return digest;
    },
    async get(digest) {
      const bytes = await readFile(pathOf(digest)).catch((error: NodeJS.ErrnoException) => {
        if (error.code === "ENOENT") return null;
        throw error;
      });
      if (bytes !== null && digestOf(bytes) !== digest) throw new Error(`blob ${digest} is damaged on disk`);
      return bytes;
    },
  };
}
