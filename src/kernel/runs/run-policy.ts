/** Owns the consequences of an attempt without success, and the words for its limits. Pure. */
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
  /** The steps whose failures ended the attempt. They are run again. */
  readonly steps: RunEventData["run.retrying"]["steps"];
  /** `for-good`: another attempt would fail in the same way. */
  readonly how: "threw" | "timed-out" | "for-good";
}

/** Milliseconds until the attempt after number `attempt`. Null where there is none. */
export function attemptDelayMs(attempt: number, retry: RetryConfig | null): number | null {
  if (retry === null) return null;
  const { limit, intervalMs, backoff, maxIntervalMs } = retry;
  return retryDelayMs(retryPolicy(limit, intervalMs, backoff, maxIntervalMs), attempt, 0);
}

/** The way on after an attempt without success. */
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

/** An attempt after another attempt that began no step, because every failure had been dealt with. */
export const isVain = ({ stepsBegun, failedBefore }: LiveRun): boolean => stepsBegun === 0 && failedBefore !== null;

type RunLimits = Pick<WorkflowConfig, "timeoutMs" | "gracePeriodMs">;

export const timeoutPassed = ({ timeoutMs }: RunLimits): string =>
  `it passed its timeout of ${formatDuration(timeoutMs ?? 0)}`;

/** A sentence about the limit that `run` has passed. */
export function describeLimit(run: LiveRun, { timeoutMs, gracePeriodMs }: RunLimits): string {
  const grace = formatDuration(gracePeriodMs ?? DEFAULT_GRACE_PERIOD_MS);
  if (isLingering(run)) return `steps it had left under way had not settled within ${grace} of its end`;
  if (run.isOver) return `it had not settled within ${grace} of being cancelled`;
  const timeout = timeoutMs === null ? "" : `${formatDuration(timeoutMs)} timeout and `;
  return `it had not settled at its hard limit, ${timeout}${grace} grace period`;
}

export const graceMsOf = ({ gracePeriodMs }: WorkflowConfig): number => gracePeriodMs ?? DEFAULT_GRACE_PERIOD_MS;

/** Running time left to the attempt of `run`. Null without a limit. */
export const timeLeftOf = ({ ranMs }: LiveRun, { timeoutMs }: WorkflowConfig): number | null =>
  timeoutMs === null ? null : Math.max(1, timeoutMs - ranMs);

/** Its worker is killed after this time. */
export function hardMsOf(run: LiveRun, config: WorkflowConfig): number {
  const left = timeLeftOf(run, config);
  return left === null ? Number.POSITIVE_INFINITY : left + graceMsOf(config);
}
