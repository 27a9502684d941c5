/**
 * Owns the start of the next worker after a death: the first at once, then later and later, until one has lived for a
 * while.
 */
import { backoffMs, RESTART_BACKOFF } from "../../base/backoff.ts";
import type { Chance } from "../../base/chance.ts";
import type { Handle, Ticker } from "../time/ticker.ts";

const HEALTHY_MS = 60_000;

export class Restarts {
  /** Deaths since the kernel started. */
  count = 0;
  readonly #ticker: Ticker;
  readonly #chance: Chance;
  #failures = 0;
  #lastDeathAt = Number.NEGATIVE_INFINITY;
  #next: Handle | null = null;

  constructor(ticker: Ticker, chance: Chance) {
    this.#ticker = ticker;
    this.#chance = chance;
  }

  /** True while the next worker waits for its turn. */
  get isPending(): boolean {
    return this.#next !== null;
  }

  /** Called when a worker has died. */
  died(): void {
    const now = this.#ticker.awakeMs();
    this.#failures = now - this.#lastDeathAt > HEALTHY_MS ? 1 : this.#failures + 1;
    this.#lastDeathAt = now;
    this.count++;
  }

  /** The culprit is held back: the next worker starts as after a first death. */
  forgive(): void {
    this.#failures = 1;
  }

  /** Calls `start` when the next worker's turn has come. */
  plan(start: () => void): void {
    const delayMs = backoffMs(this.#failures, RESTART_BACKOFF, this.#chance.share());
    if (delayMs === 0) return start();
    this.#next = this.#ticker.after(delayMs, () => {
      this.#next = null;
      start();
    });
  }

  cancel(): void {
    this.#next?.cancel();
    this.#next = null;
  }
}
