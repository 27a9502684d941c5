/**
 * Writes a file of the archive: one row of `logs` a line as JSON with the columns as keys, each as it lies in the table
 * (`data` is text). A file appears under its name only whole and synced, and is never rewritten.
 */
import { createHash } from "node:crypto";
import { constants } from "node:fs";
import { type FileHandle, open, rename, unlink } from "node:fs/promises";
import { join } from "node:path";
import type { Log } from "../model/log.ts";
import { TEMPORARY } from "./archive-names.ts";

const { O_RDONLY, O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW } = constants;
const WRITE_NEW = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW;

export interface ArchiveWriter {
  readonly bytes: number;
  append(rows: readonly Log[]): Promise<void>;
  /** Durable under its name when it resolves; its SHA-256. */
  finish(): Promise<string>;
  /** Nothing of it stays. */
  abandon(): Promise<void>;
}

export const syncFolder = async (folder: string): Promise<void> => {
  const handle = await open(folder, O_RDONLY);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
};

export const lineOf = (row: Log): string => `${JSON.stringify(row)}\n`;

async function writeWhole(handle: FileHandle, bytes: Buffer): Promise<void> {
  for (let at = 0; at < bytes.length; ) at += (await handle.write(bytes, at, bytes.length - at)).bytesWritten;
}

/** A sync of much at once would hold up every other one on the disk, those of commits too. */
const SYNC_EVERY_BYTES = 1024 * 1024;

export async function createArchiveFile(folder: string, name: string): Promise<ArchiveWriter> {
  const path = join(folder, name);
  const aside = path + TEMPORARY;
  // What is left of one that could be written, and then not be removed.
  await unlink(aside).catch(() => null);
  const handle = await open(aside, WRITE_NEW, 0o600);
  const hash = createHash("sha256");
  let bytes = 0;
  let synced = 0;
  let isNamed = false;
  return {
    get bytes() {
      return bytes;
    },
    async append(rows) {
      const piece = Buffer.from(rows.map(lineOf).join(""));
      hash.update(piece);
      bytes += piece.length;
      await writeWhole(handle, piece);
      if (bytes - synced < SYNC_EVERY_BYTES) return;
      await handle.datasync();
      synced = bytes;
    },
    async finish() {
      await handle.sync();
      await handle.close();
      await rename(aside, path);
      isNamed = true;
      await syncFolder(folder);
      return hash.digest("hex");
    },
    async abandon() {
      await handle.close().catch(() => null);
      await unlink(isNamed ? path : aside).catch(() => null);
    },
  };
}
