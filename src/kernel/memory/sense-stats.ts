/** What status counts of a sense. Nothing is decided by it. */
import { Histogram } from "../../base/histogram.ts";

const REMEMBERED_DURATIONS = 128;
/** Bounds of the durations of computes. */
const SECONDS = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

export interface SignalPlace {
  readonly id: number;
  /** Unix milliseconds. */
  readonly at: number;
}

/** Counts since the kernel started, and the newest durations. */
export class SenseStats {
  computes = 0;
  nulls = 0;
  errors = 0;
  timeouts = 0;
  /** Computes that killed their worker alone. */
  killed = 0;
  /** Computes that returned a signal. */
  emitted = 0;
  signals = 0;
  missed = 0;
  /** Its newest signal since the kernel started. */
  lastSignal: SignalPlace | null = null;
  /** Its newest signal of an earlier kernel, once that is known; null: none is kept. */
  earlierSignal: SignalPlace | null = null;
  #failure: string | null = null;
  /** Ids of the items of the compute that failed: of those that are still in the inbox. */
  readonly #failedItems = new Set<number>();
  readonly durations = new Histogram(SECONDS);
  readonly #durations: number[] = [];
  #next = 0;

  /** Its newest signal, whichever kernel committed it. */
  get newestSignal(): SignalPlace | null {
    return this.lastSignal ?? this.earlierSignal;
  }

  /** Why its newest compute failed, timed out or was killed; null once one has succeeded since, or all its items are gone. */
  get failure(): string | null {
    return this.#failure;
  }

  /** A compute with `items` failed, timed out or was killed. */
  failed(why: string, items: readonly { readonly id: number }[]): void {
    this.#failure = why;
    this.#failedItems.clear();
    for (const { id } of items) this.#failedItems.add(id);
  }

  succeeded(): void {
    if (this.#failure === null) return;
    this.#failure = null;
    this.#failedItems.clear();
  }

  /** An item was given up. A failure that only such items met is over. */
  dropped(item: number): void {
    if (this.#failedItems.delete(item) && this.#failedItems.size === 0) this.#failure = null;
  }

  took(durationMs: number): void {
    this.durations.observe(durationMs / 1_000);
    this.#durations[this.#next] = durationMs;
    this.#next = (this.#next + 1) % REMEMBERED_DURATIONS;
  }

  /** Milliseconds, or null before the first compute. */
  percentile(share: number): number | null {
    const sorted = [...this.#durations].sort((a, b) => a - b);
    return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? null;
  }
}
