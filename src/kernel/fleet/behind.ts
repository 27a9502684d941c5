/** Owns that this host is behind what others send: said once until it has caught up, with who sends most. */
import { counted } from "../../base/counted.ts";
import { duration } from "../../base/times.ts";
import type { FleetBehind } from "../../model/fleet-status.ts";
import type { Journal } from "../commits/journal.ts";
import type { BehindReport } from "./books.ts";

export class Behind {
  readonly #journal: Journal;
  readonly #wallMs: () => number;
  readonly #awakeMs: () => number;
  #now: FleetBehind | null = null;
  #calledAt = Number.NEGATIVE_INFINITY;

  constructor(journal: Journal, wallMs: () => number, awakeMs: () => number) {
    this.#journal = journal;
    this.#wallMs = wallMs;
    this.#awakeMs = awakeMs;
  }

  /** Null: this host has what others send, or cannot know. */
  get now(): FleetBehind | null {
    return this.#now;
  }

  /** Who lives was looked at within this time. */
  isCalled(withinMs: number): boolean {
    return this.#now !== null && this.#awakeMs() - this.#calledAt < withinMs;
  }

  take({ pending, lagMs, busiest, share }: BehindReport): void {
    this.#calledAt = this.#awakeMs();
    const isNew = this.#now === null;
    this.#now = { since: this.#now?.since ?? this.#wallMs(), lag_ms: lagMs, busiest, share };
    if (!isNew) return;
    const most = busiest === null ? "" : `; ${share} % of those that come now are of ${busiest}`;
    const message = `this host is ${duration(lagMs)} behind what others send: ${counted(pending, "frame")} wait${most}`;
    this.#journal.of("kernel").warn("fleet.behind", message, { pending, lag_ms: lagMs, busiest, share });
  }

  hasCaughtUp(): void {
    if (this.#now === null) return;
    const forMs = Math.max(0, this.#wallMs() - this.#now.since);
    this.#now = null;
    this.#journal
      .of("kernel")
      .info("fleet.caught-up", `what others send is here again, after ${duration(forMs)}`, null);
  }

  /** Nothing comes: nobody can say. */
  forget(): void {
    this.#now = null;
  }
}
