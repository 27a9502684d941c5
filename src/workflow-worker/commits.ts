/** What was said of runs, counted, and who waits until the kernel has committed it. */
interface Waiting {
  readonly seq: number;
  readonly go: () => void;
}

export class Commits {
  #said = 0;
  #committed = 0;
  /** In the order of `seq`. */
  readonly #waiting: Waiting[] = [];

  /** The `seq` of the next message. */
  next(): number {
    this.#said++;
    return this.#said;
  }

  /** Resolves once the message `seq` is committed. To be called in the turn `seq` was taken. */
  async until(seq: number): Promise<void> {
    if (seq <= this.#committed) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waiting.push({ seq, go: resolve });
    return promise;
  }

  /** Everything up to `seq` is committed. False when that much was never said. */
  upTo(seq: number): boolean {
    if (seq > this.#said) return false;
    this.#committed = Math.max(this.#committed, seq);
    while (this.#waiting[0] && this.#waiting[0].seq <= this.#committed) this.#waiting.shift()?.go();
    return true;
  }
}
