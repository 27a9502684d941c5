/** How long a failed try waits for the next one: the same rule for a step and for an attempt of a run. */
export interface RetryPolicy {
  /** Tries after the first. */
  readonly limit: number;
  readonly intervalMs: number;
  /** Each wait is this many times the one before. */
  readonly backoff: number;
  readonly maxIntervalMs: number;
}

const INTERVAL_MS = 5_000;
const BACKOFF = 2;
const MAX_INTERVAL_MS = 300_000;

/** The policy with its defaults. A long `intervalMs` is not cut short by a `maxIntervalMs` that nobody wrote. */
export function retryPolicy(
  limit: number,
  intervalMs: number | null,
  backoff: number | null,
  maxIntervalMs: number | null,
): RetryPolicy {
  const first = intervalMs ?? INTERVAL_MS;
  return {
    limit,
    intervalMs: first,
    backoff: backoff ?? BACKOFF,
    maxIntervalMs: maxIntervalMs ?? Math.max(MAX_INTERVAL_MS, first),
  };
}

/** Milliseconds between the failure of try number `attempt` and the next try, or null: there is none. `wishMs`: not before that. */
export function retryDelayMs(retry: RetryPolicy | null, attempt: number, wishMs: number): number | null {
  if (retry === null || attempt > retry.limit) return null;
  const { intervalMs, backoff, maxIntervalMs } = retry;
  // The power is infinite after some tries, and nothing times infinity is no number.
  const growth = Math.min(backoff ** Math.max(0, attempt - 1), Number.MAX_SAFE_INTEGER);
  return Math.min(maxIntervalMs, Math.ceil(Math.max(intervalMs * growth, wishMs)));
}
