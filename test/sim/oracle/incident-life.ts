/**
 * The life of the incidents of one key: when one opens, matches again and ends. Whoever uses it says when what is due acts.
 * The one model of it; what is reported of an incident is said beside it.
 */
import type { Later } from "./decisions.ts";

export interface LifeWords {
  readonly hasClear: boolean;
  readonly forMs: number | null;
  readonly resolveAfterMs: number;
}

export interface Sight {
  readonly signal: number;
  readonly at: number;
  readonly matches: boolean;
  readonly clears: boolean;
}

export type Move = { readonly kind: "opens" | "again"; readonly signal: number } | { readonly kind: "resolves" };

export class IncidentLife {
  readonly #after: Later;
  isMatching = false;
  isOpen = false;
  /** Since when an open incident does not match. */
  #off: number | null = null;
  /** Since when it matches, and its newest signal, while it waits for `for`. */
  #waits: { readonly since: number; readonly signal: number } | null = null;
  /** It was resolved by hand while it matched. */
  #isSpent = false;

  constructor(after: Later) {
    this.#after = after;
  }

  /** At most one thing is ever due; null: nothing is. */
  due({ forMs, resolveAfterMs }: LifeWords): { readonly at: number; readonly setAt: number } | null {
    const setAt = this.isOpen ? this.#off : (this.#waits?.since ?? null);
    if (setAt === null) return null;
    return { at: this.#after(setAt, this.isOpen ? resolveAfterMs : (forMs ?? 0)), setAt };
  }

  /** What is due acts. */
  acts(): Move {
    const signal = this.#waits?.signal ?? 0;
    this.#off = null;
    this.#waits = null;
    this.isOpen = !this.isOpen;
    return this.isOpen ? { kind: "opens", signal } : { kind: "resolves" };
  }

  /** As many are open as may be: this one does not open. */
  isRefused(): void {
    this.isOpen = false;
  }

  /** Somebody resolves it. */
  resolvedByHand(): void {
    if (!this.isOpen) return;
    this.isOpen = false;
    this.#off = null;
    this.#isSpent = this.isMatching;
  }

  /** `when`, `clear` or `for` is another one: what is open stays, and the next look decides. */
  decidesAnew(): void {
    this.#waits = null;
    if (!this.isOpen && !this.#isSpent) this.isMatching = false;
  }

  hears(words: LifeWords, { signal, at, matches, clears }: Sight): Move | null {
    this.isMatching = words.hasClear ? !clears && (matches || this.isMatching) : matches;
    if (!this.isMatching) {
      this.#isSpent = false;
      this.#waits = null;
      if (!this.isOpen) return null;
      this.#off ??= at;
      return this.#after(this.#off, words.resolveAfterMs) <= at ? this.acts() : null;
    }
    if (this.isOpen) {
      const wasOff = this.#off !== null;
      this.#off = null;
      return wasOff ? { kind: "again", signal } : null;
    }
    if (this.#isSpent) return null;
    this.#waits = { since: this.#waits?.since ?? at, signal };
    return words.forMs === null ? this.acts() : null;
  }
}
