/**
 * Owns the retention: signals past it are removed, logs move to the archive, archive files are removed. Each step takes a
 * prefix of ids, in small batches between other work. A clock that was set recently is not trusted: nothing goes until wall
 * clock and boot clock have agreed for an hour, unless a person asks for it.
 */
import type { Clock } from "../../base/clock.ts";
import { err, ok, type Result } from "../../base/result.ts";
import { type Alarm, passing } from "../../base/timer.ts";
import type { Retentions } from "../../config/defaults.ts";
import type { Archived } from "../../control/contract.ts";
import { type Problem, problem } from "../../model/problem.ts";
import type { Store } from "../../store/open.ts";
import type { Ledger } from "../commits/ledger.ts";
import type { Handle, Ticker } from "../time/ticker.ts";
import { TrustedClock } from "../time/trusted-clock.ts";
import type { Archiver } from "./archiver.ts";
import type { Chore } from "./chore.ts";

const LOOK_EVERY_MS = 60_000;
const BETWEEN_BATCHES_MS = 20;
const BATCH_ROWS = 1_000;
const TRUSTED_AFTER_MS = 3_600_000;

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

export interface RetentionParts {
  readonly clock: Clock;
  readonly ticker: Ticker;
  readonly alarm: Alarm;
  readonly store: Store;
  /** Removals go through the ledger too, so a full disk does not end nerve. */
  readonly ledger: Ledger;
  readonly archiver: Archiver;
}

/**
 * Logs go by whole days (hours, minutes where they are kept for less). Otherwise each look would make a file of its own.
 */
const wholeUnits = (at: number, { logsMs }: Retentions): number => {
  const unit = [DAY_MS, HOUR_MS, MINUTE_MS].find((ms) => ms <= logsMs) ?? 1;
  return Math.floor(at / unit) * unit;
};

export class Retention implements Chore {
  readonly #parts: RetentionParts;
  #keep: Retentions;
  readonly #believed: TrustedClock;
  #nextSignals: Handle | null = null;
  #nextLogs: Handle | null = null;
  #stopped = false;

  constructor(parts: RetentionParts, keep: Retentions) {
    this.#parts = parts;
    this.#keep = keep;
    this.#believed = new TrustedClock(parts.clock, TRUSTED_AFTER_MS);
  }

  start(): void {
    this.#lookAgainAtSignals(LOOK_EVERY_MS);
    this.#lookAgainAtLogs();
  }

  keepFor(keep: Retentions): void {
    this.#keep = keep;
  }

  /** Room is scarce: old signals go at once. Logs need room for the move, and keep their turn. */
  lookNow(): void {
    this.#lookAgainAtSignals(0);
  }

  clockStepped(): void {
    this.#believed.stepped();
  }

  stop(): void {
    this.#stopped = true;
    this.#nextSignals?.cancel();
    this.#nextLogs?.cancel();
    this.#parts.archiver.stop();
  }

  /** Does everything now, to the millisecond, because a person has looked at the clock. */
  async now(): Promise<Result<Archived, Problem>> {
    if (this.#parts.ledger.troubled) return err(problem("store-failed", "the store cannot be written at the moment"));
    const now = this.#parts.clock.wallMs();
    const { logsMs, signalsMs, archiveMs } = this.#keep;
    const archiveBefore = archiveMs === null ? null : now - archiveMs;
    const signals = await this.#removeSignals(now - signalsMs);
    const done = await this.#parts.archiver.run({ logsBefore: now - logsMs, archiveBefore, now });
    if (!done.ok) return done;
    const { files, rows, removedFiles } = done.value;
    return ok({ files, rows, removed_files: removedFiles, signals });
  }

  async #removeSignals(before: number): Promise<number> {
    const { clock, store, ledger } = this.#parts;
    for (let all = 0; ; ) {
      let removed = 0;
      await ledger.commit(() => {
        removed = store.signals.removeOldest(before, clock.wallMs(), BATCH_ROWS);
      });
      all += removed;
      if (removed === 0 || this.#stopped) return all;
      await passing(this.#parts.alarm, BETWEEN_BATCHES_MS);
    }
  }

  get #mayAct(): boolean {
    return this.#believed.isTrusted && !this.#parts.ledger.troubled;
  }

  #lookAtSignals(): void {
    const { clock, store, ledger } = this.#parts;
    if (!this.#mayAct) return this.#lookAgainAtSignals(LOOK_EVERY_MS);
    let removed = 0;
    ledger.add({
      write: () => {
        const now = clock.wallMs();
        removed = store.signals.removeOldest(now - this.#keep.signalsMs, now, BATCH_ROWS);
      },
      kept: () => this.#lookAgainAtSignals(removed > 0 ? BETWEEN_BATCHES_MS : LOOK_EVERY_MS),
    });
  }

  #lookAgainAtSignals(afterMs: number): void {
    this.#nextSignals?.cancel();
    if (!this.#stopped) this.#nextSignals = this.#parts.ticker.after(afterMs, () => this.#lookAtSignals());
  }

  #lookAtLogs(): void {
    if (!this.#mayAct) return this.#lookAgainAtLogs();
    const now = this.#parts.clock.wallMs();
    const { logsMs, archiveMs } = this.#keep;
    const logsBefore = wholeUnits(now - logsMs, this.#keep);
    const archiveBefore = archiveMs === null ? null : now - archiveMs;
    void this.#parts.archiver.run({ logsBefore, archiveBefore, now }).then(() => this.#lookAgainAtLogs());
  }

  #lookAgainAtLogs(): void {
    if (!this.#stopped) this.#nextLogs = this.#parts.ticker.after(LOOK_EVERY_MS, () => this.#lookAtLogs());
  }
}
