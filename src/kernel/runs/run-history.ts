/**
 * What the logs of a run say about how the run goes on: pure. A run is run again from the top with its history. A finished
 * step returns what it returned before, and a step that failed for good throws the same error. A further attempt begins at
 * the failures that ended the attempt before.
 */
import type { Json } from "../../base/json.ts";

type StepState =
  | { readonly state: "begun" }
  | { readonly state: "completed"; readonly result: Json; readonly attempt: number }
  | { readonly state: "failed"; readonly error: string; readonly attempt: number }
  | { readonly state: "retrying"; readonly error: string; readonly attempt: number; readonly due: number };

export interface StepHistory {
  readonly step: string;
  readonly nth: number;
  /** Where it began among the run's steps and sleeps. */
  readonly order: number;
  /** Where it settled among them, or null. */
  readonly settled: number | null;
  readonly state: StepState;
}

export interface SleepHistory {
  readonly nth: number;
  readonly order: number;
  /** Where it was over among the run's steps and sleeps, as far as events came after it; null: after all of them. */
  readonly settled: number | null;
  readonly due: number;
}

export interface RunHistory {
  /** By {@link stepKey}. */
  readonly steps: ReadonlyMap<string, StepHistory>;
  readonly sleeps: ReadonlyMap<number, SleepHistory>;
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
  steps: new Map(),
  sleeps: new Map(),
  logged: 0,
  code: null,
  deaths: 0,
  recordedMs: 0,
  ranMs: 0,
};

export const stepKey = (step: string, nth: number): string => `${nth}\0${step}`;

/**
 * What a retry by hand keeps: the steps that finished, or failed for good and were dealt with, and the sleeps before the
 * first call of `fromStep`, or all of them. Null when there was no step of that name.
 */
export function inheritable({ steps, sleeps }: RunHistory, fromStep: string | null): RunHistory | null {
  let end = Number.POSITIVE_INFINITY;
  if (fromStep !== null) {
    const calls = [...steps.values()].filter(({ step }) => step === fromStep);
    if (calls.length === 0) return null;
    end = Math.min(...calls.map(({ order }) => order));
  }
  // The others keep their places, by which a retry of the retry tells what came before a step.
  const kept = (known: StepHistory): StepHistory =>
    known.settled === null ? { ...known, state: { state: "begun" } } : known;
  return {
    ...EMPTY_HISTORY,
    steps: new Map([...steps].filter(([, { order }]) => order < end).map(([key, known]) => [key, kept(known)])),
    sleeps: new Map([...sleeps].filter(([, { order }]) => order < end)),
  };
}
