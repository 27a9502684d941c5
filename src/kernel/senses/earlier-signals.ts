/**
 * Owns the search for the newest signal of each sense that has emitted none since the kernel started. No index leads to that signal, so
 * the search reads the signals from the newest backwards: the first rows at once, the others in pieces between other work.
 */
import type { Store } from "../../store/open.ts";
import type { Sense } from "../memory/sense.ts";
import type { SenseStats } from "../memory/sense-stats.ts";
import type { Handle, Ticker } from "../time/ticker.ts";

const ROWS_AT_ONCE = 5_000;
const ROWS = 5_000;
const BETWEEN_MS = 50;

export interface EarlierSignalsParts {
  readonly store: Pick<Store, "signals">;
  readonly ticker: Pick<Ticker, "after">;
}

export class EarlierSignals {
  readonly #parts: EarlierSignalsParts;
  /** Of each sense that was searched for once: later signals are its own. */
  readonly #known = new WeakSet<SenseStats>();
  #wanted = new Map<string, SenseStats>();
  #next: Handle | null = null;

  constructor(parts: EarlierSignalsParts) {
    this.#parts = parts;
  }

  /** These are all senses from now on. A search that is under way begins anew. */
  search(senses: Iterable<Sense>): void {
    this.#next?.cancel();
    this.#next = null;
    this.#wanted = new Map([...senses].flatMap(({ name, stats }) => (this.#known.has(stats) ? [] : [[name, stats]])));
    this.#read(this.#parts.store.signals.lastId() + 1, ROWS_AT_ONCE);
  }

  #read(below: number, most: number): void {
    if (this.#wanted.size === 0) return;
    const rows = this.#parts.store.signals.sensesBelow(below, most);
    for (const { id, sense, at } of rows) {
      const stats = this.#wanted.get(sense);
      if (stats === undefined || !Number.isSafeInteger(at)) continue;
      stats.earlierSignal = { id, at };
      this.#known.add(stats);
      this.#wanted.delete(sense);
    }
    const oldest = rows.at(-1)?.id;
    if (oldest !== undefined && rows.length === most) {
      this.#next = this.#parts.ticker.after(BETWEEN_MS, () => this.#read(oldest, ROWS));
      return;
    }
    for (const stats of this.#wanted.values()) this.#known.add(stats);
    this.#wanted.clear();
  }
}
