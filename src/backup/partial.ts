/**
 * Owns the folder in which a backup is made. It is beside the final name, so that a rename finishes it. A lock inside shows
 * that a process works on it. The next backup in the same place removes what a killed backup left.
 */
import { lstatSync, mkdtempSync, readdirSync, renameSync, rmSync, unlinkSync } from "node:fs";
import { dirname, join } from "node:path";
import { syncPath } from "../base/sync-path.ts";
import { acquireLock, type Lock } from "../sqlite/lock.ts";

const PREFIX = ".nerve-backup-";
const LOCK = "lock";
/** Another backup may have just made a folder that has no lock yet. */
const YOUNG_MS = 60_000;

function isLeftOver(folder: string): boolean {
  const lock = join(folder, LOCK);
  const stats = lstatSync(lock, { throwIfNoEntry: false });
  if (stats !== undefined) return isFree(lock);
  const made = lstatSync(folder, { throwIfNoEntry: false });
  return made?.isDirectory() === true && Date.now() - made.mtimeMs > YOUNG_MS;
}

function isFree(file: string): boolean {
  try {
    const lock = acquireLock(file);
    lock?.release();
    return lock !== null;
  } catch {
    // The file is no lock of nerve's.
    return true;
  }
}

function sweep(parent: string): void {
  for (const name of readdirSync(parent).filter((one) => one.startsWith(PREFIX))) {
    const folder = join(parent, name);
    if (isLeftOver(folder)) rmSync(folder, { recursive: true, force: true });
  }
}

export class PartialFolder {
  readonly path: string;
  readonly #lock: Lock;
  readonly #onExit = (): void => this.remove();

  /** Makes the folder for `target`, whose parent exists. Throws errors of the file system. */
  constructor(target: string) {
    const parent = dirname(target);
    sweep(parent);
    this.path = mkdtempSync(join(parent, PREFIX));
    const lock = acquireLock(join(this.path, LOCK));
    if (lock === null) throw new Error(`${this.path} was taken by another process`);
    this.#lock = lock;
    process.on("exit", this.#onExit);
  }

  /** Gives the finished folder its final name, durably. */
  finish(target: string): void {
    this.#letGo();
    unlinkSync(join(this.path, LOCK));
    syncPath(this.path);
    renameSync(this.path, target);
    syncPath(dirname(target));
  }

  remove(): void {
    this.#letGo();
    rmSync(this.path, { recursive: true, force: true, maxRetries: 3 });
  }

  #letGo(): void {
    process.off("exit", this.#onExit);
    this.#lock.release();
  }
}
