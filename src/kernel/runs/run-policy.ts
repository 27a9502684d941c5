/** What follows when an attempt of a run did not succeed: pure. */
import {
  DEFAULT_RETRY_BACKOFF,
  DEFAULT_RETRY_INTERVAL_MS,
  DEFAULT_RETRY_MAX_INTERVAL_MS,
} from "../../config/defaults.ts";
import type { RetryConfig } from "../../model/config.ts";
import type { RunEventData } from "../../model/run.ts";

export interface Failure {
  readonly error: string;
  readonly stack: string | null;
  /** The step whose failure it was, and which is run again. */
  readonly step: RunEventData["run.retrying"]["step"];
  /** `for-good`: another attempt would only fail again. */
  readonly how: "threw" | "timed-out" | "for-good";
}

/** Milliseconds until the attempt after number `attempt`, or null: there is none. */
export function retryDelayMs(attempt: number, retry: RetryConfig | null): number | null {
  if (retry === null || attempt > retry.limit) return null;
  const first = retry.intervalMs ?? DEFAULT_RETRY_INTERVAL_MS;
  // A long `interval` is not cut short by a `max_interval` nobody wrote.
  const most = retry.maxIntervalMs ?? Math.max(first, DEFAULT_RETRY_MAX_INTERVAL_MS);
  const growth = (retry.backoff ?? DEFAULT_RETRY_BACKOFF) ** Math.max(0, attempt - 1);
  return Math.round(Math.min(most, first * growth));
}
