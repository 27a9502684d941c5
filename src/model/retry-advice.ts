/** What a workflow, or a step of it, knows about trying again, attached to the error that it throws. */
export interface RetryAdvice {
  /** False: it would only fail again. */
  readonly again: boolean;
  /** Not before this many milliseconds have passed. */
  readonly waitMs: number;
}

const ADVICE = new WeakMap<object, RetryAdvice>();
const NONE: RetryAdvice = { again: true, waitMs: 0 };

export function withAdvice<Thrown extends Error>(error: Thrown, advice: RetryAdvice): Thrown {
  ADVICE.set(error, advice);
  return error;
}

export const adviceOf = (thrown: unknown): RetryAdvice =>
  (typeof thrown === "object" && thrown !== null ? ADVICE.get(thrown) : undefined) ?? NONE;
