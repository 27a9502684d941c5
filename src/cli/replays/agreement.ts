/**
 * Firings of a replay beside those that were recorded, or beside those of another configuration: matched as they come, so
 * that only what has found no partner is held.
 */
import type { Firing, Side } from "./backtest.ts";
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
const CLOSE_MS = 10;

const placeOf = ({ signal, key }: Pick<Firing, "signal" | "key">): string => `${signal} ${JSON.stringify(key)}`;

export const NONE: Sample = { count: 0, firings: [] };

const sampleOf = (firings: Iterable<Firing>): Sample => {
  const all = [...firings];
  return { count: all.length, firings: all.slice(0, LISTED) };
};

/** Two deadlines are one: where the clock is set, reading it takes its time. */
const isSameDue = (one: number | null, other: number | null): boolean =>
  one === null || other === null ? one === other : Math.abs(one - other) <= CLOSE_MS;

/** Nothing beyond, where one of the two cannot know. Ids of signals, and times on the axis of the course. */
export interface Edges {
  readonly firstLog: number;
  /** First signal the two have in common. */
  readonly common: number;
  readonly from: number;
  readonly to: number;
  readonly begin: number;
  readonly end: number;
}

/** What one reflex did live, all of it known before the replay begins. */
export class BesideLive {
  readonly #edges: Edges;
  /** By signal and key: a reflex fires once for the two at the most. */
  readonly #live: Map<string, Fired>;
  readonly #unmatched: Firing[] = [];
  #agreed = 0;
  #onlyReplayed = 0;

  constructor(live: readonly Fired[], edges: Edges) {
    this.#edges = edges;
    const ours = live.filter(({ signal }) => signal >= edges.common);
    this.#live = new Map(ours.map((fired) => [placeOf(fired), fired]));
  }

  /** Whether the other one would have it by now: what has found its partner agrees wherever it lies. */
  #isDifferent({ signal, due }: Pick<Firing, "signal" | "due">, elapsed: number): boolean {
    const { firstLog, common, from, to, begin, end } = this.#edges;
    if (elapsed < firstLog || signal < common) return false;
    if (due === null) return signal >= from && signal <= to;
    return elapsed > begin && elapsed <= end - LATE_MS;
  }

  replayed(firing: Firing, elapsed: number): void {
    const place = placeOf(firing);
    const live = this.#live.get(place);
    if (live !== undefined && isSameDue(live.due, firing.due)) {
      this.#live.delete(place);
      this.#agreed++;
    } else if (this.#isDifferent(firing, elapsed)) {
      this.#onlyReplayed++;
      if (this.#unmatched.length < LISTED) this.#unmatched.push(firing);
    }
  }

  result(): Agreement {
    const left = [...this.#live.values()].filter((fired) => this.#isDifferent(fired, fired.elapsed));
    return {
      agreed: this.#agreed,
      onlyLive: sampleOf(left.map(({ signal, key, due, at }) => ({ signal, key, due, at }))),
      onlyReplayed: { count: this.#onlyReplayed, firings: this.#unmatched },
    };
  }
}

/**
 * One reflex in two configurations: a firing for the same signal is the same firing, whenever it comes; with `each` also
 * for the same key, since a signal may have several firings then.
 */
export class BesideOther {
  readonly #isByKey: boolean;
  readonly #open = new Map<string, { readonly side: Side; readonly firing: Firing }>();

  constructor(isByKey: boolean) {
    this.#isByKey = isByKey;
  }

  fired(side: Side, firing: Firing): void {
    const place = this.#isByKey ? placeOf(firing) : String(firing.signal);
    const met = this.#open.get(place);
    if (met !== undefined && met.side !== side) this.#open.delete(place);
    else this.#open.set(place, { side, firing });
  }

  only(wanted: Side): Sample {
    return sampleOf([...this.#open.values()].flatMap(({ side, firing }) => (side === wanted ? [firing] : [])));
  }
}
