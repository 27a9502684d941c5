/**
 * Writes a file of the archive: one row of `logs` a line as JSON with the columns as keys, each as it lies in the table
 * (`data` is text). A file appears under its name only whole and synced, and is never rewritten.
 */

import { join } from "node:path";
import { Sha256 } from "../base/digest.ts";
import type { Files, NewFile } from "../base/files.ts";
import type { Log } from "../model/log.ts";
import { TEMPORARY } from "./archive-names.ts";

export interface ArchiveWriter {
  readonly bytes: number;
  append(rows: readonly Log[]): Promise<void>;
  /** Durable under its name when it resolves; its SHA-256. */
  finish(): Promise<string>;
  /** Nothing of it stays. */
  abandon(): Promise<void>;
}

export const lineOf = (row: Log): string => `${JSON.stringify(row)}\n`;

async function writeWhole(file: NewFile, bytes: Buffer): Promise<void> {
  for (let at = 0; at < bytes.length; ) at += await file.write(bytes, at);
}

/** A sync of much at once would hold up every other one on the disk, those of commits too. */
const SYNC_EVERY_BYTES = 1024 * 1024;

export async function createArchiveFile(files: Files, folder: string, name: string): Promise<ArchiveWriter> {
  const path = join(folder, name);
  const aside = path + TEMPORARY;
  // What is left of one that could be written, and then not be removed.
  await files.removeAside(aside).catch(() => null);
  const file = await files.create(aside);
  const hash = new Sha256();
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
      await writeWhole(file, piece);
      if (bytes - synced < SYNC_EVERY_BYTES) return;
      await file.syncData();
      synced = bytes;
    },
    async finish() {
      await file.sync();
      await file.close();
      await files.renameAside(aside, path);
      isNamed = true;
      await files.syncFolder(folder);
      return hash.hex();
    },
    async abandon() {
      await file.close().catch(() => null);
      await files.removeAside(isNamed ? path : aside).catch(() => null);
    },
  };
}
