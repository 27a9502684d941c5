/** Owns which names two kernels send under. The two take turns, so a name is in conflict for some minutes after the last sign of that. */
import type { FleetConflict } from "../../model/fleet-status.ts";

/** Turns are seconds long, and a host that sends little shows itself with each `beat`. */
const LASTS_MS = 300_000;

export class Conflicts {
  readonly #wallMs: () => number;
  readonly #seen = new Map<string, FleetConflict>();

  constructor(wallMs: () => number) {
    this.#wallMs = wallMs;
  }

  /** True: the conflict is new. */
  see(host: string): boolean {
    const before = this.all.find((one) => one.host === host);
    const at = this.#wallMs();
    this.#seen.set(host, { host, since: before?.since ?? at, at });
    return before === undefined;
  }

  get all(): readonly FleetConflict[] {
    const now = this.#wallMs();
    return [...this.#seen.values()].filter(({ at }) => now - at < LASTS_MS);
  }
}
