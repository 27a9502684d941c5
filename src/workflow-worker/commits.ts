/** Reports on runs, counted, and the threads that wait until the kernel has committed them. */
interface Waiting {
  readonly seq: number;
  readonly go: () => void;
}

export class Commits {
  #reported = 0;
  #committed = 0;
  /** In the order of `seq`. */
  readonly #waiting: Waiting[] = [];

  /** The `seq` of the next report. */
  next(): number {
    this.#reported++;
    return this.#reported;
  }

  /** Resolves once the report `seq` is committed. To be called in the turn in which `seq` was taken. */
  async until(seq: number): Promise<void> {
    if (seq <= this.#committed) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waiting.push({ seq, go: resolve });
    return promise;
  }

  /** Everything up to `seq` is committed. False when so many were never reported. */
  upTo(seq: number): boolean {
    if (seq > this.#reported) return false;
    this.#committed = Math.max(this.#committed, seq);
    while (this.#waiting[0] && this.#waiting[0].seq <= this.#committed) this.#waiting.shift()?.go();
    return true;
  }
}
