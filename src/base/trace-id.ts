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
