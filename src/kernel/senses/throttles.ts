/** Owns the `throttle` of senses: how long until the next compute may start, and the timer that wakes a sense then. */
import { type Clock, elapsedSince } from "../../base/clock.ts";
import type { Sense } from "../memory/sense.ts";
import type { Handle, Ticker } from "../time/ticker.ts";

export class Throttles {
  readonly #clock: Clock;
  readonly #ticker: Ticker;
  readonly #wake: (sense: Sense) => void;
  readonly #waiting = new Map<Sense, Handle>();

  constructor(clock: Clock, ticker: Ticker, wake: (sense: Sense) => void) {
    this.#clock = clock;
    this.#ticker = ticker;
    this.#wake = wake;
  }

  #leftMs({ config: { throttleMs }, started }: Sense): number {
    return throttleMs === null || started === null ? 0 : throttleMs - elapsedSince(started, this.#clock);
  }

  holds(sense: Sense): boolean {
    return this.#leftMs(sense) > 0;
  }

  /** The twin of `holds` that also wakes the sense when the throttle is over. */
  delays(sense: Sense): boolean {
    const left = this.#leftMs(sense);
    if (left <= 0) return false;
    if (this.#waiting.has(sense)) return true;
    const handle = this.#ticker.after(left, () => {
      this.#waiting.delete(sense);
      this.#wake(sense);
    });
    this.#waiting.set(sense, handle);
    return true;
  }

  /** The sense need not be woken any longer. */
  forget(sense: Sense): void {
    this.#waiting.get(sense)?.cancel();
    this.#waiting.delete(sense);
  }
}
