/**
 * Owns how a run goes on by its logs. Pure. A run runs again from the top with its history. A finished step returns what it
 * returned before, and a step that failed for good throws the same error. A further attempt begins at the failures that
 * ended the attempt before.
 */
import type { Json } from "../../base/json.ts";
import type { CountedSleep, SleepPlace } from "../../model/run-places.ts";

/** An error that a step threw. */
export interface StepFailure {
  /** The error in words, with its causes. */
  readonly error: string;
  readonly name: string;
  readonly message: string;
  readonly stack: string | null;
}

type StepState =
  | { readonly state: "begun" }
  | { readonly state: "completed"; readonly result: Json; readonly attempt: number }
  | { readonly state: "failed"; readonly failure: StepFailure; readonly attempt: number }
  | { readonly state: "retrying"; readonly failure: StepFailure; readonly attempt: number; readonly due: number };

export interface StepHistory {
  readonly step: string;
  readonly nth: number;
  /** The place of its begin among the run's steps and sleeps. */
  readonly order: number;
  /** The place of its settling among them, or null. */
  readonly settled: number | null;
  readonly state: StepState;
  /** A try of the step began, and its result is not recorded. */
  readonly isUnderWay: boolean;
  /** The run whose id is in the step's idempotency key. Null for the run itself. */
  readonly keyRun: number | null;
}

export interface SleepHistory {
  readonly place: SleepPlace | CountedSleep;
  readonly order: number;
  /** The place of its end among the run's steps and sleeps. Null where it is not recorded. */
  readonly settled: number | null;
  readonly due: number;
}

/** Places in the order of settling, `to` not included. */
export interface Places {
  readonly from: number;
  readonly to: number;
}

export interface RunHistory {
  /** Null for a run without a log. */
  readonly run: number | null;
  /** By {@link stepKey}. */
  readonly steps: ReadonlyMap<string, StepHistory>;
  /** By {@link sleepKey}. */
  readonly sleeps: ReadonlyMap<string, SleepHistory>;
  /** Places that an attempt settled after a failure that is run again. They need not come again. */
  readonly loose: readonly Places[];
  /** Another attempt failed before this attempt, which has begun nothing yet. */
  readonly isFurther: boolean;
  /** Calls of `thread.log` that are in the log, without the calls after a failure at which the next attempt begins. */
  readonly logged: number;
  /** Digest of the code that the run last ran with. Null before its start. */
  readonly code: string | null;
  /** Deaths of a worker in which the run was alone, since the run last finished a step. */
  readonly deaths: number;
  /** Recorded running time of the attempt. `ranMs` counts on by the wall clock until the newest event. */
  readonly recordedMs: number;
  readonly ranMs: number;
}

export const EMPTY_HISTORY: RunHistory = {
  run: null,
  steps: new Map(),
  sleeps: new Map(),
  loose: [],
  isFurther: false,
  logged: 0,
  code: null,
  deaths: 0,
  recordedMs: 0,
  ranMs: 0,
};

export const stepKey = (step: string, nth: number): string => `${nth}\0${step}`;

export function sleepKey(place: SleepPlace | CountedSleep): string {
  return "duration" in place ? JSON.stringify([place.nth, place.duration, place.name]) : `${place.nth}`;
}

const ALL_PLACES = Number.MAX_SAFE_INTEGER;

/**
 * What a retry by hand keeps: the steps that finished, or failed for good and were dealt with, and the sleeps before the
 * first call of `fromStep`, or all of them. Null where no step has that name. A step that was under way when the run ended
 * may have had its effect, so it runs again with the same idempotency key.
 */
export function inheritable(history: RunHistory, fromStep: string | null): RunHistory | null {
  const { run, steps, sleeps } = history;
  let end = Number.POSITIVE_INFINITY;
  if (fromStep !== null) {
    const calls = [...steps.values()].filter(({ step }) => step === fromStep);
    if (calls.length === 0) return null;
    end = Math.min(...calls.map(({ order }) => order));
  }
  // The other steps keep their places. By these places a retry of the retry knows what came before a step.
  const kept = new Map<string, StepHistory>();
  let firm = Number.POSITIVE_INFINITY;
  for (const [key, known] of steps) {
    const { order, settled, isUnderWay } = known;
    if (order >= end && settled !== null) firm = Math.min(firm, settled);
    if (order >= end && !isUnderWay && (settled !== null || known.keyRun === null)) continue;
    const isKept = order < end && settled !== null;
    const keyRun = isUnderWay ? (known.keyRun ?? run) : settled === null || isKept ? known.keyRun : null;
    kept.set(key, isKept ? known : { ...known, settled: null, state: { state: "begun" }, isUnderWay: false, keyRun });
  }
  return {
    ...EMPTY_HISTORY,
    steps: kept,
    sleeps: new Map([...sleeps].filter(([, { order }]) => order < end)),
    loose: firm === Number.POSITIVE_INFINITY ? history.loose : [...history.loose, { from: firm, to: ALL_PLACES }],
  };
}

/** The newest step that failed for good and was dealt with. Null where there is none. */
export function failedStep({ steps }: RunHistory): string | null {
  const failed = [...steps.values()].filter(({ state }) => state.state === "failed");
  return failed.toSorted((a, b) => (a.settled ?? 0) - (b.settled ?? 0)).at(-1)?.step ?? null;
}
