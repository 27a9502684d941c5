/**
 * Owns the data for the way back. The first rung on which the old executable starts is taken:
 * - `as-it-is`: no database has had a migration that the old executable does not know. Nothing is touched.
 * - `carried-over`: databases with such migrations are made anew in their old tables, with every row that the new
 * executable has committed.
 * - `backup`: the data from before the upgrade. Later rows are not in force.
 * Replaced files are moved to `data/after-upgrade`, and stay. Everything is prepared in a folder first, then put in place
 * by renames. A marker keeps daemons away meanwhile. After a kill the rest is done again.
 */
import type { Database } from "bun:sqlite";
import {
  closeSync,
  constants,
  copyFileSync,
  existsSync,
  linkSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  statSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { changeEpoch } from "../backup/epoch.ts";
import { isDatabase, STORE, walk } from "../backup/layout.ts";
import { type BackupFile, readManifest } from "../backup/manifest.ts";
import { giveTo, ownerOf } from "../base/owner.ts";
import { err, ok, type Result } from "../base/result.ts";
import { syncPath } from "../base/sync-path.ts";
import { type Problem, problem } from "../model/problem.ts";
import { openReader, openWriter } from "../sqlite/open.ts";
import { RESTORING } from "../store/restoring.ts";
import { carryOver } from "./carry-over.ts";
import type { Rung } from "./home.ts";

export const backupOf = (data: string): string => join(data, "before-upgrade");
export const asideOf = (data: string): string => join(data, "after-upgrade");
/** Whole databases that wait to be put in place. */
const readyOf = (data: string): string => join(data, "upgrade-ready");
const makingOf = (data: string): string => join(data, "upgrade-making");

const RUNGS: readonly Rung[] = ["as-it-is", "carried-over", "backup"];

export const nextRung = (rung: Rung): Rung | null => RUNGS[RUNGS.indexOf(rung) + 1] ?? null;

/** The databases that have had migrations since the backup. */
function migratedIn(data: string, files: readonly BackupFile[]): BackupFile[] {
  return files.filter(({ path, migrations }) => {
    if (!isDatabase(path)) return false;
    const opened = openReader(join(data, path));
    if (!opened.ok) return opened.error.kind !== "missing";
    try {
      const known = new Set(migrations);
      const applied = opened.value.query<{ name: string }, []>("SELECT name FROM _migrations").all();
      return applied.some(({ name }) => !known.has(name));
    } catch {
      // The database has no such table, or is damaged: the old executable names the fault.
      return false;
    } finally {
      opened.value.close(true);
    }
  });
}

/** The first rung that the migrations allow. */
export function firstRung(data: string): Result<Rung, Problem> {
  const manifest = readManifest(backupOf(data));
  if (!manifest.ok) return manifest;
  return ok(migratedIn(data, manifest.value.files).length === 0 ? "as-it-is" : "carried-over");
}

/** True when a process was killed while it put databases in place. The marker has kept every daemon away since. */
export const isHalfPlaced = (data: string): boolean => existsSync(join(data, RESTORING));

/** A sentence for each database whose newest rows are not in force. */
export type Left = readonly string[];

/**
 * Puts the data of `rung` in place. The daemon is stopped. Returns what could not be carried over. A second call goes on
 * after a kill.
 */
export function putBack(data: string, rung: Rung): Result<Left, Problem> {
  if (rung === "as-it-is") return ok([]);
  const manifest = readManifest(backupOf(data));
  if (!manifest.ok) return manifest;
  const { files } = manifest.value;
  try {
    // A process that was killed before the marker was there kept no daemon away: rows may have been committed since.
    const left = isHalfPlaced(data) && existsSync(readyOf(data)) ? [] : prepare(data, files, rung);
    place(data);
    if (rung === "backup") bringBackFiles(data, files);
    return ok(left);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === undefined) throw error;
    return err(
      problem("data-not-back", `${data} cannot be put back: ${message}`, "make room, then run it again", data),
    );
  }
}

/** Leaves whole databases in the folder of {@link readyOf}. */
function prepare(data: string, files: readonly BackupFile[], rung: Rung): string[] {
  const making = makingOf(data);
  for (const folder of [making, readyOf(data)]) rmSync(folder, { recursive: true, force: true });
  mkdirSync(join(making, "senses"), { recursive: true, mode: 0o700 });
  const databases = rung === "backup" ? files.filter(({ path }) => isDatabase(path)) : migratedIn(data, files);
  const left: string[] = [];
  for (const { path } of databases) {
    const made = join(making, path);
    const fresh = (): void => copyFileSync(join(backupOf(data), path), made, constants.COPYFILE_FICLONE);
    fresh();
    const carried = rung === "backup" ? ok(undefined) : carryOver(made, join(data, path));
    if (carried.ok) continue;
    rmSync(made);
    fresh();
    left.push(`${path}: ${carried.error}`);
  }
  // Rows are gone, so no cursor of a reader is good any longer.
  if (rung === "backup" || left.some((one) => one.startsWith(`${STORE}:`))) changeEpoch(join(making, STORE));
  for (const path of walk(making)) syncPath(join(making, path));
  syncPath(join(making, "senses"));
  syncPath(making);
  giveTo(ownerOf(data), making);
  renameSync(making, readyOf(data));
  syncPath(data);
  return left;
}

/** Moves the ready databases into place, one after the other. */
function place(data: string): void {
  const ready = readyOf(data);
  const marker = join(data, RESTORING);
  closeSync(openSync(marker, "a", 0o600));
  giveTo(ownerOf(data), marker);
  syncPath(data);
  let aside: string | null = null;
  for (const path of walk(ready)) {
    const current = join(data, path);
    if (existsSync(current)) {
      aside ??= newAside(data);
      mkdirSync(dirname(join(aside, path)), { recursive: true, mode: 0o700 });
      keepWhole(current, join(aside, path));
    }
    renameSync(join(ready, path), current);
    syncPath(dirname(current));
  }
  if (aside !== null) giveTo(ownerOf(data), asideOf(data));
  rmSync(ready, { recursive: true });
  rmSync(marker);
  syncPath(data);
}

/** A folder of this move alone, so that a second move does not hide what the first has kept. */
function newAside(data: string): string {
  for (let nth = 1; ; nth++) {
    const folder = join(asideOf(data), String(nth));
    if (existsSync(folder)) continue;
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    return folder;
  }
}

/**
 * Gives the database a second name. No part of its write-ahead log may stay beside another database, because SQLite would
 * play the log into that database.
 */
function keepWhole(file: string, aside: string): void {
  const opened = openWriter(file, "full");
  if (opened.ok) {
    checkpoint(opened.value);
    opened.value.close(true);
  }
  linkSync(file, aside);
  // A reader that stayed open kept a part of the log from going into the database.
  if ((statSync(`${file}-wal`, { throwIfNoEntry: false })?.size ?? 0) > 0) linkSync(`${file}-wal`, `${aside}-wal`);
  for (const ending of ["-wal", "-shm"]) rmSync(`${file}${ending}`, { force: true });
}

function checkpoint(db: Database): void {
  try {
    db.run("PRAGMA wal_checkpoint(TRUNCATE)");
  } catch {
    // The database is damaged. The database that takes its place is not.
  }
}

/** Brings back files of the archive and blobs that retention has removed since the backup. */
function bringBackFiles(data: string, files: readonly BackupFile[]): void {
  for (const { path } of files) {
    const to = join(data, path);
    if (isDatabase(path) || existsSync(to)) continue;
    mkdirSync(dirname(to), { recursive: true, mode: 0o700 });
    linkSync(join(backupOf(data), path), to);
    syncPath(dirname(to));
  }
}
