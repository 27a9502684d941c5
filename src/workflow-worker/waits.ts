/** What an execution waits for: its sleeps, and the time before the next try of a step. */
import type { Timer, Timers } from "../base/timer.ts";
import type { WorkflowMessageOf } from "../ipc/workflow-definitions.ts";

/** A sleep that begins, until that is recorded. */
export type Beginning = WorkflowMessageOf<"suspended">["sleeps"][number];

interface Wait {
  readonly untilMs: number;
  readonly timer: Timer;
  readonly begins: Beginning | null;
}

export class Waits {
  readonly #timers: Timers;
  readonly #changed: () => void;
  readonly #waits = new Set<Wait>();
  #beginnings: Beginning[] = [];

  /** `changed` is called when one begins or is over. */
  constructor(timers: Timers, changed: () => void) {
    this.#timers = timers;
    this.#changed = changed;
  }

  get isEmpty(): boolean {
    return this.#waits.size === 0;
  }

  /** Resolves when `ms` have passed. `begins`: the sleep that begins with it, or null. */
  wait(ms: number, begins: Beginning | null): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const over = (): void => {
      this.#waits.delete(wait);
      resolve();
      this.#changed();
    };
    const wait: Wait = { untilMs: this.#timers.now() + ms, timer: this.#timers.start(ms, over), begins };
    this.#waits.add(wait);
    if (begins !== null) this.#beginnings.push(begins);
    this.#changed();
    return promise;
  }

  /** The sleeps that have begun since this was last called. */
  takeBeginnings(): Beginning[] {
    const taken = this.#beginnings;
    this.#beginnings = [];
    return taken;
  }

  /** Milliseconds until the first one is over. A sleep that begins with this lasts for all of its time. */
  leftMs(beginning: readonly Beginning[]): number {
    const now = this.#timers.now();
    let leftMs = Number.POSITIVE_INFINITY;
    for (const { begins, untilMs } of this.#waits) {
      const left = begins !== null && beginning.includes(begins) ? begins.ms : Math.ceil(untilMs - now);
      leftMs = Math.min(leftMs, left);
    }
    return leftMs;
  }

  stop(): void {
    for (const { timer } of this.#waits) timer.stop();
    this.#waits.clear();
  }
}
