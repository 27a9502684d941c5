/**
 * Trace ids: 32 lowercase hex digits as in W3C Trace Context, the first 12 of them the Unix milliseconds of their birth
 * (as in UUIDv7, RFC 9562), so that everything of a trace is found from that time on without an index on it.
 */
import type { Chance } from "./chance.ts";

export const TRACE_PATTERN = /^[0-9a-f]{32}$/;

/** Randomness is drawn 400 ids at a time: one system call for many ticks. */
export function traceIds(chance: Chance): (wallMs: number) => string {
  let pool = "";
  let used = 0;
  let timeMs = -1;
  let time = "";
  return (wallMs) => {
    if (wallMs !== timeMs) {
      timeMs = wallMs;
      time = wallMs.toString(16).padStart(12, "0");
    }
    if (used === pool.length) {
      pool = chance.bytes(4_000).toString("hex");
      used = 0;
    }
    used += 20;
    return time + pool.slice(used - 20, used);
  };
}

/** Unix milliseconds at which a trace began. */
export const traceTime = (trace: string): number => Number.parseInt(trace.slice(0, 12), 16);

const DAY_MS = 86_400_000;

/**
 * When a trace began, given the time of one of its first rows. A `traceparent` brings ids that were made elsewhere, and of which the first
 * digits are no time: such a trace began with its first row.
 */
export function bornAt(trace: string, firstAt: number): number {
  const time = traceTime(trace);
  return Math.abs(firstAt - time) <= DAY_MS ? time : firstAt;
}

/** The time from which on rows of a trace are sought at the time `now`. An id that was made elsewhere may begin with any digits. */
export function soughtFrom(trace: string, now: number): number {
  const time = traceTime(trace);
  return time > now + DAY_MS ? 0 : time;
}
