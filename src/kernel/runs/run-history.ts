/**
 * What the logs of a run say about how the run goes on: pure. A run is run again from the top with its history. A finished
 * step returns what it returned before, and a step that failed for good throws the same error. A further attempt begins at
 * the failures that ended the attempt before.
 */
import type { Json } from "../../base/json.ts";
import type { CountedSleep, SleepPlace } from "../../model/run-places.ts";

/** What a step threw. */
export interface StepFailure {
  /** In words, with its causes. */
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
  /** Where it began among the run's steps and sleeps. */
  readonly order: number;
  /** Where it settled among them, or null. */
  readonly settled: number | null;
  readonly state: StepState;
  /** A try of it began, and what came of that is not recorded. */
  readonly isUnderWay: boolean;
  /** The run whose id is in the step's idempotency key, null: the run itself. */
  readonly keyRun: number | null;
}

export interface SleepHistory {
  readonly place: SleepPlace | CountedSleep;
  readonly order: number;
  /** Where its end came among the run's steps and sleeps, or null: that is not recorded. */
  readonly settled: number | null;
  readonly due: number;
}

/** Places in the order of settling, `to` not included. */
export interface Places {
  readonly from: number;
  readonly to: number;
}

export interface RunHistory {
  /** Null: it has no log yet. */
  readonly run: number | null;
  /** By {@link stepKey}. */
  readonly steps: ReadonlyMap<string, StepHistory>;
  /** By {@link sleepKey}. */
  readonly sleeps: ReadonlyMap<string, SleepHistory>;
  /** Places in which an attempt settled what followed from a failure that is run again: these need not come again. */
  readonly loose: readonly Places[];
  /** Another attempt failed before this one, which has begun nothing yet. */
  readonly isFurther: boolean;
  /** Calls of `thread.log` that are in the log, but for those an attempt made after a failure the next one begins at. */
  readonly logged: number;
  /** Digest of the code it last ran with, null before it started. */
  readonly code: string | null;
  /** Deaths of a worker it was alone in, since it last finished a step. */
  readonly deaths: number;
  /** Running time of the attempt: as far as it was recorded, and until its newest event by the wall clock. */
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
 * first call of `fromStep`, or all of them. Null when there was no step of that name. A step that was under way when the
 * run ended may have done its deed: it runs again with the idempotency key that it had.
 */
export function inheritable(history: RunHistory, fromStep: string | null): RunHistory | null {
  const { run, steps, sleeps } = history;
  let end = Number.POSITIVE_INFINITY;
  if (fromStep !== null) {
    const calls = [...steps.values()].filter(({ step }) => step === fromStep);
    if (calls.length === 0) return null;
    end = Math.min(...calls.map(({ order }) => order));
  }
  // The others keep their places, by which a retry of the retry tells what came before a step.
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

/** The step that failed for good last, and was dealt with; null: there is none. */
export function failedStep({ steps }: RunHistory): string | null {
  const failed = [...steps.values()].filter(({ state }) => state.state === "failed");
  return failed.toSorted((a, b) => (a.settled ?? 0) - (b.settled ?? 0)).at(-1)?.step ?? null;
}
