/** Which ways runs, workers and the states of reflexes have gone in a world, and how often: what a simulator reaches. */
export class Moves {
  readonly counts = new Map<string, number>();
  readonly #states = new Map<string, string>();

  count(move: string): void {
    this.counts.set(move, (this.counts.get(move) ?? 0) + 1);
  }

  /** `who` is in the state `to` now. `first`: in which state it was before anybody looked. */
  to(kind: string, who: string, first: string, to: string): void {
    const name = `${kind} ${who}`;
    const from = this.#states.get(name) ?? first;
    if (from !== to) this.count(`${kind}: ${from} → ${to}`);
    this.#states.set(name, to);
  }

  /** All that begin with `who` are in the state `to` now. */
  allTo(kind: string, who: string, to: string): void {
    for (const [name, from] of this.#states) {
      if (!name.startsWith(`${kind} ${who}`) || from === to) continue;
      this.count(`${kind}: ${from} → ${to}`);
      this.#states.set(name, to);
    }
  }

  forget(kind: string, who: string): void {
    this.#states.delete(`${kind} ${who}`);
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
