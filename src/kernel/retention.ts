/**
 * Removes signals that are older than their retention: a prefix of ids, in small batches between other work. A clock
 * that was set recently is not believed: nothing goes until wall and boot clock have agreed for an hour.
 */
import type { Clock } from "../base/clock.ts";
import type { Store } from "../store/open.ts";
import type { Ledger } from "./ledger.ts";
import type { Handle, Ticker } from "./ticker.ts";

const LOOK_EVERY_MS = 60_000;
const BETWEEN_BATCHES_MS = 20;
const BATCH_ROWS = 1_000;
const TRUSTED_AFTER_MS = 3_600_000;

export interface RetentionParts {
  readonly clock: Clock;
  readonly ticker: Ticker;
  readonly store: Store;
  /** What removes goes through it too: a disk that is full at that moment is nothing to die of. */
  readonly ledger: Ledger;
}

export class Retention {
  readonly #parts: RetentionParts;
  #retentionMs: number;
  #agreedSinceBootMs: number;
  #next: Handle | null = null;
  #stopped = false;

  constructor(parts: RetentionParts, retentionMs: number) {
    this.#parts = parts;
    this.#retentionMs = retentionMs;
    this.#agreedSinceBootMs = parts.clock.bootMs();
  }

  start(): void {
    this.#lookAgain(LOOK_EVERY_MS);
  }

  keepFor(retentionMs: number): void {
    this.#retentionMs = retentionMs;
  }

  clockStepped(): void {
    this.#agreedSinceBootMs = this.#parts.clock.bootMs();
  }

  stop(): void {
    this.#stopped = true;
    this.#next?.cancel();
  }

  #look(): void {
    const { clock, store, ledger } = this.#parts;
    const trusted = clock.bootMs() - this.#agreedSinceBootMs >= TRUSTED_AFTER_MS;
    if (!trusted || ledger.troubled) return this.#lookAgain(LOOK_EVERY_MS);
    let removed = 0;
    ledger.add({
      write: () => {
        const now = clock.wallMs();
        removed = store.signals.removeOldest(now - this.#retentionMs, now, BATCH_ROWS);
      },
      kept: () => this.#lookAgain(removed > 0 ? BETWEEN_BATCHES_MS : LOOK_EVERY_MS),
    });
  }

  #lookAgain(afterMs: number): void {
    if (!this.#stopped) this.#next = this.#parts.ticker.after(afterMs, () => this.#look());
  }
}
