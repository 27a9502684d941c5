/** Owns how the two sides of the fleet are: what leaves, and what comes. Each change is logged once, and not each try. */

import type { FleetSide } from "../../model/fleet-status.ts";
import { NO_TRIES } from "../../model/tries.ts";
import type { Journal } from "../commits/journal.ts";
import type { Link } from "./books.ts";

export type Side = Link["side"];

const DOES: Readonly<Record<Side, { readonly now: string; readonly not: string }>> = {
  out: { now: "signals leave for the stream", not: "no signal leaves" },
  in: { now: "signals of other hosts come from the stream", not: "no signal of another host comes in" },
};

/** A process that ends sooner after it connected has not been of use. */
const OF_USE_MS = 30_000;

export class Links {
  readonly #journal: Journal;
  readonly #wallMs: () => number;
  readonly #states = new Map<Side, FleetSide>();
  /** Since when no process has stayed connected; null: there was none. */
  #startingSince: number | null = null;

  constructor(journal: Journal, wallMs: () => number) {
    this.#journal = journal;
    this.#wallMs = wallMs;
  }

  of(side: Side): FleetSide {
    return (
      this.#states.get(side) ?? {
        state: "starting",
        why: null,
        since: this.#startingSince ?? this.#wallMs(),
        ...NO_TRIES,
      }
    );
  }

  /** A side waits for its next try. */
  get isCut(): boolean {
    return [...this.#states.values()].some(({ state }) => state === "offline" || state === "blocked");
  }

  take({ side, state, why, nextMs }: Link): void {
    const now = this.#wallMs();
    const before = this.#states.get(side);
    const isSame = before?.state === state;
    const tries = nextMs === null ? NO_TRIES : { last_try: now, next_try: now + nextMs };
    this.#states.set(side, { state, why, since: isSame ? before.since : now, ...tries });
    // Why nobody answers changes from try to try; why somebody refuses is news.
    if (isSame && (state !== "blocked" || before.why === why)) return;
    const voice = this.#journal.of("kernel");
    const does = DOES[side];
    const because = why === null ? "" : `: ${why}`;
    if (state === "connected") voice.info("fleet.connected", does.now, { side });
    else if (state === "offline") voice.warn("fleet.offline", `${does.not}${because}`, { side });
    else voice.error("fleet.blocked", `${does.not}${because}`, { side });
  }

  /** There is no process that could say anything. */
  forget(): void {
    const now = this.#wallMs();
    const wasOfUse = [...this.#states.values()].some(
      ({ state, since }) => state === "connected" && now - since >= OF_USE_MS,
    );
    if (wasOfUse || this.#startingSince === null) this.#startingSince = now;
    this.#states.clear();
  }
}
