/**
 * Owns the manifest of a backup: the nerve that made it, its moment, and every file with its size and SHA-256. A second
 * file holds the SHA-256 of the manifest itself, in the format of `sha256sum -c`.
 */
import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { readJson } from "../base/json.ts";
import { err, ok, type Result } from "../base/result.ts";
import { type Problem, problem } from "../model/problem.ts";
import { isPathOfBackup, STORE } from "./layout.ts";

export const MANIFEST = "manifest.json";
export const MANIFEST_SUM = "manifest.json.sha256";

/** A build refuses a backup with a later format. */
const FORMAT = 1;

export interface BackupFile {
  /** The path below the backup's folder, with `/` between names. */
  readonly path: string;
  readonly bytes: number;
  readonly sha256: string;
  /** The migrations of a database. Null where the file is no database, or has had no migration. */
  readonly migrations: readonly string[] | null;
}

export interface Manifest {
  readonly format: number;
  readonly version: string;
  readonly commit: string;
  /** Unix milliseconds. */
  readonly at: number;
  /**
   * True when nobody committed while the copies were begun: all copies are of one moment. Otherwise each sense's database
   * may be younger than logs.db, and its outbox holds every signal that logs.db had not taken.
   */
  readonly one_moment: boolean;
  readonly last_signal: number;
  readonly last_log: number;
  readonly files: readonly BackupFile[];
}

const digestOf = (text: string): string => createHash("sha256").update(text).digest("hex");
const sumLine = (text: string): string => `${digestOf(text)}  ${MANIFEST}\n`;

export function writeManifest(folder: string, manifest: Omit<Manifest, "format">): void {
  const text = `${JSON.stringify({ format: FORMAT, ...manifest }, null, 1)}\n`;
  writeFileSync(join(folder, MANIFEST), text, { flag: "wx", mode: 0o600 });
  writeFileSync(join(folder, MANIFEST_SUM), sumLine(text), { flag: "wx", mode: 0o600 });
}

const damaged = (file: string, message: string): { readonly ok: false; readonly error: Problem } =>
  err(problem("backup-damaged", `${file} ${message}`, "take another backup", file));

/** The manifest of the backup in `folder`, if its bytes are unchanged. */
export function readManifest(folder: string): Result<Manifest, Problem> {
  const file = join(folder, MANIFEST);
  const sum = join(folder, MANIFEST_SUM);
  let text: string;
  let line: string;
  try {
    text = readFileSync(file, "utf8");
    line = readFileSync(sum, "latin1");
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code !== "ENOENT" && code !== "ENOTDIR") {
      return err(problem("backup-unreadable", `${file} cannot be read: ${message}`, null, file));
    }
    return err(problem("no-backup", `${folder} is no backup: it has no ${MANIFEST} with its sum`, null, folder));
  }
  if (line !== sumLine(text)) return damaged(file, `is not what was written: ${sum} says another SHA-256`);
  return shapeOf(readJson(text), file);
}

const isCount = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) >= 0;
const isTexts = (value: unknown): boolean => Array.isArray(value) && value.every((one) => typeof one === "string");

function isFile(value: unknown): value is BackupFile {
  const { path, bytes, sha256, migrations } = (value ?? {}) as { [Key in keyof BackupFile]?: unknown };
  const isNamed = typeof path === "string" && isPathOfBackup(path) && /^[0-9a-f]{64}$/.test(String(sha256));
  return isNamed && isCount(bytes) && (migrations === null || isTexts(migrations));
}

function shapeOf(value: unknown, file: string): Result<Manifest, Problem> {
  const manifest = (value ?? {}) as { [Key in keyof Manifest]?: unknown };
  const { format, version, commit, at, one_moment, last_signal, last_log, files } = manifest;
  if (isCount(format) && (format as number) > FORMAT) {
    return err(problem("newer-backup", `${file} was written by a newer nerve (${String(version)})`, null, file));
  }
  const isWhole =
    format === FORMAT &&
    [version, commit].every((text) => typeof text === "string") &&
    [at, last_signal, last_log].every(isCount) &&
    typeof one_moment === "boolean" &&
    Array.isArray(files) &&
    files.every(isFile) &&
    files.some(({ path }) => path === STORE) &&
    new Set(files.map(({ path }) => path)).size === files.length;
  return isWhole ? ok(value as Manifest) : damaged(file, "is no manifest of a backup");
}
