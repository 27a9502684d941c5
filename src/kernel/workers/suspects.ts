/**
 * Owns the suspects: tasks that were under way together when their worker died. Any of them may have killed it, so each
 * runs again without the others until it is cleared (G5). Also says which ready tasks may go next. The senses of a group
 * take turns with their suspects ({@link Suspects.inTurns}). The runs of a workflow wait for theirs ({@link
 * Suspects.oneAtATime}), because a run takes minutes where a compute takes seconds.
 */
export class Suspects<Task> {
  readonly #tasks = new Set<Task>();
  #isSuspectsTurn = true;

  get size(): number {
    return this.#tasks.size;
  }

  has(task: Task): boolean {
    return this.#tasks.has(task);
  }

  add(task: Task): void {
    this.#tasks.add(task);
  }

  /** `task` has not killed its worker, or never runs again. False when `task` was not suspected. */
  clear(task: Task): boolean {
    return this.#tasks.delete(task);
  }

  /** Clears every suspect that `stays` refuses. */
  retain(stays: (task: Task) => boolean): void {
    for (const task of this.#tasks) if (!stays(task)) this.#tasks.delete(task);
  }

  /**
   * The worker has died. The neighbours go first: they have waited for a worker, and a suspect may cost them the next one,
   * too.
   */
  neighboursFirst(): void {
    this.#isSuspectsTurn = false;
  }

  /**
   * The tasks of `ready` that go next while nothing is under way. Without suspects all go. Otherwise one suspect goes
   * alone, then the others go together, in turns. A side without ready tasks keeps its turn.
   */
  inTurns(ready: readonly Task[]): readonly Task[] {
    if (this.#tasks.size === 0) return ready;
    const suspects = ready.filter((task) => this.#tasks.has(task)).slice(0, 1);
    const others = ready.filter((task) => !this.#tasks.has(task));
    if (suspects.length === 0 || others.length === 0) return [...suspects, ...others];
    const isSuspectsTurn = this.#isSuspectsTurn;
    this.#isSuspectsTurn = !isSuspectsTurn;
    return isSuspectsTurn ? suspects : others;
  }

  /**
   * The tasks of `ready` that may go beside `underWay`. Without suspects all go. Otherwise one suspect goes, the first by
   * `order`, as long as no other suspect is under way.
   */
  oneAtATime(
    ready: readonly Task[],
    underWay: readonly Task[],
    order: (left: Task, right: Task) => number,
  ): readonly Task[] {
    if (this.#tasks.size === 0) return ready;
    if (underWay.some((task) => this.#tasks.has(task))) return [];
    return ready
      .filter((task) => this.#tasks.has(task))
      .sort(order)
      .slice(0, 1);
  }
}
