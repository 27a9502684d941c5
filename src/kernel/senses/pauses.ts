/** Owns the distinction between a slow compute, and a compute that had no time to settle because everything was stopped. */
import type { Flight } from "../memory/flight.ts";
import type { Ticker } from "../time/ticker.ts";

/** After a shorter pause a timeout counts: the machine is busy, and a sense must bear that. */
const LONG_PAUSE_MS = 1_000;

/** The worker's own clock reports a timeout after `durationMs`. True when the pauses since the compute was sent caused it. */
export function pausesMadeLate(
  { pausedBeforeMs }: Flight,
  durationMs: number,
  timeoutMs: number,
  ticker: Ticker,
): boolean {
  // Before anything else: a pause is noticed by a look at the clock.
  ticker.awakeMs();
  const pausedMs = ticker.pausedMs - pausedBeforeMs;
  return pausedMs >= LONG_PAUSE_MS && durationMs - pausedMs < timeoutMs;
}
