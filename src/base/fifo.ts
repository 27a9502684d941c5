/**
 * First in, first out, with members that can leave from anywhere. All in O(1): the first of a `Set` is found by walking
 * past those that were deleted before it.
 */
export class Fifo<T> {
  /** In the order they came; some have left since. */
  #line: { readonly item: T; readonly ticket: number }[] = [];
  #head = 0;
  #tickets = 0;
  /** Who is in it, and with which ticket. */
  readonly #members = new Map<T, number>();

  get size(): number {
    return this.#members.size;
  }

  [Symbol.iterator](): Iterator<T> {
    return this.#members.keys();
  }

  /** At the end; one that is in it already keeps its place. */
  add(item: T): void {
    if (this.#members.has(item)) return;
    const ticket = this.#tickets++;
    this.#members.set(item, ticket);
    this.#line.push({ item, ticket });
  }

  delete(item: T): boolean {
    const known = this.#members.delete(item);
    this.#tidy();
    return known;
  }

  /** The first, or null. */
  peek(): T | null {
    for (; this.#head < this.#line.length; this.#head++) {
      const { item, ticket } = this.#line[this.#head] as { item: T; ticket: number };
      if (this.#members.get(item) === ticket) return item;
    }
    return null;
  }

  /** Takes the first, or answers null. */
  shift(): T | null {
    while (this.#head < this.#line.length) {
      const { item, ticket } = this.#line[this.#head++] as { item: T; ticket: number };
      if (this.#members.get(item) !== ticket) continue;
      this.#members.delete(item);
      this.#tidy();
      return item;
    }
    return null;
  }

  /** Places of those that have left are given up once they are the larger part. */
  #tidy(): void {
    if (this.#line.length < 64 || this.#line.length < 2 * this.#members.size) return;
    this.#line = this.#line.slice(this.#head).filter(({ item, ticket }) => this.#members.get(item) === ticket);
    this.#head = 0;
  }
}
