/**
 * Firings of a replay beside those that were recorded, or beside those of another configuration: matched as they come, so
 * that only what has found no partner is held.
 */
import type { Firing, Range, Side } from "./backtest.ts";
import type { Fired } from "./recorded.ts";

/** How many, and the first of them. */
export interface Sample {
  readonly count: number;
  readonly firings: readonly Firing[];
}

export interface Agreement {
  readonly agreed: number;
  readonly onlyLive: Sample;
  readonly onlyReplayed: Sample;
}

/** Differences that are listed, at most, of each reflex and kind. */
export const LISTED = 100;
/** How late a deadline may be noticed: of those that are younger it is not known yet. */
const LATE_MS = 1_000;

export const NONE: Sample = { count: 0, firings: [] };

const sampleOf = (firings: Iterable<Firing>): Sample => {
  const all = [...firings];
  return { count: all.length, firings: all.slice(0, LISTED) };
};

const identityOf = ({ signal, key, due }: Firing): string => `${signal} ${due} ${key}`;

/** What one reflex did live, all of it known before the replay begins. */
export class BesideLive {
  readonly #range: Range;
  readonly #recorded: { readonly first: number; readonly last: number };
  readonly #live: Map<string, Firing>;
  readonly #unmatched: Firing[] = [];
  #agreed = 0;
  #onlyReplayed = 0;

  /** `recorded`: when the first and the last thing was. */
  constructor(live: readonly Fired[], range: Range, recorded: { readonly first: number; readonly last: number }) {
    this.#range = range;
    this.#recorded = recorded;
    const firings = live.map(({ signal, key, due, at }) => ({ signal, key, due, at }));
    const comparable = firings.filter((firing) => this.#isComparable(firing));
    this.#live = new Map(comparable.map((firing) => [identityOf(firing), firing]));
  }

  /** Nothing at the edges, where one of the two cannot know. */
  #isComparable({ signal, due, at }: Firing): boolean {
    const { from, to, since, until, warmFrom } = this.#range;
    const { first, last } = this.#recorded;
    if (at < first || signal < warmFrom) return false;
    if (due === null) return signal >= from && signal <= to;
    return due > since && due <= Math.min(until, last) - LATE_MS;
  }

  replayed(firing: Firing): void {
    if (!this.#isComparable(firing)) return;
    if (this.#live.size > 0 && this.#live.delete(identityOf(firing))) this.#agreed++;
    else {
      this.#onlyReplayed++;
      if (this.#unmatched.length < LISTED) this.#unmatched.push(firing);
    }
  }

  result(): Agreement {
    return {
      agreed: this.#agreed,
      onlyLive: sampleOf(this.#live.values()),
      onlyReplayed: { count: this.#onlyReplayed, firings: this.#unmatched },
    };
  }
}

/** One reflex in two configurations: a firing for the same signal is the same firing, whenever it comes. */
export class BesideOther {
  readonly #open = new Map<number, { readonly side: Side; readonly firing: Firing }>();

  fired(side: Side, firing: Firing): void {
    const met = this.#open.get(firing.signal);
    if (met !== undefined && met.side !== side) this.#open.delete(firing.signal);
    else this.#open.set(firing.signal, { side, firing });
  }

  only(wanted: Side): Sample {
    return sampleOf([...this.#open.values()].flatMap(({ side, firing }) => (side === wanted ? [firing] : [])));
  }
}
