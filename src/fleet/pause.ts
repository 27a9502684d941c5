/** Waiting that can be ended early, and how long a failed try waits for the next. */

export interface Pace {
  readonly firstRetryMs: number;
  readonly longestRetryMs: number;
  /** While somebody else sends under this name, this host waits for so long, and a random part of it more. */
  readonly claimMs: number;
}

export const PACE: Pace = { firstRetryMs: 100, longestRetryMs: 30_000, claimMs: 3_000 };

/** Between half of the delay and all of it: a thousand hosts do not come back at once. `random` is in [0, 1). */
export const retryAfterMs = ({ firstRetryMs, longestRetryMs }: Pace, failures: number, random: number): number =>
  Math.min(longestRetryMs, firstRetryMs * 2 ** Math.min(failures, 20)) * (0.5 + random / 2);

/** One waiter at a time. A nudge without a waiter ends the next wait at once. */
export class Pause {
  #end: (() => void) | null = null;
  #isNudged = false;

  wait(ms: number): Promise<void> {
    if (this.#isNudged) {
      this.#isNudged = false;
      return Promise.resolve();
    }
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.#end?.(), ms);
      this.#end = () => {
        this.#end = null;
        clearTimeout(timer);
        resolve();
      };
    });
  }

  nudge(): void {
    if (this.#end === null) this.#isNudged = true;
    else this.#end();
  }
}
