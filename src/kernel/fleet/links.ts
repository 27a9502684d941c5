/** Owns how the two sides of the fleet are: what leaves, and what comes. Each change is said once. */

import type { FleetSide } from "../../model/fleet-status.ts";
import type { Journal } from "../commits/journal.ts";
import type { Link } from "./books.ts";

export type Side = Link["side"];

interface State {
  readonly state: FleetSide["state"];
  readonly why: string | null;
  readonly since: number;
}

const DOES: Readonly<Record<Side, { readonly now: string; readonly not: string }>> = {
  out: { now: "signals leave for the stream", not: "no signal leaves" },
  in: { now: "signals of other hosts come from the stream", not: "no signal of another host comes in" },
};

export class Links {
  readonly #journal: Journal;
  readonly #wallMs: () => number;
  readonly #states = new Map<Side, State>();

  constructor(journal: Journal, wallMs: () => number) {
    this.#journal = journal;
    this.#wallMs = wallMs;
  }

  of(side: Side): State {
    return this.#states.get(side) ?? { state: "starting", why: null, since: this.#wallMs() };
  }

  /** A side waits for its next try. */
  get isCut(): boolean {
    return [...this.#states.values()].some(({ state }) => state === "offline" || state === "blocked");
  }

  take({ side, state, why }: Link): void {
    const before = this.#states.get(side);
    if (before?.state === state && before.why === why) return;
    const since = before?.state === state ? before.since : this.#wallMs();
    this.#states.set(side, { state, why, since });
    const voice = this.#journal.of("kernel");
    const { now, not } = DOES[side];
    const because = why === null ? "" : `: ${why}`;
    if (state === "connected") voice.info("fleet.connected", now, { side });
    else if (state === "offline") voice.warn("fleet.offline", `${not}${because}`, { side });
    else voice.error("fleet.blocked", `${not}${because}`, { side });
  }

  /** There is no process that could say anything. */
  forget(): void {
    this.#states.clear();
  }
}
