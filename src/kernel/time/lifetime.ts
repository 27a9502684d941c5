/**
 * Owns the one axis of elapsed time for everything that waits durably: whole milliseconds since the first use of this data
 * directory, with suspend and downtime. It runs with the wall clock, so that decisions can be replayed from the times of
 * signals. A change of the clock is subtracted. Across boots only the wall clock is known.
 */
import { type Clock, type Moment, momentOf, STEP_MS, wallAheadMs } from "../../base/clock.ts";
import { readJson } from "../../base/json.ts";

/** A moment on both axes, as it is stored. */
interface Anchor {
  readonly moment: Moment;
  readonly elapsedMs: number;
}

export interface LifetimeStore {
  get(key: string): string | null;
  set(key: string, value: string): void;
  /** The error for a stored value that nerve did not write. */
  damaged(key: string, value: string): Error;
}

const KEY = "lifetime";

/** Null before the first anchor. */
function readAnchor(store: LifetimeStore): Anchor | null {
  const written = store.get(KEY);
  if (written === null) return null;
  const anchor = readJson(written) as { [Key in keyof Anchor]?: unknown } | null | undefined;
  const moment = anchor?.moment as { [Key in keyof Moment]?: unknown } | null | undefined;
  const numbers = [anchor?.elapsedMs, moment?.bootMs, moment?.wallMs];
  if (typeof moment?.bootId !== "string" || !numbers.every(Number.isFinite)) throw store.damaged(KEY, written);
  return anchor as Anchor;
}

export class Lifetime {
  readonly #clock: Clock;
  readonly #store: LifetimeStore;
  /** How far the wall clock is ahead of the axis. */
  #skewMs: number;
  /** How far the wall clock was ahead of the boot clock at the last look. */
  #offsetMs: number;
  #newestMs: number;

  /** The begin of this object, on both axes. */
  readonly began: { readonly elapsedMs: number; readonly wallMs: number };

  /** Goes on from the last anchor in the store. */
  constructor(clock: Clock, store: LifetimeStore) {
    this.#clock = clock;
    this.#store = store;
    const anchor = readAnchor(store);
    const { bootId, bootMs: boot, wallMs: wall } = momentOf(clock);
    let elapsed = 0;
    if (anchor !== null) {
      const { moment, elapsedMs } = anchor;
      const wallPassed = wall - moment.wallMs;
      const bootPassed = boot - moment.bootMs;
      const sameBoot = moment.bootId === bootId;
      // Within a boot the wall clock is trusted as far as the boot clock agrees.
      const passed = sameBoot && Math.abs(wallPassed - bootPassed) > STEP_MS ? bootPassed : wallPassed;
      elapsed = elapsedMs + Math.max(0, Math.round(passed));
    }
    this.#skewMs = wall - elapsed;
    this.#offsetMs = wall - boot;
    this.#newestMs = elapsed;
    this.began = { elapsedMs: elapsed, wallMs: wall };
  }

  /** Never less than it was before. */
  now(): number {
    return this.of(this.#clock.wallMs());
  }

  /** The place of `wallMs`, which was just read from the clock, on the axis. */
  of(wallMs: number): number {
    this.#follow(wallMs);
    this.#newestMs = Math.max(this.#newestMs, wallMs - this.#skewMs);
    return this.#newestMs;
  }

  /** Subtracts a change of the wall clock. */
  #follow(wallMs: number): void {
    const offset = wallAheadMs(this.#clock, wallMs, this.#offsetMs);
    const step = offset - this.#offsetMs;
    this.#offsetMs = offset;
    if (Math.abs(step) > STEP_MS) this.#skewMs += Math.round(step);
  }

  /** How far the wall clock is ahead of the axis. It stays the same as long as nobody sets the clock. */
  get aheadMs(): number {
    this.now();
    return this.#skewMs;
  }

  /** The wall-clock time at `elapsedMs`, as far as it is known now. */
  wallAt(elapsedMs: number): number {
    return elapsedMs + this.#skewMs;
  }

  /** Stores the present anchor, inside a transaction of the store or on its own. */
  keep(): void {
    const moment = momentOf(this.#clock);
    const anchor: Anchor = { moment, elapsedMs: this.of(moment.wallMs) };
    this.#store.set(KEY, JSON.stringify(anchor));
  }
}
