/** Owns what the keys of a reflex did over time, as a replay sees it: one stretch after the other, and when the reflex fired. */
import type { Json } from "../base/json.ts";
import { isKeyed, shownKey } from "../rules/key.ts";
import type { KeyState } from "../rules/key-state.ts";
import type { Evaluation, Replayed } from "../rules/replayed.ts";

/** How a key stands. */
export type KeyStanding = "rest" | "matching" | "pending" | "debouncing" | "incident" | "spent";

export interface KeySegment {
  readonly from: number;
  /** Null while it goes on. */
  readonly to: number | null;
  readonly state: KeyStanding;
}

export interface Strip {
  readonly key: Json;
  readonly segments: readonly KeySegment[];
  /** Unix milliseconds of its firings. */
  readonly fired: readonly number[];
}

interface Open {
  readonly segments: { from: number; to: number | null; state: KeyStanding }[];
  readonly fired: number[];
}

/** A page shows no more. */
const MOST_KEYS = 200;
const MOST_SEGMENTS = 500;

function standingOf({ incident, holding, burst, isMatching }: KeyState): KeyStanding {
  if (incident?.open) return "incident";
  if (incident !== null && incident.spent !== null) return "spent";
  if (holding !== null) return "pending";
  if (burst !== null) return "debouncing";
  return isMatching ? "matching" : "rest";
}

export class Strips {
  readonly #from: number;
  readonly #keys = new Map<string, Open>();

  /** Stretches that end before `from` are left out. */
  constructor(from: number) {
    this.#from = from;
  }

  evaluated({ signal, match, after }: Evaluation): void {
    this.#stands(match.key, signal.at, standingOf(after));
  }

  decided({ key, kind, due, at }: Replayed): void {
    const open = this.#of(key);
    if (open === null) return;
    if (kind === "fire") open.fired.push(at);
    const state = open.segments.at(-1)?.state;
    if (due !== null && state === "pending") this.#stands(key, at, "matching");
    if (due !== null && state === "debouncing") this.#stands(key, at, "rest");
  }

  /** The reflex forgot everything. */
  forgot(at: number): void {
    for (const key of this.#keys.keys()) this.#stands(key, at, "rest");
  }

  #of(key: string): Open | null {
    const known = this.#keys.get(key);
    if (known !== undefined) return known;
    if (this.#keys.size >= MOST_KEYS) return null;
    const open: Open = { segments: [], fired: [] };
    this.#keys.set(key, open);
    return open;
  }

  #stands(key: string, at: number, state: KeyStanding): void {
    const open = this.#of(key);
    const last = open?.segments.at(-1);
    if (open === null || last?.state === state) return;
    if (last !== undefined) last.to = at;
    open.segments.push({ from: at, to: null, state });
    if (open.segments.length > MOST_SEGMENTS) open.segments.shift();
  }

  /** By key, in the order in which the keys appeared. */
  taken(key: string | readonly string[] | null): Strip[] {
    return [...this.#keys].map(([name, { segments, fired }]) => ({
      key: isKeyed(key) ? shownKey(name) : null,
      segments: segments.filter(({ to }) => to === null || to > this.#from),
      fired: fired.filter((at) => at >= this.#from),
    }));
  }
}
