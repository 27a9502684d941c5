/** Owns the data directory: made private, checked, and held by one kernel at a time. */
import {
  accessSync,
  chmodSync,
  closeSync,
  constants,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  realpathSync,
  statSync,
  writeSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { fileKind } from "../../base/file-kind.ts";
import { nameOfProcess } from "../../base/processes.ts";
import { err, ok, type Result } from "../../base/result.ts";
import { SOCKET_NAME } from "../../control/contract.ts";
import { type Problem, problem } from "../../model/problem.ts";
import { acquireLock, type Lock, lockHolder, walWriter } from "../../sqlite/lock.ts";
import { RESTORING, unfinishedRestore } from "../../store/restoring.ts";

export interface DataDirectory {
  /** The path with every link above it resolved. It is the marker of workers. */
  readonly path: string;
  readonly lock: Lock;
}

/** `no-room`: the disk is full or does not answer, and another try may succeed. */
export type DataProblem = { readonly kind: "in-use" | "no-room" | "unusable"; readonly problem: Problem };

const { O_WRONLY, O_CREAT, O_TRUNC, O_NOFOLLOW } = constants;
const WRITE_NO_LINK = O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW;

const FOLDERS = ["senses", "locks", "blobs", "archive"];

/** Every folder that nerve has kept data in has one of these. */
const MARKS: ReadonlySet<string> = new Set(["logs.db", "locks", "nerve.pid"]);
/** Names with which a new file system may begin. */
const OWN: ReadonlySet<string> = new Set([
  ...MARKS,
  ...FOLDERS,
  SOCKET_NAME,
  RESTORING,
  "ballast",
  "token",
  "lost+found",
]);

/** `message` follows the path. */
const unusable = (path: string, message: string, hint: string | null): DataProblem => ({
  kind: "unusable",
  problem: problem("data-unusable", `${path} ${message}`, hint, path),
});

const MAY_PASS = /^(ENOSPC|EDQUOT|EIO|SQLITE_FULL|SQLITE_IOERR)/;

/** The problem of a file at the path of a folder. Null where a folder or nothing is there. */
function noFolderAt(path: string): DataProblem | null {
  const kind = fileKind(path);
  if (kind === null || kind === "a folder") return null;
  if (kind === "a symbolic link")
    return unusable(path, `is ${kind}`, "nerve keeps its data in plain folders; move the real one here");
  const hint = "move it away, and put back the folder with what was in it, or choose another `data`";
  return unusable(path, `is not a folder but ${kind}`, hint);
}

/** The problem of a part of the path to `data` that is no folder, or null. */
function noFolderAbove(data: string): DataProblem | null {
  for (let path = dirname(data); ; path = dirname(path)) {
    const stats = statSync(path, { throwIfNoEntry: false });
    if (stats?.isDirectory()) return null;
    if (stats !== undefined) return unusable(path, `is not a folder but ${fileKind(path)}`, "choose another `data`");
    if (path === dirname(path)) return null;
  }
}

function makeFolder(path: string): DataProblem | null {
  const inTheWay = noFolderAt(path);
  if (inTheWay !== null) return inTheWay;
  mkdirSync(path, { recursive: true, mode: 0o700 });
  const stats = lstatSync(path);
  if (stats.uid !== process.getuid?.())
    return unusable(path, `belongs to uid ${stats.uid}`, "run nerve as that user, or chown it");
  if ((stats.mode & 0o077) !== 0) chmodSync(path, 0o700);
  accessSync(path, constants.R_OK | constants.W_OK | constants.X_OK);
  return null;
}

/** The problem of a file at the path of the control socket. The socket of an earlier kernel is no problem: it is replaced. */
function findInSocketsWay(path: string): DataProblem | null {
  const kind = fileKind(path);
  if (kind === null || kind === "a socket") return null;
  return unusable(path, `is no socket but ${kind}`, "nerve listens there: move it away");
}

/**
 * Files that nerve opens by itself. A pipe or a device with such a name would keep the start waiting, or take the written
 * bytes.
 */
const PLAIN_FILES = ["nerve.pid", "ballast", join("locks", "kernel.lock")];

function findNoPlainFile(data: string): DataProblem | null {
  for (const path of PLAIN_FILES.map((name) => join(data, name))) {
    const kind = fileKind(path);
    if (kind !== null && kind !== "a plain file")
      return unusable(path, `is not a plain file but ${kind}`, "remove it: nerve makes it anew");
  }
  return null;
}

function findUnfinishedRestore(data: string): DataProblem | null {
  const found = unfinishedRestore(data);
  return found === null ? null : { kind: "unusable", problem: { ...found, kind: "data-unusable" } };
}

/** A private `data: /tmp` or `data: .` would shut everybody else out of the folder. */
function findOthers(data: string): DataProblem | null {
  const stats = lstatSync(data, { throwIfNoEntry: false });
  if (stats === undefined || !stats.isDirectory() || (stats.mode & 0o077) === 0) return null;
  const names = readdirSync(data);
  const stranger = names.some((name) => MARKS.has(name)) ? undefined : names.find((name) => !OWN.has(name));
  if (stranger === undefined) return null;
  const hint = "nerve makes `data` its own, and shuts others out: give it a folder of its own";
  return unusable(data, `holds other things, such as ${stranger}`, hint);
}

const pidIn = (pidFile: string): string => {
  try {
    return readFileSync(pidFile, "utf8").trim();
  } catch {
    return "unknown";
  }
};

/** Two kernels that ask at the same instant are both refused, and nobody has the lock. So each asks again for this long. */
const LOCK_PATIENCE_MS = 500;
const LONGEST_PAUSE_MS = 10;

/** The lock, or the name of its holder. */
function takeLock(file: string, pidFile: string): Lock | string {
  const until = performance.now() + LOCK_PATIENCE_MS;
  for (;;) {
    const lock = acquireLock(file);
    if (lock !== null) return lock;
    const holder = lockHolder(file);
    if (holder !== null) return String(holder);
    if (performance.now() > until) return pidIn(pidFile);
    Bun.sleepSync(1 + Math.random() * LONGEST_PAUSE_MS);
  }
}

function writePid(file: string): void {
  const descriptor = openSync(file, WRITE_NO_LINK, 0o600);
  try {
    writeSync(descriptor, `${process.pid}\n`);
  } finally {
    closeSync(descriptor);
  }
}

/** The process that keeps the kernel from writing `database`, in words. Empty where none is found. */
export function describeWriter(database: string): string {
  const pid = walWriter(database);
  return pid === null || pid === process.pid ? "" : `; process ${nameOfProcess(pid)} is writing to it`;
}

/** Makes and locks the directory. `in-use` names the process that holds it. */
export function openDataDirectory(data: string): Result<DataDirectory, DataProblem> {
  try {
    const unfit = noFolderAbove(data) ?? findOthers(data) ?? findUnfinishedRestore(data);
    if (unfit !== null) return err(unfit);
    for (const folder of [data, ...FOLDERS.map((name) => join(data, name))]) {
      const found = makeFolder(folder);
      if (found) return err(found);
    }
    const inTheWay = findInSocketsWay(join(data, SOCKET_NAME));
    if (inTheWay !== null) return err(inTheWay);
    const noFile = findNoPlainFile(data);
    if (noFile !== null) return err(noFile);
    const pidFile = join(data, "nerve.pid");
    const lock = takeLock(join(data, "locks", "kernel.lock"), pidFile);
    if (typeof lock === "string") {
      const message = `${data} is in use by process ${lock}`;
      const hint = "a data directory belongs to one daemon: stop that process, or give this config another `data`";
      return err({ kind: "in-use", problem: problem("in-use", message, hint) });
    }
    try {
      writePid(pidFile);
    } catch (error) {
      lock.release();
      throw error;
    }
    return ok({ path: realpathSync(data), lock });
  } catch (error) {
    const { code = "", message } = error as Error & { code?: string };
    const uid = process.geteuid?.() ?? 0;
    const hint = code === "EACCES" ? `as root: install -d -m 0700 -o ${uid} ${data}` : null;
    const found = unusable(data, `cannot be used: ${message}`, hint);
    return err(MAY_PASS.test(code) ? { ...found, kind: "no-room" } : found);
  }
}
