/**
 * Owns the eagerness of the JIT. The executable starts with a reluctant JIT (`jitPolicy` of scripts/build.ts): code that runs
 * once a second is not worth the memory and the processor time of its compilation. A process that becomes busy compiles as
 * usual from then on.
 */

/** So many messages within such a time make a process busy: 1,000 senses of 1 s stay below, more of a load does not. */
const BUSY_MESSAGES = 3_000;
const BUSY_WITHIN_MS = 1_000;

/** Calls `busy` once, when as many messages as a busy process has are handled within its time. */
export class BusyWatch {
  readonly #busy: () => void;
  readonly #nowMs: () => number;
  #handled = 0;
  #sinceMs: number;
  #isBusy = false;

  constructor(busy: () => void, nowMs: () => number) {
    this.#busy = busy;
    this.#nowMs = nowMs;
    this.#sinceMs = nowMs();
  }

  get isBusy(): boolean {
    return this.#isBusy;
  }

  handled(messages: number): void {
    if (this.#isBusy) return;
    this.#handled += messages;
    if (this.#handled < BUSY_MESSAGES) return;
    this.#handled = 0;
    const nowMs = this.#nowMs();
    this.#isBusy = nowMs - this.#sinceMs <= BUSY_WITHIN_MS;
    this.#sinceMs = nowMs;
    if (this.#isBusy) this.#busy();
  }
}

/** From here on this process compiles as usual. */
export const compileEagerly = (): void => Bun.unsafe.setJITPolicy(1);

/** For every channel of this process: each reports how many messages a frame held. */
export const CHANNELS = new BusyWatch(compileEagerly, () => performance.now());
