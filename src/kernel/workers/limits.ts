/**
 * Owns the activities of user code in a worker, and their limits: a pure judgement, and a driver that asks for it again
 * when the next limit passes. All times are awake milliseconds ({@link Ticker.awakeMs}), so a pause of the kernel, or of
 * the whole machine, is nobody's fault.
 */
import type { Handle, Ticker } from "../time/ticker.ts";

/** A compute, a run, or (`loading`) the import of a module. */
export interface Activity<Task> {
  readonly task: Task;
  readonly startedAt: number;
  /**
   * After this time the worker reports the activity. Infinity where there is no such limit, or somebody else reports it.
   */
  readonly softMs: number;
  /** After this time the worker is killed. Infinity where there is no such limit. */
  readonly hardMs: number;
  readonly loading: boolean;
  /** Memory of the worker when the task began. Null when another task ran beside it: then growth proves nothing. */
  readonly heldBefore: number | null;
}

/** A worker that owes an answer and says nothing for this long is not coming back. */
export const SILENCE_MS = 10_000;
/** What a worker has noted is looked at no more often. */
const SHORTEST_LOOK_MS = 10;
/** The worker's own report of a soft limit is this much ahead of the kernel's. */
const REPORT_MS = 250;

/** The time at which the kernel itself reports the soft limit, if there is one. It is always before the hard limit. */
export const lateMs = ({ softMs, hardMs }: Pick<Activity<unknown>, "softMs" | "hardMs">): number =>
  softMs === Number.POSITIVE_INFINITY ? softMs : softMs + Math.min(REPORT_MS, (hardMs - softMs) / 2);

/** The state to judge, at one moment. */
export interface UnderWay<Task> {
  readonly activities: readonly Activity<Task>[];
  /** The time of the worker's newest message. */
  readonly heardAt: number;
  /** The worker owes an answer although nothing is under way. */
  readonly owesAnswer: boolean;
}

export interface Judgement<Task> {
  /** The first task that has passed its hard limit, or null. */
  readonly overdue: Activity<Task> | null;
  /** Tasks between their soft limit and their hard limit. */
  readonly late: readonly Activity<Task>[];
  readonly isSilent: boolean;
  /** The time at which another limit may pass. Infinity where none will. */
  readonly nextAt: number;
}

export function judgeLimits<Task>({ activities, heardAt, owesAnswer }: UnderWay<Task>, now: number): Judgement<Task> {
  const overdue = activities.find(({ startedAt, hardMs }) => now - startedAt >= hardMs) ?? null;
  const late = activities.filter((activity) => now - activity.startedAt >= lateMs(activity) && activity !== overdue);
  const ends = activities.flatMap((activity) => [
    activity.startedAt + activity.hardMs,
    ...(late.includes(activity) ? [] : [activity.startedAt + lateMs(activity)]),
  ]);
  // A worker with an activity may be deaf until the limit of the activity.
  const listens = activities.length === 0 && owesAnswer;
  const isSilent = listens && now - heardAt >= SILENCE_MS;
  return { overdue, late, isSilent, nextAt: listens ? heardAt + SILENCE_MS : Math.min(...ends) };
}

/** Hears the driver. */
export interface LimitEvents<Task> {
  /** Called before limits are judged: whoever has begun and is not known yet begins now. */
  readonly reveal: () => void;
  /** The shortest time in which somebody who owes an answer may pass a limit, unseen until then. */
  readonly soonestMs: () => number;
  readonly owesAnswer: () => boolean;
  readonly overdue: (activity: Activity<Task>) => void;
  /** Called once for each activity. */
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

  /** The worker has sent a message. */
  hears(): void {
    this.#heardAt = this.#ticker.awakeMs();
  }

  /** The worker owes an answer from now on. */
  expects(): void {
    this.hears();
    this.#watch(this.#heardAt + Math.min(SILENCE_MS, this.#soonestMs()));
  }

  #soonestMs(): number {
    return Math.max(SHORTEST_LOOK_MS, this.#events.soonestMs());
  }

  /** User code was entered for `task` at `startedAt`. `heldBytes` is the newest sample of the worker's memory. */
  begins(
    task: Task,
    startedAt: number,
    limit: Pick<Activity<Task>, "softMs" | "hardMs" | "loading">,
    heldBytes: number,
  ): void {
    const isAlone = this.#activities.size === 0;
    // The first task is no longer alone, and neither is this one.
    if (this.#activities.size === 1) {
      for (const other of this.#activities.values()) this.#activities.set(other.task, { ...other, heldBefore: null });
    }
    const { softMs, hardMs, loading } = limit;
    const activity = { task, startedAt, softMs, hardMs, loading, heldBefore: isAlone ? heldBytes : null };
    this.#activities.set(task, activity);
    this.#watch(startedAt + Math.min(lateMs(activity), hardMs));
  }

  /** Another hard limit for a task under way, counted from now. */
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

  /** Looks at `at` or earlier. */
  #watch(at: number): void {
    if (at === Number.POSITIVE_INFINITY || (this.#look !== null && this.#look.at <= at)) return;
    this.stop();
    const delayMs = Math.max(0, at - this.#ticker.awakeMs());
    this.#look = { at, handle: this.#ticker.afterAwake(delayMs, () => this.#judge()) };
  }

  #judge(): void {
    this.#look = null;
    const { reveal, owesAnswer, overdue, late, silent } = this.#events;
    reveal();
    const owes = owesAnswer();
    const now = this.#ticker.awakeMs();
    const found = judgeLimits({ activities: this.activities, heardAt: this.#heardAt, owesAnswer: owes }, now);
    for (const activity of found.late) {
      if (this.#reported.has(activity.task)) continue;
      this.#reported.add(activity.task);
      late(activity);
    }
    if (found.overdue !== null) return overdue(found.overdue);
    if (found.isSilent) return silent();
    this.#watch(found.nextAt);
    if (owes) this.#watch(now + this.#soonestMs());
  }
}
