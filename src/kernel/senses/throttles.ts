/** Owns the `throttle` of senses: how long until the next compute may start, and the timer that wakes a sense then. */
import { type Clock, elapsedSince } from "../../base/clock.ts";
import type { Sense } from "../memory/sense.ts";
import type { Handle, Ticker } from "../time/ticker.ts";

const REST_MS = 1_000;

export class Throttles {
  readonly #clock: Clock;
  readonly #ticker: Ticker;
  readonly #wake: (sense: Sense) => void;
  /** When a change woke it last, by the boot clock. */
  readonly #woken = new WeakMap<Sense, number>();
  readonly #waiting = new Map<Sense, Handle>();

  constructor(clock: Clock, ticker: Ticker, wake: (sense: Sense) => void) {
    this.#clock = clock;
    this.#ticker = ticker;
    this.#wake = wake;
  }

  /** A compute that a change woke begins. */
  begins(sense: Sense): void {
    if (sense.pending?.reason === "watch") this.#woken.set(sense, this.#clock.bootMs());
  }

  /** More is to be done than one compute could do: the next one need not rest. */
  hurry(sense: Sense): void {
    this.#woken.delete(sense);
  }

  /** What changes often wakes a sense without a throttle once a second. */
  #restMs(sense: Sense): number {
    const wokenAt = sense.pending?.reason === "watch" ? this.#woken.get(sense) : undefined;
    if (wokenAt === undefined || sense.config.throttleMs !== null) return 0;
    return REST_MS - (this.#clock.bootMs() - wokenAt);
  }

  #leftMs({ config: { throttleMs }, started }: Sense): number {
    return throttleMs === null || started === null ? 0 : throttleMs - elapsedSince(started, this.#clock);
  }

  holds(sense: Sense): boolean {
    return this.#leftMs(sense) > 0;
  }

  /** The twin of `holds` that also wakes the sense when the throttle is over. */
  delays(sense: Sense): boolean {
    const left = Math.max(this.#leftMs(sense), this.#restMs(sense));
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
