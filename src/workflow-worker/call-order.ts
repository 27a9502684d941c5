/**
 * Notices calls of one name whose order is chance: each follows an await of the run's own, beside another such call. What
 * follows at once from a call that settled begins in the same order in every replay.
 */
export const chanceWarning = (name: string): string =>
  `steps called ${JSON.stringify(name)} begin beside one another after awaits of the run's own: which result is whose is chance when the run is run again; put what differs into the name`;

export class CallOrder {
  #isFollowing = false;
  /** Counts the turns in which calls began that follow from nothing of the thread. */
  #turns = 0;
  #isCounted = false;
  /** Turns of the calls that are not over, by name. */
  readonly #pending = new Map<string, Set<{ readonly turn: number }>>();

  /** The run begins, or a call of its thread settles. */
  follows(): void {
    if (this.#isFollowing) return;
    this.#isFollowing = true;
    setImmediate(() => {
      this.#isFollowing = false;
    });
  }

  /**
   * Resolves as `work` does, which is a call of `name`. `warn` is called where another call of that name, begun in another
   * turn by chance as well, is not over.
   */
  async watch<T>(name: string, work: () => Promise<T>, warn: () => void): Promise<T> {
    if (this.#isFollowing) return work();
    const call = { turn: this.#turn() };
    const pending = this.#pending.get(name) ?? new Set();
    if ([...pending].some(({ turn }) => turn !== call.turn)) warn();
    this.#pending.set(name, pending.add(call));
    try {
      return await work();
    } finally {
      pending.delete(call);
      if (pending.size === 0) this.#pending.delete(name);
    }
  }

  #turn(): number {
    if (!this.#isCounted) {
      this.#isCounted = true;
      this.#turns++;
      setImmediate(() => {
        this.#isCounted = false;
      });
    }
    return this.#turns;
  }
}
