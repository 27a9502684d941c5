/** Owns the wall clock of one time zone: its time at an instant, and the instant of a time. Pure. */

const DAY_MS = 86_400_000;
/** No zone has changed its offset twice within this time. */
const BETWEEN_CHANGES_MS = DAY_MS / 2;

export class WallClock {
  readonly #format: Intl.DateTimeFormat;

  /** A `tz` of null is the host's zone. */
  constructor(tz: string | null) {
    this.#format = new Intl.DateTimeFormat("en-GB", {
      ...(tz === null ? {} : { timeZone: tz }),
      hourCycle: "h23",
      year: "numeric",
      month: "numeric",
      day: "numeric",
      hour: "numeric",
      minute: "numeric",
      second: "numeric",
    });
  }

  /** The wall-clock time at `at`, as the instant at which a clock of UTC shows the same. */
  shows(at: number): number {
    const parts = Object.fromEntries(this.#format.formatToParts(at).map(({ type, value }) => [type, Number(value)]));
    const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = parts;
    return Date.UTC(year, month - 1, day, hour, minute, second) + (((at % 1000) + 1000) % 1000);
  }

  offset(at: number): number {
    return this.shows(at) - at;
  }

  /** The first instant at which the clock shows `local`. The end of the gap when it never does. */
  first(local: number): number {
    const before = this.offset(local - DAY_MS);
    const after = this.offset(local + DAY_MS);
    for (const offset of [Math.max(before, after), Math.min(before, after)]) {
      if (this.shows(local - offset) === local) return local - offset;
    }
    return this.#changeWithin(local - Math.max(before, after) - 1, local - Math.min(before, after), before);
  }

  /** The first instant after `from`, up to `to`, with another offset than at `from`. Null when there is none. */
  firstChange(from: number, to: number): number | null {
    const offset = this.offset(from);
    let low = from;
    while (low < to) {
      const high = Math.min(to, low + BETWEEN_CHANGES_MS);
      if (this.offset(high) !== offset) return this.#changeWithin(low, high, offset);
      low = high;
    }
    return null;
  }

  /** The first instant after `low` with another offset than `before`. At `high` the offset is another one. */
  #changeWithin(low: number, high: number, before: number): number {
    while (high - low > 1) {
      const middle = Math.floor((low + high) / 2);
      if (this.offset(middle) === before) low = middle;
      else high = middle;
    }
    return high;
  }
}
