/** Owns counts of values by size, in the form in which Prometheus reads them. An observation is one search and two additions. */

/** A histogram at one moment. */
export interface Counts {
  /** Upper bounds, ascending. */
  readonly bounds: readonly number[];
  /** How many values were at most the bound of the same place and above the one before. The last count has no bound. */
  readonly counts: readonly number[];
  readonly sum: number;
}

export class Histogram {
  readonly #bounds: readonly number[];
  readonly #counts: number[];
  #sum = 0;

  constructor(bounds: readonly number[]) {
    this.#bounds = bounds;
    this.#counts = new Array(bounds.length + 1).fill(0);
  }

  observe(value: number): void {
    let at = 0;
    while (at < this.#bounds.length && value > (this.#bounds[at] as number)) at++;
    this.#counts[at] = (this.#counts[at] as number) + 1;
    this.#sum += value;
  }

  get counts(): Counts {
    return { bounds: this.#bounds, counts: [...this.#counts], sum: this.#sum };
  }
}
