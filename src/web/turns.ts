/**
 * Owns the order in which those go on who have much to do: one piece of work in each turn of the event loop, whoever waits. So
 * requests are answered between two pieces, however many followers catch up.
 */

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

export class Turns {
  #last: Promise<void> = Promise.resolve();

  /** Resolves in a turn that nobody else was given. */
  next(): Promise<void> {
    this.#last = this.#last.then(nextTurn);
    return this.#last;
  }
}
