/** Owns durations and times as people read and write them. */
import { parseDuration } from "./duration.ts";

const STEPS = [
  ["d", 86_400_000],
  ["h", 3_600_000],
  ["m", 60_000],
  ["s", 1_000],
] as const;

/** At most two units: `3d 4h`, `2m 5s`, `850 ms`, `0.42 ms`. */
export function duration(ms: number): string {
  if (ms < 10) return Number.isInteger(ms) ? `${ms} ms` : `${ms.toFixed(ms < 1 ? 2 : 1)} ms`;
  if (Math.round(ms) < 1_000) return `${Math.round(ms)} ms`;
  const tenths = Math.round(ms / 100);
  if (tenths < 100 && tenths % 10 !== 0) return `${tenths / 10}s`;
  let left = Math.round(ms / 1_000) * 1_000;
  const parts: string[] = [];
  for (const [unit, size] of STEPS) {
    const count = Math.floor(left / size);
    left -= count * size;
    if (count > 0) parts.push(`${count}${unit}`);
    else if (parts.length > 0) break;
    if (parts.length === 2) break;
  }
  return parts.join(" ");
}

/** `3s ago`, `now`; a time in the future when a clock was set back. */
export const ago = (at: number, now: number): string =>
  Math.abs(now - at) < 1_000
    ? "now"
    : at <= now
      ? `${duration(whole(now - at))} ago`
      : `in ${duration(whole(at - now))}`;

export const until = (at: number, now: number): string =>
  at - now < 1_000 ? "now" : `in ${duration(whole(at - now))}`;

const whole = (ms: number): number => Math.round(ms / 1_000) * 1_000;

/** `--since`: a duration back from `now`, or a date with or without a time. Without a zone the time is local. */
export function parseSince(text: string, now: number): number | null {
  const back = parseDuration(text);
  if (back !== null) return now - back;
  const match = /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d(?:\.\d+)?)?)(Z|[+-]\d\d:?\d\d)?)?$/.exec(text);
  if (match === null) return null;
  const at = Date.parse(`${match[1]}T${match[2] ?? "00:00"}${match[3] ?? ""}`);
  return Number.isNaN(at) ? null : at;
}
