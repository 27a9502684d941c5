/** Timers in a time that passes by hand. */
import type { Timers } from "../../../src/base/timer.ts";

export const immediate = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Virtual time: moves from one timer to the next. */
export class HandTimers implements Timers {
  time = 0;
  readonly #armed = new Set<{ readonly at: number; readonly act: () => void }>();

  now = (): number => this.time;

  start(ms: number, act: () => void) {
    const timer = { at: this.time + ms, act };
    this.#armed.add(timer);
    return { stop: () => void this.#armed.delete(timer) };
  }

  get isEmpty(): boolean {
    return this.#armed.size === 0;
  }

  /** Fires the next one. */
  fire(): void {
    const next = [...this.#armed].reduce((one, other) => (other.at < one.at ? other : one));
    this.#armed.delete(next);
    this.time = Math.max(this.time, next.at);
    next.act();
  }

  clear(): void {
    this.#armed.clear();
  }
}
