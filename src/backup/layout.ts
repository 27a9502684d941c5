/** What a backup is made of: the same folders and names as a data directory, with a manifest beside them. */
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

/** The SHA-256 in the name of a blob; null where `path` is none. */
export const digestOfBlob = (path: string): string | null =>
  BLOB.test(path) ? path.slice("blobs/sha256/".length).replace("/", "") : null;

/** The name of the sense whose database `path` is, or null. */
export function senseOf(path: string): string | null {
  const name = DATABASE.exec(path)?.[1] ?? "";
  return isName(name) ? name : null;
}

export const isDatabase = (path: string): boolean => path === STORE || senseOf(path) !== null;

/** Whether a file of a backup can be called so. Nothing else is read, or written at a restore. */
export const isPathOfBackup = (path: string): boolean =>
  isDatabase(path) ||
  digestOfBlob(path) !== null ||
  (path.startsWith(`${ARCHIVE}/`) && isArchiveName(path.slice(ARCHIVE.length + 1)));

/** Nothing where there is no such folder. */
export function entriesOf(folder: string): Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
}

/** The names of the senses that have a database in `data`, in order. */
export const sensesIn = (data: string): string[] =>
  entriesOf(join(data, SENSES))
    .flatMap(({ name }) => SENSE_FILE.exec(name)?.[1] ?? [])
    .filter(isName)
    .sort();

/** Every path below `root`, folders left out, in order. */
export function walk(root: string, below = ""): string[] {
  return entriesOf(join(root, below))
    .flatMap((entry) => {
      const path = below === "" ? entry.name : `${below}/${entry.name}`;
      return entry.isDirectory() ? walk(root, path) : [path];
    })
    .sort();
}

export const isPlainFile = (path: string): boolean => fileKind(path) === "a plain file";
