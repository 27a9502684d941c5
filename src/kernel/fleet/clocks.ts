/** Owns whose clock is off: of each frame the sender says when it was sent, and the server when it was stored. */
import { clockWords } from "../../model/fleet-concerns.ts";
import type { FleetClock } from "../../model/fleet-status.ts";
import type { Journal } from "../commits/journal.ts";

/** Off from here on, until less than half of it. */
const OFF_MS = 60_000;
/** A clock that jumps to and fro is said this often at most. */
const SAID_MS = 600_000;

export class Clocks {
  readonly #journal: Journal;
  readonly #wallMs: () => number;
  readonly #off = new Map<string, FleetClock>();
  readonly #saidAt = new Map<string, number>();

  constructor(journal: Journal, wallMs: () => number) {
    this.#journal = journal;
    this.#wallMs = wallMs;
  }

  /** By host. */
  get off(): readonly FleetClock[] {
    return [...this.#off.values()];
  }

  /** The clock of `host` is so far ahead, or behind where that is less than 0. */
  see(host: string, aheadMs: number): void {
    const before = this.#off.get(host) ?? null;
    if (Math.abs(aheadMs) < (before === null ? OFF_MS : OFF_MS / 2)) {
      this.#off.delete(host);
      return;
    }
    const now = this.#wallMs();
    const isSame = before !== null && before.ahead_ms < 0 === aheadMs < 0;
    const clock: FleetClock = { host, ahead_ms: aheadMs, since: isSame ? before.since : now };
    this.#off.set(host, clock);
    const saidAt = this.#saidAt.get(host) ?? Number.NEGATIVE_INFINITY;
    if (before !== null || now - saidAt < SAID_MS) return;
    this.#saidAt.set(host, now);
    const message = `the clock of ${host} is ${clockWords(clock)}: signals are too old for reflexes where it is behind by more than \`fleet.fresh\``;
    this.#journal.of("kernel").warn("fleet.clock", message, { host, ahead_ms: aheadMs });
  }

  forget(host: string): void {
    this.#off.delete(host);
    this.#saidAt.delete(host);
  }
}
