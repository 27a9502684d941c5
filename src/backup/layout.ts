/** Owns the parts of a backup: the same folders and names as a data directory, with a manifest beside them. */
import { type Dirent, readdirSync } from "node:fs";
import { join } from "node:path";
import { fileKind } from "../base/file-kind.ts";
import { isName } from "../model/name.ts";
import { isArchiveName } from "../store/archive-names.ts";

export const STORE = "logs.db";
export const SENSES = "senses";
export const ARCHIVE = "archive";
export const BLOBS = "blobs";

const BLOB = /^blobs\/sha256\/[0-9a-f]{2}\/[0-9a-f]{62}$/;
const DATABASE = /^senses\/(.+)\.db$/;
const SENSE_FILE = /^(.+)\.db$/;

/** The SHA-256 in the name of a blob. Null where `path` is no blob. */
export const digestOfBlob = (path: string): string | null =>
  BLOB.test(path) ? path.slice("blobs/sha256/".length).replace("/", "") : null;

/** The name of the sense whose database is at `path`, or null. */
export function senseOf(path: string): string | null {
  const name = DATABASE.exec(path)?.[1] ?? "";
  return isName(name) ? name : null;
}

export const isDatabase = (path: string): boolean => path === STORE || senseOf(path) !== null;

/** True when a file of a backup can have this name. No other file is read, or written at a restore. */
export const isPathOfBackup = (path: string): boolean =>
  isDatabase(path) ||
  digestOfBlob(path) !== null ||
  (path.startsWith(`${ARCHIVE}/`) && isArchiveName(path.slice(ARCHIVE.length + 1)));

/** Empty where there is no such folder. */
export function entriesOf(folder: string): Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
}

/** The names of the senses with a database in `data`, in order. */
export const sensesIn = (data: string): string[] =>
  entriesOf(join(data, SENSES))
    .flatMap(({ name }) => SENSE_FILE.exec(name)?.[1] ?? [])
    .filter(isName)
    .sort();

/** Every path below `root` in order, without folders. */
export function walk(root: string, below = ""): string[] {
  return entriesOf(join(root, below))
    .flatMap((entry) => {
      const path = below === "" ? entry.name : `${below}/${entry.name}`;
      return entry.isDirectory() ? walk(root, path) : [path];
    })
    .sort();
}

export const isPlainFile = (path: string): boolean => fileKind(path) === "a plain file";
