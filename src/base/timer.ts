/** Timers for any length of time: one that is set for longer than the runtime's longest fires at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

export interface Timer {
  stop(): void;
}

/** A clock and its timers. */
export interface Timers {
  /** Milliseconds; only the difference between two means something. */
  now(): number;
  /** Calls `act` when `ms` have passed by that clock, never before. */
  start(ms: number, act: () => void): Timer;
}

/** Calls `act` when `ms` have passed by the monotonic clock, never before. */
export function startTimer(ms: number, act: () => void): Timer {
  // It would be armed again and again, and never act.
  if (Number.isNaN(ms)) throw new TypeError("a timer needs a number of milliseconds");
  const until = performance.now() + ms;
  let timer: ReturnType<typeof setTimeout>;
  const arm = (): void => {
    const left = Math.ceil(until - performance.now());
    if (left <= 0) return act();
    timer = setTimeout(arm, Math.min(left, LONGEST_TIMER_MS));
  };
  timer = setTimeout(arm, Math.min(Math.max(1, Math.ceil(ms)), LONGEST_TIMER_MS));
  return { stop: () => clearTimeout(timer) };
}

export const REAL_TIMERS: Timers = { now: () => performance.now(), start: startTimer };

/** Milliseconds since `startedAt` of `performance.now()`, to the microsecond. */
export const elapsedMs = (startedAt: number): number => Math.round((performance.now() - startedAt) * 1000) / 1000;

/** Calls `fire` once after `delayMs`, unless what it answers with is called before. */
export type Alarm = (delayMs: number, fire: () => void) => () => void;

/** For at most some minutes: longer ones are {@link startTimer}'s. */
export const SYSTEM_ALARM: Alarm = (delayMs, fire) => {
  const timer = setTimeout(fire, delayMs);
  return () => clearTimeout(timer);
};

/** Resolves after `delayMs`. */
export const passing = (alarm: Alarm, delayMs: number): Promise<void> =>
  new Promise((resolve) => void alarm(delayMs, resolve));
