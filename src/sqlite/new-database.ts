/**
 * Owns how the file of a database begins: one page without a table, in the mode of WAL. SQLite itself would write the same page
 * in two transactions with a journal, and sync four times.
 */
import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeSync } from "node:fs";

const PAGE_BYTES = 4096;

/** Source: https://www.sqlite.org/fileformat.html, "The Database Header" and "B-tree Pages". */
const HEADER = [
  { at: 0, bytes: Buffer.from("SQLite format 3\0") },
  { at: 16, bytes: [PAGE_BYTES >> 8, PAGE_BYTES & 0xff] },
  // Written and read with a WAL, no bytes kept free in a page, three fractions that are always the same.
  { at: 18, bytes: [2, 2, 0, 64, 32, 32] },
  // The counter of changes, and how many pages there are.
  { at: 24, bytes: [0, 0, 0, 1, 0, 0, 0, 1] },
  // The number of that change again, and the version of SQLite: 3.7.0, the first with a WAL.
  { at: 92, bytes: [0, 0, 0, 1, 0, 0x2d, 0xe2, 0x18] },
  // The table of the schema: a leaf without a cell, whose content begins at the end of the page.
  { at: 100, bytes: [13, 0, 0, 0, 0, PAGE_BYTES >> 8, PAGE_BYTES & 0xff, 0] },
];

function firstPage(): Buffer {
  const page = Buffer.alloc(PAGE_BYTES);
  for (const { at, bytes } of HEADER) page.set(bytes, at);
  return page;
}

/**
 * Makes the file, for its owner alone. It is whole or absent, also after a power loss: its name comes last. What is left of the WAL
 * of a file that is gone goes before.
 */
export function makeDatabase(file: string): void {
  for (const ending of ["-wal", "-shm"]) rmSync(`${file}${ending}`, { force: true });
  const beside = `${file}-new`;
  rmSync(beside, { force: true });
  const descriptor = openSync(beside, "wx", 0o600);
  try {
    writeSync(descriptor, firstPage());
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
  renameSync(beside, file);
}
