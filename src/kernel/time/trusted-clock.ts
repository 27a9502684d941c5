/** Whether what a wall clock says is old enough to act on: a clock that was set recently is not believed. */
import type { Clock } from "../../base/clock.ts";

export class TrustedClock {
  readonly #clock: Clock;
  readonly #afterMs: number;
  #agreedSinceBootMs: number;

  /** `afterMs`: how long wall and boot clock must have agreed. */
  constructor(clock: Clock, afterMs: number) {
    this.#clock = clock;
    this.#afterMs = afterMs;
    this.#agreedSinceBootMs = clock.bootMs();
  }

  /** The wall clock was set. */
  stepped(): void {
    this.#agreedSinceBootMs = this.#clock.bootMs();
  }

  get isTrusted(): boolean {
    return this.#clock.bootMs() - this.#agreedSinceBootMs >= this.#afterMs;
  }
}
