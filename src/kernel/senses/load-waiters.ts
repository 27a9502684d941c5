/** Who waits for a worker to have loaded its senses. `died`: while it loaded them. `idle`: no worker is loading any. */
export type LoadOutcome = "ready" | "died" | "idle";

export class LoadWaiters {
  #waiting: ((outcome: LoadOutcome) => void)[] = [];

  wait(): Promise<LoadOutcome> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  end(outcome: LoadOutcome): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve(outcome);
  }
}
