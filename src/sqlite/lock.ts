/**
 * A lock held for a process's life and let go by the operating system when it dies, however it dies: an exclusive
 * transaction on a small SQLite file. The handle must stay referenced: a collected one would let the lock go.
 */
import { Database } from "bun:sqlite";
import { readFileSync, statSync } from "node:fs";
import { fileKind } from "../base/file-kind.ts";
import { makeFile, releasePages } from "./open.ts";

export interface Lock {
  release(): void;
}

/** The lock, or null while another process holds it. Throws when the file cannot be made. */
export function acquireLock(file: string): Lock | null {
  const kind = fileKind(file);
  if (kind !== null && kind !== "a plain file")
    throw new Error(`${file} is not a plain file but ${kind}; remove it: nerve makes it anew`);
  makeFile(file);
  const db = new Database(file, { readwrite: true, create: true });
  try {
    db.run("PRAGMA busy_timeout = 0");
    // A lock needs no cache, for which SQLite would take 85 KB at once.
    db.run("PRAGMA cache_size = 2");
    releasePages(db);
    // OFF is refused by a defensive SQLite, silently: a journal on disk would then need room, and outlive a kill.
    db.run("PRAGMA journal_mode = MEMORY");
    db.run("PRAGMA locking_mode = EXCLUSIVE");
    db.run("BEGIN EXCLUSIVE");
  } catch (error) {
    db.close(true);
    const { code = "", message } = error as Error & { code?: string };
    if (code.startsWith("SQLITE_BUSY")) return null;
    if (!code.startsWith("SQLITE_NOTADB")) throw Object.assign(new Error(`${file}: ${message}`), { code });
    throw new Error(`${file} is no lock of nerve's (${message}); remove it: nerve makes it anew`);
  }
  return { release: () => db.close(true) };
}

/** A byte that whoever has the lock holds exclusively. Source: https://www.sqlite.org/src/file/src/os.h, SHARED_FIRST. */
const LOCKED_BYTE = 0x40000002;

/** The byte of FILE-shm that whoever writes a WAL database holds. Source: https://www.sqlite.org/walformat.html, WAL_WRITE_LOCK. */
const WRITER_BYTE = 120;

/** Pid of the process that has the lock on `file`; null when none has, or where the operating system does not show it. */
export const lockHolder = (file: string): number | null => holderOf(file, LOCKED_BYTE);

/** Pid of the process that is writing to a WAL database, or keeps others from it; null as for {@link lockHolder}. */
export const walWriter = (file: string): number | null => holderOf(`${file}-shm`, WRITER_BYTE);

/**
 * The operating system gives out its list of locks in pieces, and what comes and goes meanwhile moves the rest: a lock that is held
 * may stand in none of them. One look in a hundred misses it on a busy host.
 */
const LOOKS = 8;

function holderOf(file: string, byte: number): number | null {
  for (let look = 0; look < LOOKS; look++) {
    const pid = lookFor(file, byte);
    if (pid !== null) return pid;
  }
  return null;
}

function lookFor(file: string, byte: number): number | null {
  const inode = String(statSync(file, { throwIfNoEntry: false })?.ino);
  for (const line of readFileSync("/proc/locks", "latin1").split("\n")) {
    const [, kind, pid, locked, first, last] = /: POSIX +\S+ +(\w+) +(\d+) \w+:\w+:(\d+) (\d+) (\w+)$/.exec(line) ?? [];
    if (kind !== "WRITE" || locked !== inode || Number(first) > byte) continue;
    if ((last === "EOF" || Number(last) >= byte) && Number(pid) > 0) return Number(pid);
  }
  return null;
}
