/** The result of waiting for a worker to load its senses. `died`: the worker died first. `idle`: no worker loads any. */
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
