/** What follows when an attempt of a run did not succeed: pure. */
import { retryDelayMs, retryPolicy } from "../../base/retry.ts";
import type { RetryConfig } from "../../model/config.ts";
import type { RunEventData } from "../../model/run.ts";

export interface Failure {
  readonly error: string;
  readonly stack: string | null;
  /** The steps whose failures it was, and which are run again. */
  readonly steps: RunEventData["run.retrying"]["steps"];
  /** `for-good`: another attempt would only fail again. */
  readonly how: "threw" | "timed-out" | "for-good";
}

/** Milliseconds until the attempt after number `attempt`, or null: there is none. */
export function attemptDelayMs(attempt: number, retry: RetryConfig | null): number | null {
  if (retry === null) return null;
  const { limit, intervalMs, backoff, maxIntervalMs } = retry;
  return retryDelayMs(retryPolicy(limit, intervalMs, backoff, maxIntervalMs), attempt, 0);
}
