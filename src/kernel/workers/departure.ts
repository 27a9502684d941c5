/** That a worker is to leave, and who waits for it. */
import type { Leaving } from "./life-state.ts";

export class Departure {
  #how: Leaving | null = null;
  #waiting: (() => void)[] = [];

  get how(): Leaving | null {
    return this.#how;
  }

  /** To stop outdoes to retire, and nothing undoes it. */
  begin(how: Leaving): void {
    if (how === "stop" || this.#how === null) this.#how = how;
  }

  /** Resolves once it is over. */
  wait(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  over(): void {
    if (this.#how === "retire") this.#how = null;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }
}
