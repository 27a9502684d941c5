/** Owns the distinction between a slow compute, and a compute that had no time to settle because everything was stopped. */
import type { Flight } from "../memory/flight.ts";
import type { Ticker } from "../time/ticker.ts";

/** After a shorter pause a timeout counts: the machine is busy, and a sense must bear that. */
const LONG_PAUSE_MS = 1_000;

/** The worker's own clock reports a timeout. True when the pauses since the start of the compute caused it. */
export function pausesMadeLate({ startedAt, pausedBeforeMs }: Flight, timeoutMs: number, ticker: Ticker): boolean {
  const ranMs = ticker.awakeMs() - (startedAt ?? 0);
  return ticker.pausedMs - pausedBeforeMs >= LONG_PAUSE_MS && ranMs < timeoutMs;
}
