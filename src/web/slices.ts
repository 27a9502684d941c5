/** Owns the time of one answer: work in slices, the turn given up between them, and an end after two seconds. */

/** So many rows are read at once at most, each time in a read transaction of its own. */
export const SLICE_ROWS = 5_000;
const SLICE_MS = 20;
const DEADLINE_MS = 2_000;

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

export class Slices {
  readonly #endsAt: number;
  #sliceBegan = performance.now();

  constructor(deadlineMs = DEADLINE_MS) {
    this.#endsAt = performance.now() + deadlineMs;
  }

  /** The answer goes out with what it has. */
  get isOver(): boolean {
    return performance.now() >= this.#endsAt;
  }

  /** Between two pieces of work that may each be short: gives the turn up once a slice has passed. */
  async rest(): Promise<void> {
    if (performance.now() - this.#sliceBegan >= SLICE_MS) await this.pause();
  }

  /** Gives the turn up. */
  async pause(): Promise<void> {
    await turn();
    this.#sliceBegan = performance.now();
  }

  /** Runs a generator to its end, a pause at each slice. Null: the deadline came first. */
  async run<T>(steps: Generator<void, T>): Promise<T | null> {
    for (let step = steps.next(); ; step = steps.next()) {
      if (step.done) return step.value;
      if (this.isOver) return null;
      await this.rest();
    }
  }
}
