/**
 * A lock held for a process's life and let go by the operating system when it dies, however it dies: an exclusive
 * transaction on a small SQLite file. The handle must stay referenced: a collected one would let the lock go.
 */
import { Database } from "bun:sqlite";
import { isSymlink, makeFile } from "./open.ts";

export interface Lock {
  release(): void;
}

/** The lock, or null while another process holds it. Throws when the file cannot be made. */
export function acquireLock(file: string): Lock | null {
  if (isSymlink(file)) throw new Error(`${file} is a symbolic link; nerve keeps plain files`);
  makeFile(file);
  const db = new Database(file, { readwrite: true, create: true });
  try {
    db.run("PRAGMA busy_timeout = 0");
    db.run("PRAGMA journal_mode = OFF");
    db.run("PRAGMA locking_mode = EXCLUSIVE");
    db.run("BEGIN EXCLUSIVE");
  } catch (error) {
    db.close(true);
    if ((error as { code?: string }).code?.startsWith("SQLITE_BUSY")) return null;
    throw error;
  }
  return { release: () => db.close(true) };
}
