/** Which ways runs, workers and the states of reflexes have gone in a world, and how often: what a simulator reaches. */
export class Moves {
  readonly counts = new Map<string, number>();
  /** Of each kind, the state of each who has one. */
  readonly #states = new Map<string, Map<string, string>>();

  count(move: string): void {
    this.counts.set(move, (this.counts.get(move) ?? 0) + 1);
  }

  /** `who` is in the state `to` now. `first`: in which state it was before anybody looked. */
  to(kind: string, who: string, first: string, to: string): void {
    const states = this.#of(kind);
    const from = states.get(who) ?? first;
    if (from === to) return;
    this.count(`${kind}: ${from} → ${to}`);
    states.set(who, to);
  }

  /** All that begin with `who` are in the state `to` now. */
  allTo(kind: string, who: string, to: string): void {
    const states = this.#of(kind);
    for (const [name, from] of states) {
      if (!name.startsWith(who) || from === to) continue;
      this.count(`${kind}: ${from} → ${to}`);
      states.set(name, to);
    }
  }

  forget(kind: string, who: string): void {
    this.#of(kind).delete(who);
  }

  #of(kind: string): Map<string, string> {
    const known = this.#states.get(kind);
    if (known !== undefined) return known;
    const states = new Map<string, string>();
    this.#states.set(kind, states);
    return states;
  }
}

interface StoredState {
  readonly isMatching?: boolean;
  readonly holding?: unknown;
  readonly counted?: readonly unknown[];
  readonly burst?: unknown;
  readonly throttledUntil?: unknown;
  readonly incident?: {
    readonly open?: { readonly off: unknown; readonly isAcked: boolean; readonly held: readonly unknown[] } | null;
    readonly spent?: unknown;
    readonly owed?: readonly unknown[];
  } | null;
}

/** What a key of a reflex remembers, in words. */
export function stateName(state: unknown): string {
  const { isMatching, holding, counted, burst, throttledUntil, incident } = state as StoredState;
  const open = incident?.open ?? null;
  const words = [
    isMatching ? "matching" : "",
    holding ? "waits for `for`" : "",
    (counted?.length ?? 0) > 0 ? "counting" : "",
    burst ? "debouncing" : "",
    throttledUntil === null || throttledUntil === undefined ? "" : "throttled",
    open === null ? "" : open.isAcked ? "acknowledged" : "open",
    open !== null && open.off !== null ? "off" : "",
    (open?.held.length ?? 0) + (incident?.owed?.length ?? 0) > 0 ? "held back" : "",
    incident?.spent === null || incident?.spent === undefined ? "" : "spent",
  ].filter((word) => word !== "");
  return words.length === 0 ? "rest" : words.join(" + ");
}
