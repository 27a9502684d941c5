/** Owns due times: arithmetic on wall-clock milliseconds, no timers. Pure. */

import { followsElapsedTime } from "../base/cron.ts";
import { sha256 } from "../base/digest.ts";
import { WallClock } from "./wall-clock.ts";

/** Returns the first due time strictly after `afterMs`, or null when there is none. */
export interface Calendar {
  next(afterMs: number): number | null;
}

/**
 * The last due time from `due` to `wall`. The search goes backwards, because after years there are too many times to count.
 */
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
  return Number.parseInt(sha256(name).slice(0, 8), 16) % jitterMs;
}

/** Multiples of `intervalMs` counted from `phaseMs`. 0 aligns all senses, an offset of jitter moves one sense. */
export const intervalCalendar = (intervalMs: number, phaseMs: number): Calendar => ({
  next: (afterMs) => (Math.floor((afterMs - phaseMs) / intervalMs) + 1) * intervalMs + phaseMs,
});

/**
 * Five fields or a nickname, in `tz` (null: the host's zone), with the rules of cron(8) for a changed wall clock. Where the
 * minute or the hour begins with `*`, times follow elapsed time: the wall-clock time of an instant counts. Other times are
 * fixed: a left-out time is due at the end of the gap, a repeated time is due the first time.
 */
export function cronCalendar(expression: string, tz: string | null): Calendar {
  const wall = new WallClock(tz);
  return followsElapsedTime(expression) ? elapsedCalendar(expression, wall) : fixedCalendar(expression, wall);
}

const match = (expression: string, afterLocal: number): number | null =>
  Bun.cron.parse(expression, afterLocal, { tz: "UTC" })?.getTime() ?? null;

const fixedCalendar = (expression: string, wall: WallClock): Calendar => ({
  next(afterMs) {
    let local = match(expression, wall.shows(afterMs));
    while (local !== null) {
      const at = wall.first(local);
      if (at > afterMs) return at;
      local = match(expression, local);
    }
    return null;
  },
});

const DAY_MS = 86_400_000;

const elapsedCalendar = (expression: string, wall: WallClock): Calendar => ({
  next(afterMs) {
    let from = afterMs + 1;
    for (;;) {
      const local = match(expression, wall.shows(from) - 1);
      if (local === null) return null;
      const at = local - wall.offset(from);
      // Only a change soon after `from` can repeat wall-clock times from before it. A later change is passed over, because
      // the wall clock shows no match until `local`.
      // over, for the wall shows no match until `local`.
      const isFar = at - from > 2 * DAY_MS;
      const change = wall.firstChange(from, isFar ? from + DAY_MS : at);
      if (change === null && !isFar) return at;
      from = change ?? at - DAY_MS;
    }
  },
});
