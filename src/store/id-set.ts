/** A set of ids as ranges: a million that came in order and without gaps take the space of one. */
export class IdSet {
  /** Ascending, apart from each other by more than one. */
  readonly #ranges: { from: number; to: number }[] = [];
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get lowest(): number | null {
    return this.#ranges[0]?.from ?? null;
  }

  has(id: number): boolean {
    const range = this.#ranges[this.#at(id)];
    return range !== undefined && range.from <= id;
  }

  add(id: number): void {
    const at = this.#at(id);
    const after = this.#ranges[at];
    if (after !== undefined && after.from <= id) return;
    this.#size++;
    const before = this.#ranges[at - 1];
    const joinsBefore = before?.to === id - 1;
    const joinsAfter = after?.from === id + 1;
    if (joinsBefore && joinsAfter) this.#ranges.splice(at - 1, 2, { from: before.from, to: after.to });
    else if (joinsBefore) before.to = id;
    else if (joinsAfter) after.from = id;
    else this.#ranges.splice(at, 0, { from: id, to: id });
  }

  /** Index of the first range that ends at `id` or above. */
  #at(id: number): number {
    let low = 0;
    let high = this.#ranges.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#ranges[middle]?.to ?? 0) < id) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
