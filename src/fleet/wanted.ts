/** Which hosts and senses this host receives: `HOST/SENSE`, with `*` on either side. */
import { matches } from "../base/glob.ts";
import type { CarriedSignal } from "./frame.ts";

export class Wanted {
  readonly #patterns: readonly (readonly [host: string, sense: string])[];
  readonly #senses = new Map<string, readonly string[]>();

  constructor(receive: readonly string[]) {
    this.#patterns = receive.map((pattern) => {
      const slash = pattern.indexOf("/");
      return [pattern.slice(0, slash), pattern.slice(slash + 1)];
    });
  }

  get isNothing(): boolean {
    return this.#patterns.length === 0;
  }

  /** Whether anything of `host` is received. */
  isFrom(host: string): boolean {
    return this.#of(host).length > 0;
  }

  of(host: string, signals: readonly CarriedSignal[]): readonly CarriedSignal[] {
    const senses = this.#of(host);
    if (senses.includes("*")) return signals;
    return signals.filter(({ sense }) => senses.some((pattern) => matches(pattern, sense)));
  }

  /** The patterns for senses of `host`. */
  #of(host: string): readonly string[] {
    const known = this.#senses.get(host);
    if (known !== undefined) return known;
    const senses = this.#patterns.filter(([pattern]) => matches(pattern, host)).map(([, sense]) => sense);
    this.#senses.set(host, senses);
    return senses;
  }
}
