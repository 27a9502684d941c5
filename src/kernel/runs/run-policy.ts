/** What follows when an attempt of a run did not succeed, and the words for its limits: pure. */
import { formatDuration } from "../../base/duration.ts";
import { retryDelayMs, retryPolicy } from "../../base/retry.ts";
import { DEFAULT_GRACE_PERIOD_MS } from "../../config/defaults.ts";
import type { RetryConfig, WorkflowConfig } from "../../model/config.ts";
import type { Run, RunEvent, RunEventData } from "../../model/run.ts";
import type { LiveRun } from "../memory/run.ts";
import { isLingering } from "./lingering.ts";

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

/** How an attempt that did not succeed goes on. */
export function afterFailure(
  row: Run,
  { error, stack, steps, how }: Failure,
  { retry }: WorkflowConfig,
  deadline: (ms: number) => { readonly until: number; readonly due: number },
): RunEvent {
  const delay = how === "for-good" ? null : attemptDelayMs(row.attempt, retry);
  if (delay !== null) {
    return { event: "run.retrying", data: { ...deadline(delay), attempt: row.attempt + 1, error, stack, steps } };
  }
  if (how === "timed-out") return { event: "run.timed-out", data: { error } };
  return { event: "run.failed", data: { error, stack, steps } };
}

/** An attempt that another came before, and that began no step: whatever had failed was dealt with. */
export const isVain = ({ stepsBegun, failedBefore }: LiveRun): boolean => stepsBegun === 0 && failedBefore !== null;

type RunLimits = Pick<WorkflowConfig, "timeoutMs" | "gracePeriodMs">;

export const timeoutPassed = ({ timeoutMs }: RunLimits): string =>
  `it passed its timeout of ${formatDuration(timeoutMs ?? 0)}`;

/** Which limit `run` has passed. */
export function describeLimit(run: LiveRun, { timeoutMs, gracePeriodMs }: RunLimits): string {
  const grace = formatDuration(gracePeriodMs ?? DEFAULT_GRACE_PERIOD_MS);
  if (isLingering(run)) return `steps it had left under way had not settled within ${grace} of its end`;
  if (run.isOver) return `it had not settled within ${grace} of being cancelled`;
  const timeout = timeoutMs === null ? "" : `${formatDuration(timeoutMs)} timeout and `;
  return `it had not settled at its hard limit, ${timeout}${grace} grace period`;
}
