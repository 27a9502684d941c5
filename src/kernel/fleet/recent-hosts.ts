/** Owns of which hosts something was seen lately: a name under which two kernels send, or signals that came too late. Such things come and go, so they last for some minutes after the last sign. */
import type { RecentHost } from "../../model/fleet-status.ts";

/** Two kernels take turns that are seconds long, and a host that sends little shows itself with each `beat`. */
const LASTS_MS = 300_000;

export class RecentHosts {
  readonly #wallMs: () => number;
  readonly #seen = new Map<string, RecentHost>();

  constructor(wallMs: () => number) {
    this.#wallMs = wallMs;
  }

  /** True: there was no sign lately. */
  see(host: string): boolean {
    const at = this.#wallMs();
    const newest = this.#seen.get(host);
    const before = newest !== undefined && at - newest.at < LASTS_MS ? newest : null;
    this.#seen.set(host, { host, since: before?.since ?? at, at });
    return before === null;
  }

  /** What was seen is of this host under another name. */
  clear(): void {
    this.#seen.clear();
  }

  get all(): readonly RecentHost[] {
    const now = this.#wallMs();
    return [...this.#seen.values()].filter(({ at }) => now - at < LASTS_MS);
  }
}
