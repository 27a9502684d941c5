/**
 * Owns `quiet_hours`: whether incidents of a severity are quiet at a moment, and until when. Both follow the local wall
 * clock: a local time that comes twice is quiet twice, and a local time that is left out ends at the change of the clock.
 */
import { DAYS, type QuietHours } from "../model/config.ts";
import { SEVERITIES, type Severity } from "../model/incident.ts";

const DAY_MS = 86_400_000;
const MINUTE_MS = 60_000;

const formats = new Map<string | null, Intl.DateTimeFormat>();

function formatOf(tz: string | null): Intl.DateTimeFormat {
  const known = formats.get(tz);
  if (known !== undefined) return known;
  const fields = { year: "numeric", month: "numeric", day: "numeric", hour: "numeric", minute: "numeric" } as const;
  const format = new Intl.DateTimeFormat("en-u-ca-gregory-nu-latn", {
    ...fields,
    second: "numeric",
    hourCycle: "h23",
    ...(tz === null ? {} : { timeZone: tz }),
  });
  formats.set(tz, format);
  return format;
}

/** The local wall clock at `at`, as if it were UTC. */
function localMs(tz: string | null, at: number): number {
  const part: Record<string, number> = {};
  for (const { type, value } of formatOf(tz).formatToParts(at)) part[type] = Number(value);
  const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = part;
  return Date.UTC(year, month - 1, day, hour, minute, second) + (((at % 1_000) + 1_000) % 1_000);
}

/** 0 is Monday, as in `DAYS`. */
const weekdayOf = (local: number): number => (((Math.floor(local / DAY_MS) + 3) % 7) + 7) % 7;

/** Milliseconds of local time until `quiet` ends. Null when it is not quiet. */
function leftOf({ fromMinute, toMinute, days }: QuietHours, local: number): number | null {
  const time = ((local % DAY_MS) + DAY_MS) % DAY_MS;
  const [from, to] = [fromMinute * MINUTE_MS, toMinute * MINUTE_MS];
  const isOn = (weekday: number): boolean => days === null || days.includes(DAYS[weekday] ?? "mon");
  const today = weekdayOf(local);
  if (from < to) return time >= from && time < to && isOn(today) ? to - time : null;
  // The window belongs to the day on which it begins.
  if (time >= from && isOn(today)) return DAY_MS - time + to;
  return time < to && isOn((today + 6) % 7) ? to - time : null;
}

/** The first millisecond in (`from`, `to`] with another offset than `from`, or null. */
function changeIn(tz: string | null, from: number, to: number): number | null {
  const offset = localMs(tz, from) - from;
  const isSame = (at: number): boolean => localMs(tz, at) - at === offset;
  if (isSame(to)) return null;
  let [before, after] = [from, to];
  while (after - before > 1) {
    const middle = Math.floor((before + after) / 2);
    if (isSame(middle)) before = middle;
    else after = middle;
  }
  return after;
}

function endOf(quiet: QuietHours, at: number): number | null {
  let from = at;
  for (;;) {
    const left = leftOf(quiet, localMs(quiet.tz, from));
    if (left === null) return from === at ? null : from;
    const change = changeIn(quiet.tz, from, from + left);
    if (change === null) return from + left;
    from = change;
  }
}

const isBelow = (severity: Severity, below: Severity): boolean =>
  SEVERITIES.indexOf(severity) < SEVERITIES.indexOf(below);

/** Unix milliseconds until which incidents of `severity` are quiet at `at`, by one window. Null when they are not quiet. */
export function quietUntil(hours: readonly QuietHours[], severity: Severity, at: number): number | null {
  for (const quiet of hours) {
    const end = isBelow(severity, quiet.below) ? endOf(quiet, at) : null;
    if (end !== null) return end;
  }
  return null;
}
