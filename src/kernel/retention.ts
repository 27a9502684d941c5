/**
 * Removes signals that are older than their retention: a prefix of ids, in small batches between other work. A clock
 * that was set recently is not believed: nothing goes until wall and boot clock have agreed for an hour.
 */
import type { Clock } from "../base/clock.ts";
import type { Store } from "../store/open.ts";
import type { Handle, Ticker } from "./ticker.ts";

const LOOK_EVERY_MS = 60_000;
const BETWEEN_BATCHES_MS = 20;
const BATCH_ROWS = 1_000;
const TRUSTED_AFTER_MS = 3_600_000;

export interface RetentionParts {
  readonly clock: Clock;
  readonly ticker: Ticker;
  readonly store: Store;
  /** True while the store cannot be written. */
  readonly troubled: () => boolean;
}

export class Retention {
  readonly #parts: RetentionParts;
  #retentionMs: number;
  #agreedSinceBootMs: number;
  #next: Handle | null = null;

  constructor(parts: RetentionParts, retentionMs: number) {
    this.#parts = parts;
    this.#retentionMs = retentionMs;
    this.#agreedSinceBootMs = parts.clock.bootMs();
  }

  start(): void {
    this.#next = this.#parts.ticker.after(LOOK_EVERY_MS, () => this.#look());
  }

  keepFor(retentionMs: number): void {
    this.#retentionMs = retentionMs;
  }

  clockStepped(): void {
    this.#agreedSinceBootMs = this.#parts.clock.bootMs();
  }

  stop(): void {
    this.#next?.cancel();
  }

  #look(): void {
    const { clock, ticker, store, troubled } = this.#parts;
    const trusted = clock.bootMs() - this.#agreedSinceBootMs >= TRUSTED_AFTER_MS;
    let removed = 0;
    if (trusted && !troubled()) {
      const now = clock.wallMs();
      removed = store.commit(() => store.signals.removeOldest(now - this.#retentionMs, now, BATCH_ROWS));
    }
    this.#next = ticker.after(removed > 0 ? BETWEEN_BATCHES_MS : LOOK_EVERY_MS, () => this.#look());
  }
}
