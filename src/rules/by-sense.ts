/**
 * Owns the question who listens to a sense: by its name for a sense of this host, by patterns for those of others. The answer for
 * a sense of another host is kept, because its signals come again and again.
 */
import { isRemote, matchesName } from "../model/full-name.ts";

/** The names come from other hosts: so many answers are kept at a time. */
const MOST_KEPT = 16_384;

export class BySense<T> {
  readonly #own = new Map<string, T[]>();
  readonly #remote: { readonly pattern: string; readonly item: T }[] = [];
  readonly #kept = new Map<string, readonly T[]>();

  clear(): void {
    this.#own.clear();
    this.#remote.length = 0;
    this.#kept.clear();
  }

  /** `on`: full names, and patterns of senses of other hosts. */
  add(on: readonly string[], item: T): void {
    for (const name of new Set(on)) {
      if (isRemote(name)) this.#remote.push({ pattern: name, item });
      else this.#own.set(name, [...(this.#own.get(name) ?? []), item]);
    }
    this.#kept.clear();
  }

  /** Those that listen to a sense of this host, in the order in which they were added. */
  to(sense: string): readonly T[] | null {
    return this.#own.get(sense) ?? null;
  }

  /** The same for the full name of a sense of another host. */
  toRemote(fullName: string): readonly T[] {
    const known = this.#kept.get(fullName);
    if (known !== undefined) return known;
    const found = [
      ...new Set(this.#remote.filter(({ pattern }) => matchesName(pattern, fullName)).map(({ item }) => item)),
    ];
    if (this.#kept.size >= MOST_KEPT) this.#kept.clear();
    this.#kept.set(fullName, found);
    return found;
  }

  /** Those that listen to `name`, whichever host it is of. */
  toAny(name: string): readonly T[] {
    return isRemote(name) ? this.toRemote(name) : (this.to(name) ?? []);
  }

  /** Every name and pattern that anybody listens to. */
  get names(): string[] {
    return [...this.#own.keys(), ...new Set(this.#remote.map(({ pattern }) => pattern))];
  }
}
