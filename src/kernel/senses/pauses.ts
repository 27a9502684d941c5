/** Tells a compute that had no time to settle, because everything was stopped, from one that is too slow. */
import type { Flight } from "../memory/flight.ts";
import type { Sense } from "../memory/sense.ts";
import type { Ticker } from "../time/ticker.ts";

/** After a shorter pause a timeout is believed: the machine is busy, and that is the sense's to bear. */
const LONG_PAUSE_MS = 1_000;

export class Pauses {
  readonly #ticker: Ticker;
  /** How long this process had been paused when a sense's compute started. */
  readonly #before = new WeakMap<Sense, number>();

  constructor(ticker: Ticker) {
    this.#ticker = ticker;
  }

  hasStarted(sense: Sense): void {
    this.#before.set(sense, this.#ticker.pausedMs);
  }

  /** Its worker's own clock says that a compute has passed its timeout: true when the pauses since its start made that. */
  madeLate(sense: Sense, { startedAt }: Flight, timeoutMs: number): boolean {
    const pausedMs = this.#ticker.pausedMs - (this.#before.get(sense) ?? 0);
    const ranMs = this.#ticker.awakeMs() - (startedAt ?? 0);
    return pausedMs >= LONG_PAUSE_MS && ranMs < timeoutMs;
  }
}
