/** Tells a compute that had no time to settle, because everything was stopped, from one that is too slow. */
import type { Flight } from "../memory/flight.ts";
import type { Ticker } from "../time/ticker.ts";

/** After a shorter pause a timeout is believed: the machine is busy, and that is the sense's to bear. */
const LONG_PAUSE_MS = 1_000;

/** Its worker's own clock says that a compute has passed its timeout: true when the pauses since its start made that. */
export function pausesMadeLate({ startedAt, pausedBeforeMs }: Flight, timeoutMs: number, ticker: Ticker): boolean {
  const ranMs = ticker.awakeMs() - (startedAt ?? 0);
  return ticker.pausedMs - pausedBeforeMs >= LONG_PAUSE_MS && ranMs < timeoutMs;
}
