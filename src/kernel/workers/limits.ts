/**
 * What user code is doing in a worker, and until when it may: a pure judgement, and a driver that asks for it again whenever
 * the next limit passes. All times are awake milliseconds ({@link Ticker.awakeMs}), so a pause of the kernel, or of
 * everything, is nobody's fault.
 */
import type { Handle, Ticker } from "../time/ticker.ts";

/** A compute, a run, or (`loading`) the import of a module. */
export interface Activity<Task> {
  readonly task: Task;
  readonly startedAt: number;
  /** Its worker reports that it has passed this one; Infinity: there is none, or somebody else says so. */
  readonly softMs: number;
  /** Its worker is killed when it has passed this one. Infinity: there is none. */
  readonly hardMs: number;
  readonly loading: boolean;
  /** Bytes the worker held when the task began; null: another task ran beside it, so growth proves nothing. */
  readonly heldBefore: number | null;
}

/** A worker that owes an answer and says nothing for this long is not coming back. */
export const SILENCE_MS = 10_000;
/** The worker's own report of a soft limit is this much ahead of the kernel's. */
const REPORT_MS = 250;

/** When the kernel reports the soft limit itself, if there is one: before the hard limit in any case. */
const lateMs = ({ softMs, hardMs }: Pick<Activity<unknown>, "softMs" | "hardMs">): number =>
  softMs === Number.POSITIVE_INFINITY ? softMs : softMs + Math.min(REPORT_MS, (hardMs - softMs) / 2);

/** What is to be judged, at one moment. */
export interface UnderWay<Task> {
  readonly activities: readonly Activity<Task>[];
  /** When the worker was heard last. */
  readonly heardAt: number;
  /** The worker owes an answer although nothing is under way. */
  readonly owesAnswer: boolean;
}

export interface Judgement<Task> {
  /** The first task that has passed its hard limit, or null. */
  readonly overdue: Activity<Task> | null;
  /** Tasks between their soft limit and their hard one. */
  readonly late: readonly Activity<Task>[];
  readonly isSilent: boolean;
  /** When something else may have passed; Infinity: nothing will. */
  readonly nextAt: number;
}

export function judgeLimits<Task>({ activities, heardAt, owesAnswer }: UnderWay<Task>, now: number): Judgement<Task> {
  const overdue = activities.find(({ startedAt, hardMs }) => now - startedAt >= hardMs) ?? null;
  const late = activities.filter((activity) => now - activity.startedAt >= lateMs(activity) && activity !== overdue);
  const ends = activities.flatMap((activity) => [
    activity.startedAt + activity.hardMs,
    ...(late.includes(activity) ? [] : [activity.startedAt + lateMs(activity)]),
  ]);
  // A worker with something under way may be deaf for as long as that may take.
  const listens = activities.length === 0 && owesAnswer;
  const isSilent = listens && now - heardAt >= SILENCE_MS;
  return { overdue, late, isSilent, nextAt: listens ? heardAt + SILENCE_MS : Math.min(...ends) };
}

/** What a driver reports. */
export interface LimitEvents<Task> {
  readonly owesAnswer: () => boolean;
  readonly overdue: (activity: Activity<Task>) => void;
  /** Once for each activity. */
  readonly late: (activity: Activity<Task>) => void;
  readonly silent: () => void;
}

/** Looks when the next limit passes. One look is armed at a time, so a busy worker arms few. */
export class Limits<Task> {
  readonly #ticker: Ticker;
  readonly #events: LimitEvents<Task>;
  readonly #activities = new Map<Task, Activity<Task>>();
  readonly #reported = new Set<Task>();
  #heardAt = 0;
  #look: { readonly at: number; readonly handle: Handle } | null = null;

  constructor(ticker: Ticker, events: LimitEvents<Task>) {
    this.#ticker = ticker;
    this.#events = events;
  }

  get activities(): Activity<Task>[] {
    return [...this.#activities.values()];
  }

  get size(): number {
    return this.#activities.size;
  }

  get heardAt(): number {
    return this.#heardAt;
  }

  /** The worker has said something. */
  hears(): void {
    this.#heardAt = this.#ticker.awakeMs();
  }

  /** The worker owes an answer from now on. */
  expects(): void {
    this.hears();
    this.#watch(this.#heardAt + SILENCE_MS);
  }

  /** User code was entered for `task`, at the newest message. `heldBytes`: of the worker, as it was sampled last. */
  begins(task: Task, limit: Pick<Activity<Task>, "softMs" | "hardMs" | "loading">, heldBytes: number): void {
    const isAlone = this.#activities.size === 0;
    // Two tasks are never alone: neither was the first, from now on.
    if (this.#activities.size === 1) {
      for (const other of this.#activities.values()) this.#activities.set(other.task, { ...other, heldBefore: null });
    }
    const { softMs, hardMs, loading } = limit;
    const startedAt = this.#heardAt;
    const activity = { task, startedAt, softMs, hardMs, loading, heldBefore: isAlone ? heldBytes : null };
    this.#activities.set(task, activity);
    this.#watch(startedAt + Math.min(lateMs(activity), hardMs));
  }

  /** Another hard limit for what is under way, counted from now. */
  extend(task: Task, hardMs: number): void {
    const activity = this.#activities.get(task);
    if (activity === undefined) return;
    const now = this.#ticker.awakeMs();
    this.#activities.set(task, { ...activity, hardMs: now - activity.startedAt + hardMs });
    this.#watch(now + hardMs);
  }

  ends(task: Task): void {
    this.#activities.delete(task);
    this.#reported.delete(task);
  }

  clear(): void {
    this.#activities.clear();
    this.#reported.clear();
  }

  stop(): void {
    this.#look?.handle.cancel();
    this.#look = null;
  }

  /** Looks at `at` at the latest. */
  #watch(at: number): void {
    if (at === Number.POSITIVE_INFINITY || (this.#look !== null && this.#look.at <= at)) return;
    this.stop();
    const delayMs = Math.max(0, at - this.#ticker.awakeMs());
    this.#look = { at, handle: this.#ticker.afterAwake(delayMs, () => this.#judge()) };
  }

  #judge(): void {
    this.#look = null;
    const { owesAnswer, overdue, late, silent } = this.#events;
    const underWay = { activities: this.activities, heardAt: this.#heardAt, owesAnswer: owesAnswer() };
    const found = judgeLimits(underWay, this.#ticker.awakeMs());
    for (const activity of found.late) {
      if (this.#reported.has(activity.task)) continue;
      this.#reported.add(activity.task);
      late(activity);
    }
    if (found.overdue !== null) return overdue(found.overdue);
    if (found.isSilent) return silent();
    this.#watch(found.nextAt);
  }
}
