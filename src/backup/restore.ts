/**
 * Owns the restore of a backup into an empty data directory. The backup is proven first. A marker keeps every daemon away
 * while files are copied. logs.db gets its name last, and then the marker goes. The next restore begins anew after a killed
 * one.
 */
import {
  closeSync,
  constants,
  copyFileSync,
  existsSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { giveTo, type Owner, ownerOf } from "../base/owner.ts";
import { err, type Result } from "../base/result.ts";
import { syncPath } from "../base/sync-path.ts";
import { type Problem, problem } from "../model/problem.ts";
import { sha256Of } from "../release/sums.ts";
import { acquireLock, type Lock, lockHolder } from "../sqlite/lock.ts";
import { RESTORING } from "../store/restoring.ts";
import { changeEpoch } from "./epoch.ts";
import { STORE } from "./layout.ts";
import type { Manifest } from "./manifest.ts";
import { proveBackup } from "./prove.ts";

/**
 * The umask of the process decides who may read the restored files. Kinds of problems: `in-use`, `not-empty`,
 * `restore-failed`, and those of a backup that is not proven.
 */
export async function restoreBackup(from: string, data: string): Promise<Result<Manifest, readonly Problem[]>> {
  const inTheWay = whatIsThere(data);
  if (inTheWay !== null) return err([inTheWay]);
  const proven = await proveBackup(from);
  if (!proven.ok) return proven;
  let lock: Lock | null = null;
  try {
    const owner = ownerOf(data);
    mkdirSync(join(data, "locks"), { recursive: true, mode: 0o700 });
    lock = acquireLock(kernelLock(data));
    if (lock === null) return err([inUse(data)]);
    clear(data);
    await copyAll(from, data, proven.value, owner);
    return proven;
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === undefined && !(error instanceof CopyFault)) throw error;
    const hint = `nothing of it is used: \`nerve restore\` begins anew`;
    return err([problem("restore-failed", `${data} was not restored: ${message}`, hint, data)]);
  } finally {
    lock?.release();
  }
}

class CopyFault extends Error {}

const kernelLock = (data: string): string => join(data, "locks", "kernel.lock");

function inUse(data: string): Problem {
  const pid = lockHolder(kernelLock(data));
  const who = pid === null ? "another process" : `process ${pid}`;
  return problem("in-use", `${data} is in use by ${who}`, "stop it, or restore into another `data`", data);
}

/** Names that an empty file system, or a killed restore, may have left. */
const NOTHING: ReadonlySet<string> = new Set(["lost+found", "locks"]);

/** Why nothing can be restored into the directory, or null. */
function whatIsThere(data: string): Problem | null {
  const stats = lstatSync(data, { throwIfNoEntry: false });
  if (stats === undefined) return null;
  if (!stats.isDirectory()) return problem("not-empty", `${data} is not a folder`, "choose another `data`", data);
  if (existsSync(kernelLock(data)) && lockHolder(kernelLock(data)) !== null) return inUse(data);
  const names = readdirSync(data).filter((name) => !NOTHING.has(name));
  if (names.length === 0 || names.includes(RESTORING)) return null;
  const message = `${data} is not empty: it holds ${names[0]}`;
  return problem("not-empty", message, `move it away first: mv ${data} ${data}.before`, data);
}

/** Marks the folder, and removes what a killed restore has left. */
function clear(data: string): void {
  closeSync(openSync(join(data, RESTORING), "a", 0o600));
  syncPath(data);
  for (const name of readdirSync(data)) {
    if (name !== RESTORING && !NOTHING.has(name)) rmSync(join(data, name), { recursive: true, force: true });
  }
}

/** The name of logs.db until everything else is there. */
const UNNAMED = "logs.db.restoring";

async function copyAll(from: string, data: string, { files }: Manifest, owner: Owner): Promise<void> {
  for (const name of ["senses", "archive", "blobs"]) mkdirSync(join(data, name), { mode: 0o700 });
  for (const { path, sha256 } of files) {
    const to = join(data, path === STORE ? UNNAMED : path);
    mkdirSync(dirname(to), { recursive: true, mode: 0o700 });
    copyFileSync(join(from, path), to, constants.COPYFILE_FICLONE | constants.COPYFILE_EXCL);
    if ((await sha256Of(to)) !== sha256) throw new CopyFault(`${join(from, path)} changed while it was copied`);
    syncPath(to);
  }
  changeEpoch(join(data, UNNAMED));
  syncPath(join(data, UNNAMED));
  giveTo(owner, data);
  syncFolders(data);
  renameSync(join(data, UNNAMED), join(data, STORE));
  syncPath(data);
  rmSync(join(data, RESTORING));
  syncPath(data);
}

const foldersOf = (folder: string): string[] =>
  readdirSync(folder, { withFileTypes: true }).flatMap((entry) =>
    entry.isDirectory() ? [join(folder, entry.name), ...foldersOf(join(folder, entry.name))] : [],
  );

function syncFolders(data: string): void {
  for (const folder of foldersOf(data).reverse()) syncPath(folder);
}
