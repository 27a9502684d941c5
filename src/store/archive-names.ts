/** The names of archive files: `YYYY-MM-DD.jsonl`, `YYYY-MM-DD.2.jsonl` … in `data/archive`, and what each is known by. */
import { lstatSync } from "node:fs";
import { join } from "node:path";

/** A row of the table `archive`. */
export interface ArchiveFile {
  readonly file: string;
  /** YYYY-MM-DD in UTC. */
  readonly day: string;
  readonly first_id: number;
  readonly last_id: number;
  readonly rows: number;
  readonly bytes: number;
  /** 64 hex digits. */
  readonly sha256: string;
  /** Unix milliseconds: when it was written. */
  readonly at: number;
  /** The last log of the file before it, 0 for the first; null: not known. */
  readonly after_id: number | null;
}

const NAME = /^(\d{4}-\d\d-\d\d)(?:\.([2-9]|[1-9]\d+))?\.jsonl$/;
/** What a file is called until it is whole ends so. */
export const TEMPORARY = ".tmp";

const DAY_MS = 86_400_000;
const LAST_DAY_MS = Date.UTC(9999, 11, 31);

export const archiveFolder = (data: string): string => join(data, "archive");

/** The UTC day of a moment; what no calendar of four digits holds goes to its nearest end, no number to the first day. */
export const dayOf = (at: number): string =>
  new Date(Math.min(Math.max(Number.isNaN(at) ? 0 : at, 0), LAST_DAY_MS)).toISOString().slice(0, 10);

/** The first moment that is not in `day` any more. */
export const endOfDay = (day: string): number => Date.parse(`${day}T00:00:00Z`) + DAY_MS;

/** The day in the name of an archive file; null when it is not such a name. */
export const dayOfName = (name: unknown): string | null =>
  typeof name === "string" ? (NAME.exec(name)?.[1] ?? null) : null;
export const isArchiveName = (name: string): boolean => NAME.test(name);
export const isTemporaryName = (name: string): boolean =>
  name.endsWith(TEMPORARY) && isArchiveName(name.slice(0, -TEMPORARY.length));

/** A name of `day` that nothing has yet. */
export function freeName(folder: string, day: string, isTaken: (name: string) => boolean): string {
  for (let nth = 1; ; nth++) {
    const name = nth === 1 ? `${day}.jsonl` : `${day}.${nth}.jsonl`;
    if (!isTaken(name) && lstatSync(join(folder, name), { throwIfNoEntry: false }) === undefined) return name;
  }
}
