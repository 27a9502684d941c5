/** Which ways runs, workers and the states of reflexes have gone in a world, and how often: what a simulator reaches. */
import { COMES_IN } from "../../../src/model/run.ts";

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

/** Of a worker, as the world sees it. `stuck`: a SIGKILL does not end it. */
const OF_WORKERS = [
  "none → starting",
  "starting → up",
  "starting → gone",
  "starting → leaving",
  "starting → killed",
  "starting → stuck",
  "up → leaving",
  "up → gone",
  "up → killed",
  "up → stuck",
  "leaving → gone",
  "leaving → killed",
  "leaving → stuck",
  "killed → gone",
  "stuck → gone",
];
/** What the state of a key may have in it. */
const OF_STATES = [
  "matching",
  "waits for `for`",
  "counting",
  "debouncing",
  "throttled",
  "open",
  "acknowledged",
  "off",
  "held back",
  "spent",
];

/** How much of what there is was reached, and by name what was not. */
export function reachedIn(counts: ReadonlyMap<string, number>): string[] {
  const moves = [...counts.keys()];
  const ofRuns = Object.entries(COMES_IN).flatMap(([event, states]) => states.map((state) => `${event} when ${state}`));
  const runs = new Set(
    moves.flatMap((move) => {
      const [, state, event] = /^run: (\S+) → \S+ \((\S+)\)$/.exec(move) ?? [];
      return state === undefined ? [] : `${event} when ${state}`;
    }),
  );
  const workers = new Set(moves.map((move) => move.replace("worker: ", "")));
  const reflexMoves = moves.filter((move) => move.startsWith("reflex: "));
  const states = new Set(reflexMoves.flatMap((move) => move.slice("reflex: ".length).split(" → ")));
  const words = new Set([...states].flatMap((state) => state.split(" + ")));
  const line = (what: string, all: readonly string[], reached: ReadonlySet<string>): string => {
    const missing = all.filter((one) => !reached.has(one));
    const not = missing.length === 0 ? "" : `; not reached: ${missing.join(", ")}`;
    return `${what}: ${all.length - missing.length} of ${all.length}${not}`;
  };
  return [
    line("events of runs, by the state in which they come", ofRuns, runs),
    line("moves of workers", OF_WORKERS, workers),
    `${line("words of reflex states", OF_STATES, words)}; ${states.size} states, ${reflexMoves.length} moves between them`,
  ];
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
