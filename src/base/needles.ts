/**
 * Whether a text holds one of many words, in one pass that skips most of its characters. A window as long as the shortest
 * word moves along the text. The window's last two characters say how far it may move without passing over a word.
 * Source: Wu and Manber, "A fast algorithm for multi-pattern searching", TR-94-17, University of Arizona, 1994.
 */

const PAIRS = 4_096;
const pairOf = (left: number, right: number): number => ((left << 5) ^ right) & (PAIRS - 1);

export class Needles {
  readonly #windowLength: number;
  /** How far the window may move, by the pair at its end. */
  readonly #moves = new Uint16Array(PAIRS);
  /** Words whose window ends with the pair. */
  readonly #ending = new Map<number, string[]>();

  /** Each word has two characters or more. */
  constructor(words: readonly string[]) {
    const shortest = Math.min(...words.map(({ length }) => length), 0xffff);
    if (shortest < 2) throw new Error("a word to look for has two characters or more");
    this.#windowLength = words.length === 0 ? 0 : shortest;
    this.#moves.fill(shortest - 1);
    for (const word of words) this.#add(word);
  }

  #add(word: string): void {
    const length = this.#windowLength;
    for (let end = 2; end <= length; end++) {
      const pair = pairOf(word.charCodeAt(end - 2), word.charCodeAt(end - 1));
      this.#moves[pair] = Math.min(this.#moves[pair] ?? 0, length - end);
      if (end === length) this.#endingWith(pair).push(word);
    }
  }

  #endingWith(pair: number): string[] {
    const words = this.#ending.get(pair) ?? [];
    this.#ending.set(pair, words);
    return words;
  }

  isIn(text: string): boolean {
    const length = this.#windowLength;
    if (length === 0) return false;
    const moves = this.#moves;
    for (let end = length; end <= text.length; ) {
      const pair = pairOf(text.charCodeAt(end - 2), text.charCodeAt(end - 1));
      const move = moves[pair] as number;
      if (move === 0 && this.#endsAt(text, end, pair)) return true;
      end += move === 0 ? 1 : move;
    }
    return false;
  }

  #endsAt(text: string, end: number, pair: number): boolean {
    const begin = end - this.#windowLength;
    return this.#ending.get(pair)?.some((word) => text.startsWith(word, begin)) ?? false;
  }
}
