/**
 * Owns the comparison of a replay's firings with the recorded firings, or with the firings of another configuration. Firings
 * are matched as they come: memory holds only the firings without a partner.
 */

import type { Fired } from "../../replays/recorded.ts";
import type { Firing, Side } from "./backtest.ts";

/** The number of firings, and the first of them. */
export interface Sample {
  readonly count: number;
  readonly firings: readonly Firing[];
}

export interface Agreement {
  readonly agreed: number;
  readonly onlyLive: Sample;
  readonly onlyReplayed: Sample;
}

/** At most this many differences are listed for each reflex and kind. */
export const LISTED = 100;
/** The kernel may notice a deadline this late. Whether a younger deadline fires is not known yet. */
const LATE_MS = 1_000;
const CLOSE_MS = 10;

const placeOf = ({ signal, key }: Pick<Firing, "signal" | "key">): string => `${signal} ${JSON.stringify(key)}`;

export const NONE: Sample = { count: 0, firings: [] };

const sampleOf = (firings: Iterable<Firing>): Sample => {
  const all = [...firings];
  return { count: all.length, firings: all.slice(0, LISTED) };
};

/** Two close deadlines count as one: when the clock is set, the reading of the clock takes time. */
const isSameDue = (one: number | null, other: number | null): boolean =>
  one === null || other === null ? one === other : Math.abs(one - other) <= CLOSE_MS;

/** Beyond these edges one of the two sides cannot know a firing. Ids are ids of signals. Times are on the axis of the course. */
export interface Edges {
  readonly firstLog: number;
  /** The first signal that the two sides have in common. */
  readonly common: number;
  readonly from: number;
  readonly to: number;
  readonly begin: number;
  readonly end: number;
}

/** The live firings of one reflex. All are known before the replay begins. */
export class BesideLive {
  readonly #edges: Edges;
  /** Live firings by signal and key. A reflex fires at most once for one signal and one key. */
  readonly #live: Map<string, Fired>;
  readonly #unmatched: Firing[] = [];
  #agreed = 0;
  #onlyReplayed = 0;

  constructor(live: readonly Fired[], edges: Edges) {
    this.#edges = edges;
    const ours = live.filter(({ signal }) => signal >= edges.common);
    this.#live = new Map(ours.map((fired) => [placeOf(fired), fired]));
  }

  /** True when the other side would have this firing by now. A firing with a partner agrees, wherever it lies. */
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
 * One reflex in two configurations. Two firings for the same signal are the same firing, whenever they come. With `each` they
 * must also have the same key, since a signal may then have several firings.
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
