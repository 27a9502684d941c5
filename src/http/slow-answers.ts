/** Owns the pace of answers to who came with something wrong: ten a second at most, all together. */

const EVERY_MS = 100;

export class SlowAnswers {
  readonly #waiting: { readonly signal: AbortSignal; readonly go: () => void }[] = [];
  #gate: Timer | null = null;

  /** Resolves when a wrong one may be answered. Who leaves meanwhile takes nobody's turn. */
  wait(signal: AbortSignal): Promise<void> {
    return new Promise((go) => {
      this.#waiting.push({ signal, go });
      if (this.#gate === null) this.#next();
    });
  }

  #next(): void {
    this.#gate = null;
    for (let first = this.#waiting.shift(); first !== undefined; first = this.#waiting.shift()) {
      first.go();
      if (first.signal.aborted) continue;
      this.#gate = setTimeout(() => this.#next(), EVERY_MS);
      return;
    }
  }

  close(): void {
    if (this.#gate !== null) clearTimeout(this.#gate);
    this.#gate = null;
    for (const { go } of this.#waiting.splice(0)) go();
  }
}
