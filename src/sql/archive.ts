/**
 * Owns `archive.logs`: the logs of archive files in a table of a temporary database. The file of the database has no name as
 * soon as it is open, so that nothing is left of it, however the process ends.
 */
import { Database } from "bun:sqlite";
import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { formatSize } from "../base/size.ts";
import type { Log } from "../model/log.ts";
import { ArchiveTable } from "../store/archive.ts";
import { damagedByGap } from "../store/archive-damage.ts";
import { type ArchiveFile, archiveFolder, dayOf } from "../store/archive-names.ts";
import { archiveReader } from "../store/archive-reader.ts";
import { LOG_COLUMNS } from "../store/log-row.ts";

const DAY_MS = 86_400_000;
/** So much of the archive one query reads. */
export const MOST_BYTES = 1024 * 1024 * 1024;

/** Not /tmp, which is often memory. */
const FOLDERS = [process.env.TMPDIR ?? "", "/var/tmp", "/tmp"];

/** The files that a query reads, and what it leaves out although it was asked for, in words. */
export interface Chosen {
  readonly files: readonly ArchiveFile[];
  readonly cut: string | null;
}

/** The files of the last `days` days, the newest first until there are {@link MOST_BYTES}. In the order of their ids. */
export function choose(all: readonly ArchiveFile[], days: number, now: number, mostBytes: number): Chosen {
  const from = dayOf(now - (days - 1) * DAY_MS);
  const asked = all.filter(({ day }) => day >= from);
  const files: ArchiveFile[] = [];
  let bytes = 0;
  for (const file of asked.toReversed()) {
    bytes += file.bytes;
    if (bytes > mostBytes) break;
    files.unshift(file);
  }
  if (files.length === asked.length) return { files, cut: null };
  const [oldest] = files;
  const held = oldest === undefined ? "nothing" : `the logs from id ${oldest.first_id} (${oldest.day}) on`;
  const wanted = formatSize(asked.reduce((sum, file) => sum + file.bytes, 0));
  const cut = `\`archive.logs\` holds ${held}: a query reads at most ${formatSize(mostBytes)} of the archive, and what was asked for has ${wanted}`;
  return { files, cut };
}

const CREATE = `CREATE TABLE logs (
  id INTEGER PRIMARY KEY, at INTEGER NOT NULL, level TEXT NOT NULL, source TEXT NOT NULL, event TEXT NOT NULL,
  run INTEGER, trace TEXT, message TEXT NOT NULL, data TEXT
)`;

export class ArchivedLogs implements Disposable {
  readonly file: string;
  readonly #folder: string;
  readonly #db: Database;

  /** Throws where no temporary folder can be written. */
  constructor() {
    this.#folder = temporaryFolder();
    this.file = join(this.#folder, "archive.db");
    this.#db = new Database(this.file, { readwrite: true, create: true, strict: true });
    // OFF is refused by a defensive SQLite, silently.
    this.#db.run("PRAGMA journal_mode = MEMORY");
    this.#db.run("PRAGMA synchronous = OFF");
    this.#db.run(CREATE);
  }

  /**
   * Takes in what `chosen` holds up to log `upTo`, once others have the file open. Throws ArchiveDamaged, and what SQLite says
   * where there is no room.
   */
  fill(folder: string, chosen: readonly ArchiveFile[], upTo: number): void {
    const insert = this.#db.prepare<void, Value[]>(`INSERT INTO logs (${LOG_COLUMNS}) VALUES (?,?,?,?,?,?,?,?,?)`);
    const reader = archiveReader(folder);
    this.#db.transaction(() => {
      // SQLite begins no transaction on a file without a name, and goes on with one.
      this.#db.run("PRAGMA user_version = 1");
      this.#removeName();
      for (const file of chosen) {
        for (const log of reader.rows(file, 0, null)) if (log.id <= upTo) insert.run(...valuesOf(log));
      }
    })();
    insert.finalize();
  }

  #removeName(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }

  [Symbol.dispose](): void {
    this.#removeName();
    this.#db.close(true);
  }
}

type Value = string | number | null;

const valuesOf = ({ id, at, level, source, event, run, trace, message, data }: Log): Value[] => [
  id,
  at,
  level,
  source,
  event,
  run,
  trace,
  message,
  data,
];

function temporaryFolder(): string {
  let refused: unknown = null;
  for (const folder of FOLDERS) {
    if (folder === "") continue;
    try {
      return mkdtempSync(join(folder, "nerve-sql-"));
    } catch (error) {
      refused = error;
    }
  }
  throw refused;
}

/** The files that a query over `days` days reads. Throws ArchiveDamaged where one of them cannot be known. */
export function chosenFrom(store: Database, data: string, days: number, now: number): Chosen {
  return store.transaction(() => {
    const archive = new ArchiveTable(store);
    const chosen = choose(archive.all(), days, now, MOST_BYTES);
    const [first] = chosen.files;
    const from = first?.first_id ?? (archive.all().at(-1)?.last_id ?? 0) + 1;
    const gap = archive.gaps().find(({ upTo }) => upTo >= from);
    if (gap !== undefined) throw damagedByGap(archiveFolder(data), gap);
    return chosen;
  })();
}
