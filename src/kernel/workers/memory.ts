/** Owns the memory of a worker and its children: sampled twice a second where there is a limit. */
import type { Handle, Ticker } from "../time/ticker.ts";

const SAMPLE_MS = 500;

/** Samples of a worker's memory. */
export interface Samples {
  readonly newest: number;
  /** The memory of the ready worker. No task has taken this part. */
  readonly atReady: number;
}

export const NO_SAMPLES: Samples = { newest: 0, atReady: 0 };

/**
 * True when a task that was alone at a death by memory took at least half of the memory that was left. An earlier task may
 * have filled the memory, so running last proves nothing.
 */
export const tookMost = (heldBefore: number | null, killedAt: number, limitBytes: number, atReady: number): boolean =>
  heldBefore !== null && killedAt - heldBefore >= (limitBytes - atReady) / 2;

/** Calls `over` at the second sample in a row that is over the limit. A single sample may be a passing peak. */
export class MemoryWatch {
  readonly #ticker: Ticker;
  readonly #limitBytes: number;
  readonly #held: () => number;
  readonly #over: (held: number) => void;
  #samples = NO_SAMPLES;
  #wasOver = false;
  #next: Handle;

  constructor(ticker: Ticker, limitBytes: number, held: () => number, over: (held: number) => void) {
    this.#ticker = ticker;
    this.#limitBytes = limitBytes;
    this.#held = held;
    this.#over = over;
    this.#next = this.#arm();
  }

  get samples(): Samples {
    return this.#samples;
  }

  isReady(): void {
    const held = this.#held();
    this.#samples = { newest: held, atReady: held };
  }

  stop(): void {
    this.#next.cancel();
  }

  #arm(): Handle {
    return this.#ticker.look(SAMPLE_MS, () => this.#sample());
  }

  #sample(): void {
    const newest = this.#held();
    this.#samples = { ...this.#samples, newest };
    const isOver = newest > this.#limitBytes;
    if (isOver && this.#wasOver) return this.#over(newest);
    this.#wasOver = isOver;
    this.#next = this.#arm();
  }
}
