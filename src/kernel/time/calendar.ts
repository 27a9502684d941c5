/** When things are due: pure arithmetic on wall-clock milliseconds, no timers. */
import { createHash } from "node:crypto";

/** Answers with the first due time strictly after `afterMs`, or null when there is none. */
export interface Calendar {
  next(afterMs: number): number | null;
}

/** The last due time from `due` to `wall`, looked for backwards: after years there are too many to count through. */
export function newestDue(calendar: Calendar, due: number, wall: number): number {
  let back = 60_000;
  while (wall - back > due && (calendar.next(wall - back) ?? Number.POSITIVE_INFINITY) > wall) back *= 2;
  let newest = due;
  let next = calendar.next(Math.max(due, wall - back));
  while (next !== null && next <= wall) {
    newest = next;
    next = calendar.next(next);
  }
  return newest;
}

/** A fixed offset in [0, jitterMs) that depends on the name alone. */
export function jitterOffset(name: string, jitterMs: number): number {
  if (jitterMs <= 0) return 0;
  return createHash("sha256").update(name).digest().readUInt32BE(0) % jitterMs;
}

/** Multiples of `intervalMs` counted from `phaseMs`: 0 aligns all senses, a jitter's offset moves one. */
export const intervalCalendar = (intervalMs: number, phaseMs: number): Calendar => ({
  next: (afterMs) => (Math.floor((afterMs - phaseMs) / intervalMs) + 1) * intervalMs + phaseMs,
});

const HALF_DAY_MS = 43_200_000;

/** The clock on the wall somewhere: what it shows at an instant, as if that were UTC, and when it shows something. */
class WallClock {
  readonly #format: Intl.DateTimeFormat;

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

  shows(at: number): number {
    const parts = Object.fromEntries(this.#format.formatToParts(at).map(({ type, value }) => [type, Number(value)]));
    const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = parts;
    return Date.UTC(year, month - 1, day, hour, minute, second) + (((at % 1000) + 1000) % 1000);
  }

  #offset(at: number): number {
    return this.shows(at) - at;
  }

  /** The first instant at which it shows `local`; the end of the gap when it never does. */
  first(local: number): number {
    const before = this.#offset(local - HALF_DAY_MS * 2);
    const after = this.#offset(local + HALF_DAY_MS * 2);
    for (const offset of [Math.max(before, after), Math.min(before, after)]) {
      if (this.shows(local - offset) === local) return local - offset;
    }
    let low = local - Math.max(before, after) - 1;
    let high = local - Math.min(before, after);
    while (high - low > 1) {
      const middle = Math.floor((low + high) / 2);
      if (this.#offset(middle) === before) low = middle;
      else high = middle;
    }
    return high;
  }
}

/**
 * Five fields or a nickname, in `tz` (null: the host's). The expression is matched against what the clock on the wall
 * shows, so a time that a change of daylight saving leaves out runs at the gap's end and one it repeats runs once.
 */
export function cronCalendar(expression: string, tz: string | null): Calendar {
  const clock = new WallClock(tz);
  return {
    next(afterMs) {
      let local = clock.shows(afterMs);
      for (;;) {
        const match = Bun.cron.parse(expression, local, { tz: "UTC" });
        if (match === null) return null;
        local = match.getTime();
        const at = clock.first(local);
        if (at > afterMs) return at;
      }
    },
  };
}
