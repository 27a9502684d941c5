/** Owns the departure of a worker: that the worker is to leave, and who waits for that. */
import type { Leaving } from "./life-state.ts";

/** The message that asks a worker to leave. */
export interface Shutdown {
  readonly type: "shutdown";
  readonly generation: number;
}

export class Departure {
  #how: Leaving | null = null;
  #waiting: (() => void)[] = [];

  get how(): Leaving | null {
    return this.#how;
  }

  /** A stop takes the place of a retirement, and nothing takes the place of a stop. */
  begin(how: Leaving): void {
    if (how === "stop" || this.#how === null) this.#how = how;
  }

  /** Resolves once the departure is over. */
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
