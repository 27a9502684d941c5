/**
 * Owns the making of a backup of a data directory, beside a running daemon or without a daemon: the databases of one moment
 * (`moment.ts`), the archive and the blobs as further names of the same files, and the manifest. The final name appears
 * when everything is on disk.
 */
import {
  constants,
  copyFileSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  realpathSync,
  rmSync,
  statSync,
} from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { err, ok, type Result } from "../base/result.ts";
import { syncPath } from "../base/sync-path.ts";
import { type Problem, problem } from "../model/problem.ts";
import { sha256Of } from "../release/sums.ts";
import { type Snapshot, SnapshotFault } from "../sqlite/snapshot.ts";
import { isArchiveName } from "../store/archive-names.ts";
import { ARCHIVE, BLOBS, digestOfBlob, entriesOf, isDatabase, isPlainFile, SENSES, STORE, walk } from "./layout.ts";
import { type BackupFile, type Manifest, writeManifest } from "./manifest.ts";
import { databaseProblem, findMoment, type Moment } from "./moment.ts";
import { PartialFolder } from "./partial.ts";

export interface Maker {
  readonly version: string;
  readonly commit: string;
}

export type Taken = Omit<Manifest, "format">;

/** A blob that is being removed has this ending for a moment. The blob may come back. */
const LEAVING = ".leaving";

/** Backs up `data` into the new folder `target`. The umask of the process decides who may read the folder. */
export async function takeBackup(data: string, target: string, maker: Maker): Promise<Result<Taken, Problem>> {
  const refused = refusalOf(data, target);
  if (refused !== null) return err(refused);
  let folder: PartialFolder | null = null;
  let isDone = false;
  try {
    folder = new PartialFolder(target);
    const taken = await fillFolder(data, folder.path, maker);
    if (!taken.ok) return taken;
    writeManifest(folder.path, taken.value);
    syncAll(folder.path);
    folder.finish(target);
    isDone = true;
    return taken;
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === undefined) throw error;
    const kind = code === "ENOSPC" || code === "EDQUOT" ? "store-no-space" : "backup-failed";
    return err(problem(kind, `no backup was made in ${target}: ${message}`, null, target));
  } finally {
    if (!isDone) folder?.remove();
  }
}

function refusalOf(data: string, target: string): Problem | null {
  try {
    return whyNot(data, target);
  } catch (error) {
    // A part of the path is a file, or is longer than a name may be.
    return problem("no-folder", `${target} cannot be made: ${(error as Error).message}`, null, target);
  }
}

function whyNot(data: string, target: string): Problem | null {
  if (lstatSync(target, { throwIfNoEntry: false }) !== undefined) {
    return problem("exists", `${target} is there already`, "a backup is a folder of its own: give a new name", target);
  }
  const parent = dirname(target);
  if (statSync(parent, { throwIfNoEntry: false })?.isDirectory() !== true) {
    return problem("no-folder", `${parent} is not a folder`, `make it first: mkdir -p ${parent}`, parent);
  }
  const file = join(data, STORE);
  if (isPlainFile(file)) return null;
  return problem("store-missing", `there is nothing to back up: ${file} does not exist`, null, file);
}

async function fillFolder(data: string, folder: string, maker: Maker): Promise<Result<Taken, Problem>> {
  for (const name of [SENSES, ARCHIVE, BLOBS]) mkdirSync(join(folder, name), { mode: 0o700 });
  // Before the moment is found: retention may remove a file after it, and a file with a second name stays.
  linkArchive(data, folder);
  const found = await findMoment(data);
  if (!found.ok) return found;
  const moment = found.value;
  try {
    const copied = await copyDatabases(moment, folder);
    if (!copied.ok) return copied;
    linkArchive(data, folder);
    const fault = await fitArchive(moment.store, folder);
    if (fault !== null) return err(fault);
    // A blob of a signal stays for a day after the signal is gone, so all blobs of the moment are still there.
    linkBlobs(data, folder);
    const files = await listFiles(folder, copied.value);
    return ok({
      ...maker,
      at: Date.now(),
      one_moment: moment.isOne,
      last_signal: Number(moment.store.value("SELECT max(id) FROM signals") ?? 0),
      last_log: Number(moment.store.value("SELECT max(id) FROM logs") ?? 0),
      files,
    });
  } catch (error) {
    if (error instanceof SnapshotFault) return err(databaseProblem(error.found));
    throw error;
  } finally {
    moment.close();
  }
}

type Migrations = ReadonlyMap<string, readonly string[] | null>;

/** Copies the databases. Returns the migrations of each. */
async function copyDatabases({ store, senses }: Moment, folder: string): Promise<Result<Migrations, Problem>> {
  const migrations = new Map<string, readonly string[] | null>();
  const all: (readonly [string, Snapshot])[] = [
    [STORE, store],
    ...[...senses].map(([name, snapshot]) => [`${SENSES}/${name}.db`, snapshot] as const),
  ];
  for (const [path, snapshot] of all) {
    const copied = await snapshot.copyTo(join(folder, path));
    if (!copied.ok) return err(databaseProblem({ ...copied.error, file: snapshot.file }));
    migrations.set(path, migrationsOf(snapshot));
  }
  return ok(migrations);
}

function migrationsOf(snapshot: Snapshot): readonly string[] | null {
  if (snapshot.value("SELECT 1 FROM sqlite_schema WHERE name = '_migrations'") === null) return null;
  return snapshot.values("SELECT name FROM _migrations ORDER BY name").map(String);
}

/**
 * Gives a file that is never written again a second name, or makes a copy where that cannot be. False when the file is
 * gone.
 */
function linkOrCopy(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "EEXIST") return true;
    if (code === "ENOENT") return false;
    // Another file system, a file system without second names, or a file of another user.
    if (code !== "EXDEV" && code !== "EPERM" && code !== "ENOTSUP" && code !== "EMLINK") throw error;
  }
  try {
    copyFileSync(from, to, constants.COPYFILE_FICLONE | constants.COPYFILE_EXCL);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return false;
    throw error;
  }
}

function linkArchive(data: string, folder: string): void {
  for (const entry of entriesOf(join(data, ARCHIVE))) {
    if (entry.isFile() && isArchiveName(entry.name)) {
      linkOrCopy(join(data, ARCHIVE, entry.name), join(folder, ARCHIVE, entry.name));
    }
  }
}

/** Keeps the unchanged files that logs.db knows, and no other. */
async function fitArchive(store: Snapshot, folder: string): Promise<Problem | null> {
  const known = new Set(store.values("SELECT file FROM archive ORDER BY file").map(String));
  for (const name of readdirSync(join(folder, ARCHIVE))) if (!known.has(name)) rmSync(join(folder, ARCHIVE, name));
  for (const name of known) {
    const path = join(folder, ARCHIVE, name);
    const expected = store.value("SELECT sha256 FROM archive WHERE file = ?", name);
    const what = !isPlainFile(path) ? "is missing" : (await sha256Of(path)) === expected ? null : "is damaged";
    if (what === null) continue;
    const message = `the archive file ${name} ${what}, so what would be backed up is not whole`;
    return problem("archive-damaged", message, "`nerve archive verify` says more: put back an untouched copy");
  }
  return null;
}

function linkBlobs(data: string, folder: string): void {
  const root = join(BLOBS, "sha256");
  for (const prefix of entriesOf(join(data, root))) {
    if (!prefix.isDirectory()) continue;
    mkdirSync(join(folder, root, prefix.name), { recursive: true, mode: 0o700 });
    for (const { name } of entriesOf(join(data, root, prefix.name))) {
      const plain = name.endsWith(LEAVING) ? name.slice(0, -LEAVING.length) : name;
      if (digestOfBlob(`blobs/sha256/${prefix.name}/${plain}`) === null) continue;
      const from = join(data, root, prefix.name, plain);
      const to = join(folder, root, prefix.name, plain);
      // The blob may be renamed in either direction meanwhile.
      if (!linkOrCopy(from, to)) linkOrCopy(`${from}${LEAVING}`, to);
    }
  }
}

async function listFiles(folder: string, migrations: Migrations): Promise<BackupFile[]> {
  const files: BackupFile[] = [];
  for (const path of walk(folder).filter((one) => isDatabase(one) || one.includes("/"))) {
    const { size } = statSync(join(folder, path));
    const sha256 = await sha256Of(join(folder, path));
    files.push({ path, bytes: size, sha256, migrations: migrations.get(path) ?? null });
  }
  return files;
}

/** Syncs each folder after its content. A file with a second name was on disk before. */
function syncAll(folder: string): void {
  for (const entry of entriesOf(folder)) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) syncAll(path);
    else if (lstatSync(path).nlink === 1) syncPath(path);
  }
  syncPath(folder);
}

/** True for a place in which a backup of `data` may not lie: nerve would take its files for its own, or miss them. */
export const isInside = (data: string, target: string): boolean => {
  const path = resolve(target);
  return `${realPathOf(dirname(path))}/${basename(path)}/`.startsWith(`${realPathOf(data)}/`);
};

/** The path with every link resolved, as far as the path exists. */
function realPathOf(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    const above = dirname(resolve(path));
    return above === resolve(path) ? above : join(realPathOf(above), basename(path));
  }
}
