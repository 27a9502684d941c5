/**
 * Keeps the write-ahead log of a database small. SQLite starts the log anew only when nobody reads it, and then leaves the
 * file as long as it was: `journal_size_limit` cuts it there. After a reader that stayed long nobody may write for hours,
 * so whoever owns the connection asks for a checkpoint until the log is short again.
 * Source: https://www.sqlite.org/wal.html#avoiding_excessively_large_wal_files
 */
import type { Database } from "bun:sqlite";
import { statSync } from "node:fs";
import { startTimer, type Timer } from "../base/timer.ts";
import { once } from "./once.ts";

/** Twice what SQLite writes between two checkpoints of its own: a log that nobody holds up never gets here. */
export const WAL_LIMIT_BYTES = 8 * 1024 * 1024;

/** Between two looks at the file. */
export const LOOK_MS = 1_000;
const TRY_AGAIN_MS = 2_000;

export class WalKeeper {
  readonly #db: Database;
  readonly #file: string;
  readonly #busyMs: number;
  #lookedAt = Number.NEGATIVE_INFINITY;
  #again: Timer | null = null;

  /** `busyMs`: the connection's own `busy_timeout`. */
  constructor(db: Database, file: string, busyMs: number) {
    this.#db = db;
    this.#busyMs = busyMs;
    this.#file = `${file}-wal`;
  }

  /** After a commit. Looks at the file once a second at most. */
  committed(): void {
    const now = performance.now();
    if (this.#again !== null || now - this.#lookedAt < LOOK_MS) return;
    this.#lookedAt = now;
    if (this.#isLong()) this.#again = startTimer(TRY_AGAIN_MS, () => this.#shorten());
  }

  stop(): void {
    this.#again?.stop();
    this.#again = null;
  }

  #isLong(): boolean {
    return (statSync(this.#file, { throwIfNoEntry: false })?.size ?? 0) > WAL_LIMIT_BYTES;
  }

  #shorten(): void {
    this.#again = null;
    if (this.#isLong() && !this.#checkpoint()) this.#again = startTimer(TRY_AGAIN_MS, () => this.#shorten());
  }

  /** Whether the log is short now. Never waits for a reader, nor inside a transaction. */
  #checkpoint(): boolean {
    if (this.#db.inTransaction) return false;
    try {
      this.#db.run("PRAGMA busy_timeout = 0");
      return (
        once(this.#db, "PRAGMA wal_checkpoint(TRUNCATE)", (statement) => statement.get() as { busy: number }).busy === 0
      );
    } catch {
      // Another process writes, or the disk is full: the next try comes.
      return false;
    } finally {
      this.#db.run(`PRAGMA busy_timeout = ${this.#busyMs}`);
    }
  }
}
