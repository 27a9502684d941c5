/**
 * What happened beside the signals of a replay, and the axis of elapsed time that is read off the times of signals: what
 * the wall clock would show had it not been set since the first signal. Known changes of the clock are subtracted; an
 * unexplained step back counts as no time passing.
 */

/** While nerve was down: a deadline that passed acts at the end of it. */
export interface Down {
  readonly from: number;
  readonly to: number;
}

/** The wall clock was set, or was found to have been. */
export interface ClockStep {
  readonly elapsed: number;
  readonly byMs: number;
}

/** Something made a reflex forget what it remembered. */
export interface Turn {
  readonly reflex: string;
  readonly elapsed: number;
  readonly kind: "disabled" | "enabled" | "cleared";
}

/** What happened between signals. All of it in order, its times on the axis. */
export interface Course {
  /** None within another. */
  readonly downs: readonly Down[];
  readonly steps: readonly ClockStep[];
  readonly turns: readonly Turn[];
  /** By the name of a reflex the signal after which it begins: what it made of earlier ones is forgotten then. */
  readonly begun: ReadonlyMap<string, number>;
}

export const UNEVENTFUL: Course = { downs: [], steps: [], turns: [], begun: new Map() };

/** A wall clock this much behind was set back, a lesser difference is slewing. */
const STEP_MS = 100;

/** How far the axis is known: its newest time, what it is ahead of the wall clock there, and the step that comes next. */
export interface Moment {
  readonly elapsed: number;
  readonly aheadMs: number;
  readonly nextStep: number;
}

/** Where the axis begins: it shows what the wall clock does. */
export const BEGINNING: Moment = { elapsed: 0, aheadMs: 0, nextStep: 0 };

/** Where the time `at` of the wall clock lies, seen from a moment before it. */
export function momentAt(from: Moment, at: number, steps: readonly ClockStep[]): Moment {
  const isBack = (elapsed: number): boolean => elapsed < from.elapsed - STEP_MS;
  let { aheadMs, nextStep } = from;
  // What would lie behind the next step comes after it, and so does what would go back.
  for (let step = steps[nextStep]; step !== undefined; step = steps[++nextStep]) {
    if (at + aheadMs <= step.elapsed && !isBack(at + aheadMs)) break;
    aheadMs -= step.byMs;
  }
  if (isBack(at + aheadMs)) aheadMs = from.elapsed - at;
  return { elapsed: Math.max(from.elapsed, at + aheadMs), aheadMs, nextStep };
}
