/**
 * Rows of `logs` whose id was changed to one below the watermark: no list has them, because the archive has other logs under
 * these ids. nerve deletes what it has archived from the oldest row on, so that behind the first row which the archive has
 * too only such rows follow.
 */
import { join } from "node:path";
import type { Log } from "../model/log.ts";
import type { ArchiveTable } from "./archive.ts";
import { ArchiveDamaged } from "./archive-damage.ts";
import type { ArchiveFile } from "./archive-names.ts";
import { archiveReader } from "./archive-reader.ts";
import { RESTORE, StoreDamaged } from "./damage.ts";

/** Rows that are looked at, and named, at most. */
const MOST = 20;

/** `file`: logs.db; `folder`: the archive. */
export function misplacedLogs(archive: ArchiveTable, file: string, folder: string): StoreDamaged[] {
  const found: StoreDamaged[] = [];
  try {
    for (const row of archive.rowsBelow(MOST)) {
      const holder = archive.all().find(({ first_id, last_id }) => first_id <= row.id && row.id <= last_id);
      if (holder === undefined) continue;
      if (isIn(holder, row, folder)) break;
      found.push(misplaced(file, row, join(folder, holder.file)));
    }
  } catch (error) {
    // Whoever reads the archive names what is wrong with it.
    if (!(error instanceof ArchiveDamaged)) throw error;
  }
  return found;
}

function isIn(holder: ArchiveFile, row: Log, folder: string): boolean {
  for (const archived of archiveReader(folder).rows(holder, row.id - 1, `{"id":${row.id},`)) {
    return Bun.deepEquals(archived, { ...row });
  }
  return false;
}

const SHOWN_CHARS = 40;

const misplaced = (file: string, { id, message }: Log, holder: string): StoreDamaged =>
  new StoreDamaged(
    file,
    `table logs, row ${id}: ${holder} holds another log ${id}, so that no list has this one (${JSON.stringify(String(message).slice(0, SHOWN_CHARS))})`,
    `give the row an id that is free and above the archive's, or ${RESTORE}`,
  );
