/**
 * What the logs of a run say about how it goes on: pure. A run is run again from the top with this, so a finished step
 * returns what it had returned, and one that failed for good throws the same error; a further attempt begins at the
 * failures that ended the one before.
 */
import type { Json } from "../../base/json.ts";
import type { WorkflowParentMessageOf } from "../../ipc/workflow-definitions.ts";
import type { Log } from "../../model/log.ts";
import { runEventOf } from "../../model/run.ts";

type StepState =
  | { readonly state: "begun" }
  | { readonly state: "completed"; readonly result: Json; readonly attempt: number }
  | { readonly state: "failed"; readonly error: string; readonly attempt: number }
  | { readonly state: "retrying"; readonly error: string; readonly attempt: number; readonly due: number };

interface StepHistory {
  readonly step: string;
  readonly nth: number;
  /** Where it began among the run's steps and sleeps. */
  readonly order: number;
  /** Where it settled among them, or null. */
  readonly settled: number | null;
  readonly state: StepState;
}

interface SleepHistory {
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

/** The history of one run: `logs` are its rows in id order; `inherited` what a retry by hand keeps of the run before. */
export function historyOf(logs: Iterable<Log>, inherited: RunHistory = EMPTY_HISTORY): RunHistory {
  const steps = new Map(inherited.steps);
  const sleeps = new Map(inherited.sleeps);
  let order = steps.size + sleeps.size;
  let settled = 0;
  for (const known of [...steps.values(), ...sleeps.values()]) settled = Math.max(settled, (known.settled ?? -1) + 1);
  /** Sleeps that nothing came after yet: Unix milliseconds until which they last. */
  const asleep = new Map<number, number>();
  let wakesAt = Number.NEGATIVE_INFINITY;
  let { logged, code, deaths, recordedMs, ranMs } = EMPTY_HISTORY;
  let runningSince: number | null = null;
  // What this attempt has begun; and the failures after which it has begun nothing, so that nobody has dealt with them.
  const begun = new Set<string>();
  const unhandled = new Set<string>();
  /** Calls of `thread.log` before a step failed: what came after is not what follows when it is run again. */
  const loggedBefore = new Map<string, number>();
  const setStep = (step: string, nth: number, state: StepState): void => {
    const key = stepKey(step, nth);
    const isSettled = state.state === "completed" || state.state === "failed";
    const place = isSettled ? settled++ : null;
    steps.set(key, { step, nth, state, order: steps.get(key)?.order ?? order++, settled: place });
  };
  const begins = (what: string): void => {
    if (begun.has(what)) return;
    begun.add(what);
    unhandled.clear();
  };
  /** The failures that ended an attempt, `culprit` among them: they are run again, the others stay what they are. */
  const beginAgain = (culprit: { readonly step: string; readonly nth: number } | null): void => {
    const failed = [...unhandled].flatMap((key) => steps.get(key) ?? []);
    for (const { step, nth } of culprit ? [...failed, culprit] : failed) {
      setStep(step, nth, { state: "begun" });
      logged = Math.min(logged, loggedBefore.get(stepKey(step, nth)) ?? logged);
    }
    begun.clear();
    unhandled.clear();
  };
  const sleepBegins = ({ nth, due, until }: { nth: number; due: number; until: number }): void => {
    begins(`sleep ${nth}`);
    sleeps.set(nth, { nth, due, settled: null, order: sleeps.get(nth)?.order ?? order++ });
    asleep.set(nth, until);
  };
  const sleepsEnd = (isOver: (sleep: SleepHistory, until: number) => boolean): void => {
    if (asleep.size === 0) return;
    const over = [...asleep].flatMap(([nth, until]) => {
      const sleep = sleeps.get(nth);
      return sleep !== undefined && isOver(sleep, until) ? [sleep] : [];
    });
    for (const sleep of over.sort((a, b) => a.due - b.due)) {
      sleeps.set(sleep.nth, { ...sleep, settled: settled++ });
      asleep.delete(sleep.nth);
    }
  };
  for (const log of logs) {
    if (log.event === "log") logged++;
    const found = runEventOf(log);
    if (found === null) continue;
    const { row, event } = found;
    // One beside steps passes without an event of its own.
    sleepsEnd((_, until) => until <= row.at);
    switch (event.event) {
      case "run.started":
        code = event.data.code;
        runningSince = row.at;
        break;
      case "run.resumed":
        code = event.data.code;
        deaths = event.data.deaths;
        recordedMs = event.data.ran_ms;
        ranMs = recordedMs;
        runningSince = row.at;
        if (event.data.reason === "slept") sleepsEnd(({ due }) => due <= wakesAt);
        break;
      case "step.started": {
        const key = stepKey(event.data.step, event.data.nth);
        begins(key);
        if (!steps.has(key)) setStep(event.data.step, event.data.nth, { state: "begun" });
        break;
      }
      case "step.completed": {
        const { step, nth, result, attempt } = event.data;
        setStep(step, nth, { state: "completed", result, attempt });
        unhandled.delete(stepKey(step, nth));
        deaths = 0;
        break;
      }
      case "step.failed": {
        const { step, nth, error, attempt, due } = event.data;
        if (due === null) {
          unhandled.add(stepKey(step, nth));
          loggedBefore.set(stepKey(step, nth), logged);
        }
        setStep(
          step,
          nth,
          due === null ? { state: "failed", error, attempt } : { state: "retrying", error, attempt, due },
        );
        break;
      }
      case "sleep.started":
        sleepBegins(event.data);
        break;
      case "run.sleeping":
        for (const sleep of event.data.sleeps) sleepBegins(sleep);
        wakesAt = event.data.due;
        recordedMs = event.data.ran_ms;
        ranMs = recordedMs;
        runningSince = null;
        break;
      case "run.retrying":
        beginAgain(event.data.step);
        recordedMs = 0;
        ranMs = 0;
        runningSince = null;
        break;
      case "run.failed":
        beginAgain(event.data.step);
        break;
      case "run.timed-out":
      case "run.cancelled":
        beginAgain(null);
        break;
      default:
        break;
    }
    if (runningSince !== null) {
      // The wall clock may have been set back meanwhile.
      ranMs += Math.max(0, row.at - runningSince);
      runningSince = row.at;
    }
  }
  return { steps, sleeps, logged, code, deaths, recordedMs, ranMs };
}

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

interface Settled {
  readonly settled: number | null;
}

/** Of what has not settled, and of what is not there. */
const LAST: Settled = { settled: null };
const placeOf = ({ settled }: Settled): number => settled ?? Number.MAX_SAFE_INTEGER;
const bySettled = (a: Settled, b: Settled): number => placeOf(a) - placeOf(b);

type Replay = Pick<WorkflowParentMessageOf<"run">, "steps" | "sleeps" | "logged">;

/** As the worker is told. `now`: on the axis of elapsed time. */
export function replayOf({ steps, sleeps, logged }: RunHistory, now: number): Replay {
  const told: Replay["steps"] = [];
  const inOrder = [...steps.values()].sort(bySettled);
  for (const { step, nth, state } of inOrder) {
    if (state.state === "begun") continue;
    told.push({
      step,
      nth,
      state: state.state,
      attempt: state.attempt,
      result: state.state === "completed" ? state.result : null,
      error: state.state === "completed" ? null : state.error,
      leftMs: state.state === "retrying" ? Math.max(0, state.due - now) : 0,
    });
  }
  let after = 0;
  return {
    steps: told,
    sleeps: [...sleeps.values()].sort(bySettled).map((sleep) => {
      while (placeOf(inOrder[after] ?? LAST) < placeOf(sleep)) after++;
      return { nth: sleep.nth, leftMs: Math.max(0, sleep.due - now), after };
    }),
    logged,
  };
}
