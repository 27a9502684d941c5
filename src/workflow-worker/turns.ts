/**
 * Calls of a thread settle one after the other, each once everything that follows from the one before has begun: only so
 * does a race have the winner it had. What is answered from the history has its place there; what is new comes behind it,
 * in the order in which it is done.
 */
interface Turn {
  readonly order: number;
  readonly go: () => void;
}

export class Turns {
  readonly #waiting: Turn[] = [];
  readonly #over: () => void;
  #next: number;

  /** `past`: places of the history. `over` is called when the last one that waited has had its turn. */
  constructor(past: number, over: () => void) {
    this.#next = past;
    this.#over = over;
  }

  get isEmpty(): boolean {
    return this.#waiting.length === 0;
  }

  /** Resolves at the turn of what has this place in the history. */
  at(order: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waiting.push({ order, go: resolve });
    if (this.#waiting.length === 1) setImmediate(this.#take);
    return promise;
  }

  /** Resolves at the turn of what is done now. */
  next(): Promise<void> {
    return this.at(this.#next++);
  }

  /** Nobody's turn comes any more. */
  end(): void {
    this.#waiting.length = 0;
  }

  readonly #take = (): void => {
    const first = this.#waiting.reduce<Turn | null>((one, turn) => (one && one.order <= turn.order ? one : turn), null);
    if (first === null) return;
    this.#waiting.splice(this.#waiting.indexOf(first), 1);
    first.go();
    if (this.isEmpty) this.#over();
    else setImmediate(this.#take);
  };
}
