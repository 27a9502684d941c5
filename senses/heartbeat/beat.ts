/** What a start, an end and the time say of a job. Pure. */
import type { InboxItem } from "nerve";
import { inARow } from "nerve/checks";

/** A start that has a key, and whose end has not come. */
export interface Start {
  readonly key: string;
  /** Unix milliseconds. */
  readonly at: number;
}

/** What is known of the job. */
export interface Job {
  /** The newest start, in Unix milliseconds; null while the job does not run. */
  readonly started_at: number | null;
  /** The key of the newest start; null where the start has none. */
  readonly key: string | null;
  /** The newest `MAX_STARTS`, in the order in which they came. */
  readonly starts: readonly Start[];
  readonly is_late: boolean;
  readonly failures: number;
  readonly successes: number;
}

const IDLE = { started_at: null, key: null, starts: [], is_late: false } as const;

export const UNKNOWN: Job = { ...IDLE, failures: 0, successes: 0 };

const MAX_STARTS = 20;

export interface Beat {
  readonly state: "running" | "success" | "fail" | "late";
  readonly ok: boolean;
  readonly reason: string | null;
  readonly at: number;
  readonly started_at: number | null;
  readonly duration_ms: number | null;
  readonly exit_code: number | null;
  readonly output: string | null;
  readonly failures: number;
  readonly successes: number;
}

export interface After {
  readonly job: Job;
  /** What is said; null where there is nothing to say. */
  readonly beat: Beat | null;
}

const NOTHING = { duration_ms: null, exit_code: null, output: null };

/** An item that is no ping counts as a success: something came. */
export function afterItem(job: Job, { at, key, type, body }: InboxItem): After {
  if (type === "log") return { job, beat: null };
  if (type === "start") {
    const { failures, successes } = job;
    const starts = key === null ? job.starts : [...without(job.starts, key), { key, at }].slice(-MAX_STARTS);
    const next = { started_at: at, key, starts, is_late: false, failures, successes };
    const beat = { state: "running", ok: failures === 0, reason: null, at, ...NOTHING, started_at: at } as const;
    return { job: next, beat: { ...beat, failures, successes } };
  }
  const { exit_code, duration_ms, output } = readBody(body);
  const isFail = type === "fail" || (exit_code !== null && exit_code !== 0);
  const counts = inARow(job, !isFail);
  const { started_at, left } = ended(job, key);
  return {
    job: { ...left, ...counts },
    beat: {
      state: isFail ? "fail" : "success",
      ok: !isFail,
      reason: isFail ? failureOf(exit_code) : null,
      at,
      started_at,
      duration_ms: duration_ms ?? (started_at === null ? null : Math.max(0, at - started_at)),
      exit_code,
      output,
      ...counts,
    },
  };
}

const without = (starts: readonly Start[], key: string): Start[] => starts.filter((start) => start.key !== key);

/** The start to which an end with `key` belongs, and what is known of the job then. */
function ended(job: Job, key: string | null) {
  const own = job.starts.find((start) => start.key === key);
  if (own === undefined) return { started_at: job.started_at, left: IDLE };
  const starts = without(job.starts, own.key);
  return { started_at: own.at, left: job.key === key ? { ...IDLE, starts } : { ...job, starts } };
}

const failureOf = (exitCode: number | null): string =>
  exitCode === null ? "the job reported that it failed" : `the job ended with exit code ${exitCode}`;

/** Once a start: its end does not come. */
export function afterTime(job: Job, now: number, limitMs: number | null): After {
  const { started_at } = job;
  if (limitMs === null || started_at === null || job.is_late || now - started_at <= limitMs) return { job, beat: null };
  const counts = inARow(job, false);
  const reason = `the job began ${lasted(now - started_at)} ago and has not ended`;
  const beat = { state: "late", ok: false, reason, at: now, ...NOTHING, started_at } as const;
  return { job: { ...job, is_late: true, ...counts }, beat: { ...beat, ...counts } };
}

function lasted(ms: number): string {
  if (ms < 120_000) return `${Math.floor(ms / 1_000)} s`;
  const minutes = Math.floor(ms / 60_000);
  return minutes < 120 ? `${minutes} min` : `${Math.floor(minutes / 60)} h`;
}

/** A body is its sender's: what is not as a ping has it counts for nothing. */
function readBody(body: unknown) {
  const found = (typeof body === "object" && body !== null ? body : {}) as Readonly<Record<string, unknown>>;
  const count = (name: string): number | null =>
    Number.isSafeInteger(found[name]) && Number(found[name]) >= 0 ? Number(found[name]) : null;
  const output = typeof found.output === "string" ? found.output : null;
  return { exit_code: count("exit_code"), duration_ms: count("duration_ms"), output };
}
