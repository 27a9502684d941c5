/** So many times at once, and one more after each span: who asks for more is refused. Each name has an allowance of its own. */
export class Allowance {
  readonly #most: number;
  readonly #spanMs: number;
  readonly #nowMs: () => number;
  readonly #left = new Map<string, { readonly count: number; readonly at: number }>();

  constructor(most: number, spanMs: number, nowMs: () => number) {
    this.#most = most;
    this.#spanMs = spanMs;
    this.#nowMs = nowMs;
  }

  /** Takes one; false: there is none. */
  take(name: string): boolean {
    const now = this.#nowMs();
    const before = this.#left.get(name) ?? { count: this.#most, at: now };
    const regained = Math.floor((now - before.at) / this.#spanMs);
    const count = Math.min(this.#most, before.count + regained);
    const at = count === this.#most ? now : before.at + regained * this.#spanMs;
    this.#left.set(name, { count: Math.max(0, count - 1), at });
    return count > 0;
  }
}
