/**
 * Whether a database file is as long as its own header says. SQLite reads what is missing of the last page as zeros, and
 * pages that only the write-ahead log has need not be in the file yet. Source: https://www.sqlite.org/fileformat2.html
 */
import type { Database } from "bun:sqlite";
import { readFileSync, statSync } from "node:fs";
import { once, transact } from "./once.ts";

const WAL_HEADER_BYTES = 32;
const FRAME_HEADER_BYTES = 24;
const SALTS = { header: 16, frame: 8, bytes: 8 } as const;
/** The page at this byte holds locks and is never written. */
const LOCK_BYTE = 0x40000000;

const PAGES = "SELECT page_count AS pages, page_size AS pageBytes FROM pragma_page_count, pragma_page_size";

/** What is missing, as a text that goes on after the file's name; null when nothing is. One look at the file's size. */
export function shortage(db: Database): string | null {
  // In one transaction: the write-ahead log is not begun anew meanwhile.
  return transact(db, "DEFERRED", () => {
    const { pages, pageBytes } = once(
      db,
      PAGES,
      (statement) => statement.get() as { pages: number; pageBytes: number },
    );
    const { size } = statSync(db.filename);
    const whole = Math.floor(size / pageBytes);
    if (whole >= pages) return null;
    const held = pagesInWal(`${db.filename}-wal`, pageBytes);
    const lockPage = LOCK_BYTE / pageBytes + 1;
    for (let page = whole + 1; page <= pages; page++) {
      if (page === lockPage || held.has(page)) continue;
      return `is cut off: it holds ${size} of ${pages * pageBytes} bytes`;
    }
    return null;
  });
}

/** Pages in the frames of a write-ahead log that belong to its header. */
function pagesInWal(file: string, pageBytes: number): ReadonlySet<number> {
  const found = new Set<number>();
  if (statSync(file, { throwIfNoEntry: false }) === undefined) return found;
  const wal = readFileSync(file);
  const salts = wal.subarray(SALTS.header, SALTS.header + SALTS.bytes);
  const frameBytes = FRAME_HEADER_BYTES + pageBytes;
  for (let at = WAL_HEADER_BYTES; at + frameBytes <= wal.length; at += frameBytes) {
    if (!wal.subarray(at + SALTS.frame, at + SALTS.frame + SALTS.bytes).equals(salts)) break;
    found.add(wal.readUInt32BE(at));
  }
  return found;
}
