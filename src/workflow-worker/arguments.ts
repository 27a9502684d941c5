/** What an author hands to the thread, checked. */
import { parseDuration } from "../base/duration.ts";
import { err, ok, type Result } from "../base/result.ts";
import { type RetryPolicy, retryPolicy } from "../base/retry.ts";
import type { Step } from "../sdk/index.ts";

export interface SleepCall {
  /** As written: a sleep is known by it. */
  readonly duration: string;
  readonly name: string | null;
  readonly ms: number;
}

export interface StepCall {
  readonly name: string;
  readonly act: (step: Step) => unknown;
  readonly retry: RetryPolicy | null;
}

const LONGEST_NAME = 200;
const LONGEST_MS = 36_500 * 86_400_000;

const quote = (value: unknown): string =>
  typeof value === "string"
    ? JSON.stringify(value.slice(0, 80))
    : typeof value === "number"
      ? `${value}`
      : typeof value;

/** Milliseconds of `250ms`, `5s`, `10m`, `1h`, `7d`, or of a number of them. `what` begins the sentence about what is wrong. */
export function readDuration(what: string, value: unknown): Result<number, string> {
  const ms = typeof value === "string" ? parseDuration(value) : typeof value === "number" ? Math.ceil(value) : null;
  if (ms === null || !(ms >= 0)) {
    return err(`${what} must be a duration such as "15m", or milliseconds, not ${quote(value)}`);
  }
  return ms <= LONGEST_MS ? ok(ms) : err(`${what} must be at most 36500d, not ${quote(value)}`);
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const stranger = (given: object, known: readonly string[]): string | undefined =>
  Object.keys(given).find((key) => !known.includes(key));

function readRetry(what: string, given: unknown): Result<RetryPolicy | null, string> {
  if (given === undefined) return ok(null);
  if (!isObject(given)) return err(`${what} must be an object such as { limit: 3 }, not ${quote(given)}`);
  const unknown = stranger(given, ["limit", "interval", "backoff", "max_interval"]);
  if (unknown !== undefined) return err(`${what} has limit, interval, backoff and max_interval, not ${quote(unknown)}`);
  const { limit, interval, backoff, max_interval } = given;
  if (!Number.isSafeInteger(limit) || Number(limit) < 0) {
    return err(`${what}.limit must be a whole number of tries after the first, not ${quote(limit)}`);
  }
  if (backoff !== undefined && !(Number.isFinite(backoff) && Number(backoff) >= 1)) {
    return err(`${what}.backoff must be a number of at least 1, not ${quote(backoff)}`);
  }
  const every = readOptional(`${what}.interval`, interval);
  if (!every.ok) return every;
  const longest = readOptional(`${what}.max_interval`, max_interval);
  if (!longest.ok) return longest;
  const growth = backoff === undefined ? null : Number(backoff);
  return ok(retryPolicy(Number(limit), every.value, growth, longest.value));
}

const readOptional = (what: string, value: unknown): Result<number | null, string> =>
  value === undefined ? ok(null) : readDuration(what, value);

const isName = (name: unknown): name is string =>
  typeof name === "string" && name !== "" && name.length <= LONGEST_NAME;

export function readSleepCall(duration: unknown, name: unknown): Result<SleepCall, string> {
  const ms = readDuration("thread.sleep", duration);
  if (!ms.ok) return ms;
  if (name !== undefined && !isName(name)) {
    return err(`the name of a thread.sleep must be a text of 1 to ${LONGEST_NAME} characters, not ${quote(name)}`);
  }
  return ok({ duration: `${duration}`, name: name ?? null, ms: ms.value });
}

export function readStepCall(name: unknown, act: unknown, options: unknown): Result<StepCall, string> {
  if (!isName(name)) {
    return err(`thread.step needs a name of 1 to ${LONGEST_NAME} characters, not ${quote(name)}`);
  }
  const what = `thread.step(${quote(name)})`;
  if (typeof act !== "function") return err(`${what} needs a function, not ${quote(act)}`);
  const given = options ?? {};
  if (!isObject(given)) return err(`the options of ${what} must be an object, not ${quote(given)}`);
  const unknown = stranger(given, ["retry"]);
  if (unknown !== undefined) return err(`the options of ${what} are \`retry\`, not ${quote(unknown)}`);
  const retry = readRetry(`the retry of ${what}`, given.retry);
  return retry.ok ? ok({ name, act: act as StepCall["act"], retry: retry.value }) : retry;
}
