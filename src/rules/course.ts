/**
 * Owns what happened beside the signals of a replay, and the axis of elapsed time that is read off the times of signals.
 * The axis is the wall clock without its changes since the first signal. Known changes of the clock are subtracted; an
 * unexplained step back counts as no time passing.
 */

/** A time in which nerve was down. A deadline that passed in it acts at its end. */
export interface Down {
  readonly from: number;
  readonly to: number;
}

/** Somebody set the wall clock. */
export interface ClockStep {
  readonly elapsed: number;
  readonly byMs: number;
}

/** An event that made a reflex forget its memory. */
export interface Turn {
  readonly reflex: string;
  readonly elapsed: number;
  readonly kind: "disabled" | "enabled" | "cleared";
}

/** What happened between signals, in order. All times are on the axis. */
export interface Course {
  /** No downtime lies within another. */
  readonly downs: readonly Down[];
  readonly steps: readonly ClockStep[];
  readonly turns: readonly Turn[];
  /** Reflex → the signal after which it begins. Then it forgets what it made of earlier signals. */
  readonly begun: ReadonlyMap<string, number>;
}

export const UNEVENTFUL: Course = { downs: [], steps: [], turns: [], begun: new Map() };

/** A wall clock that is behind by this much was set back. A smaller difference is slewing. */
const STEP_MS = 100;

/** The newest known time of the axis, how far the axis is ahead of the wall clock there, and the next step. */
export interface Moment {
  readonly elapsed: number;
  readonly aheadMs: number;
  readonly nextStep: number;
}

/** The begin of the axis, where it is the wall clock. */
export const BEGINNING: Moment = { elapsed: 0, aheadMs: 0, nextStep: 0 };

/** The place of the wall-clock time `at` on the axis, seen from an earlier moment. */
export function momentAt(from: Moment, at: number, steps: readonly ClockStep[]): Moment {
  const isBack = (elapsed: number): boolean => elapsed < from.elapsed - STEP_MS;
  let { aheadMs, nextStep } = from;
  // A time that would lie behind the next step comes after that step, and so does a time that would go back.
  for (let step = steps[nextStep]; step !== undefined; step = steps[++nextStep]) {
    if (at + aheadMs <= step.elapsed && !isBack(at + aheadMs)) break;
    aheadMs -= step.byMs;
  }
  if (isBack(at + aheadMs)) aheadMs = from.elapsed - at;
  return { elapsed: Math.max(from.elapsed, at + aheadMs), aheadMs, nextStep };
}
