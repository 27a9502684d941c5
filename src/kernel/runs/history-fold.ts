/**
 * Owns the fold of a run's logs into what the run goes on with. Only `fold(state, log)` says what an event does to a
 * history. The state belongs to one fold, which changes it in place: a history of n logs costs n steps.
 */
import type { Recorded, RunEvent, RunEventData } from "../../model/run.ts";
import type { RunLog } from "../../model/run-log.ts";
import type { StepPlace } from "../../model/run-places.ts";
import {
  EMPTY_HISTORY,
  type Places,
  type RunHistory,
  type SleepHistory,
  type StepHistory,
  sleepKey,
  stepKey,
} from "./run-history.ts";

type StepState = StepHistory["state"];
type SleepRecord = RunEventData["sleep.started"];
type AnySleep = RunEventData["sleep.ended"];

class HistoryFold {
  readonly #steps: Map<string, StepHistory>;
  readonly #sleeps: Map<string, SleepHistory>;
  /** The next place in the order of beginnings. `#nextSettled` is the next place in the order of settling. */
  #nextOrder: number;
  #nextSettled = 0;
  readonly #loose: Places[];
  /** Sleeps that have not ended → the Unix milliseconds until which they last. */
  readonly #asleep = new Map<string, number>();
  #wakesAt = Number.NEGATIVE_INFINITY;
  #logged = 0;
  #code: string | null = null;
  #deaths = 0;
  #recordedMs = 0;
  #ranMs = 0;
  #runningSince: number | null = null;
  #run: number | null = null;
  /** Another attempt failed before this one. */
  #isFurther: boolean;
  /**
   * Steps and sleeps that this attempt has begun. `#unhandled` are failures after which it has begun nothing: no code dealt
   * with them.
   */
  readonly #begun = new Set<string>();
  readonly #unhandled = new Set<string>();
  /** Calls of `thread.log` before a step failed. The calls after it need not come again when the step runs again. */
  readonly #loggedBefore = new Map<string, number>();

  constructor(inherited: RunHistory) {
    this.#steps = new Map(inherited.steps);
    this.#sleeps = new Map(inherited.sleeps);
    this.#nextOrder = 0;
    for (const { order, settled } of [...this.#steps.values(), ...this.#sleeps.values()]) {
      this.#nextOrder = Math.max(this.#nextOrder, order + 1);
      this.#nextSettled = Math.max(this.#nextSettled, (settled ?? -1) + 1);
    }
    for (const [key, { settled, due }] of this.#sleeps) if (settled === null) this.#asleep.set(key, due);
    // Places that this run settles itself are no loose places of the run before.
    this.#loose = inherited.loose.map(({ from, to }) => ({ from, to: Math.min(to, this.#nextSettled) }));
    this.#isFurther = inherited !== EMPTY_HISTORY;
  }

  get history(): RunHistory {
    return {
      run: this.#run,
      steps: this.#steps,
      sleeps: this.#sleeps,
      loose: this.#loose,
      isFurther: this.#isFurther && this.#begun.size === 0,
      logged: this.#logged,
      code: this.#code,
      deaths: this.#deaths,
      recordedMs: this.#recordedMs,
      ranMs: this.#ranMs,
    };
  }

  fold(log: RunLog): void {
    if (log.kind === "beside" && log.event === "log") this.#logged++;
    if (log.kind !== "event") return;
    const { row, event } = log;
    this.#run = row.run;
    // Earlier versions recorded no end of a sleep beside steps.
    this.#sleepsEnd(({ place }, until) => !("duration" in place) && until <= row.at);
    this.#event(row, event);
    if (this.#runningSince === null) return;
    // Somebody may have set the wall clock back since.
    this.#ranMs += Math.max(0, row.at - this.#runningSince);
    this.#runningSince = row.at;
  }

  #event(row: Recorded, { event, data }: RunEvent): void {
    switch (event) {
      case "run.started":
        this.#code = data.code;
        this.#runningSince = row.at;
        return;
      case "run.resumed":
        return this.#resumed(row, data);
      case "step.started":
        return this.#stepBegins(data);
      case "step.completed":
        return this.#stepCompleted(data);
      case "step.failed":
        return this.#stepFailed(data);
      case "sleep.started":
        return this.#sleepBegins(data);
      case "sleep.ended":
        return this.#sleepEnds(data);
      case "run.sleeping":
        return this.#suspended(data);
      case "run.retrying":
        this.#beginAgain(data.steps);
        this.#rests(0);
        this.#isFurther = true;
        return;
      case "run.failed":
        return this.#beginAgain(data.steps);
      case "run.timed-out":
      case "run.cancelled":
        return this.#beginAgain([]);
      default:
        return;
    }
  }

  #resumed(row: Recorded, { reason, code, deaths, ran_ms }: RunEventData["run.resumed"]): void {
    this.#code = code;
    this.#deaths = deaths;
    this.#rests(ran_ms);
    this.#runningSince = row.at;
    if (reason === "slept") this.#sleepsEnd(({ due }) => due <= this.#wakesAt);
  }

  #suspended({ sleeps, due, ran_ms }: RunEventData["run.sleeping"]): void {
    for (const sleep of sleeps) this.#sleepBegins(sleep);
    this.#wakesAt = due;
    this.#rests(ran_ms);
  }

  /** The attempt has run for `ranMs` so far. */
  #rests(ranMs: number): void {
    this.#recordedMs = ranMs;
    this.#ranMs = ranMs;
    this.#runningSince = null;
  }

  #begins(what: string): void {
    if (this.#begun.has(what)) return;
    this.#begun.add(what);
    this.#unhandled.clear();
  }

  #setStep({ step, nth }: StepPlace, state: StepState, isUnderWay: boolean): void {
    const key = stepKey(step, nth);
    const known = this.#steps.get(key);
    const isSettled = state.state === "completed" || state.state === "failed";
    const settled = isSettled ? this.#nextSettled++ : null;
    const order = known?.order ?? this.#nextOrder++;
    this.#steps.set(key, { step, nth, state, order, settled, isUnderWay, keyRun: known?.keyRun ?? null });
  }

  #stepBegins(place: StepPlace): void {
    const key = stepKey(place.step, place.nth);
    this.#begins(key);
    const known = this.#steps.get(key);
    // A settled step does not begin.
    if (known?.settled !== undefined && known.settled !== null) return;
    this.#setStep(place, known?.state ?? { state: "begun" }, true);
  }

  #stepCompleted({ step, nth, result, attempt }: RunEventData["step.completed"]): void {
    this.#setStep({ step, nth }, { state: "completed", result, attempt }, false);
    this.#unhandled.delete(stepKey(step, nth));
    this.#deaths = 0;
  }

  #stepFailed(data: RunEventData["step.failed"]): void {
    const { step, nth, attempt, due, error, name, message, stack } = data;
    const failure = { error, name, message, stack };
    if (due !== null) return this.#setStep({ step, nth }, { state: "retrying", failure, attempt, due }, false);
    const key = stepKey(step, nth);
    this.#unhandled.add(key);
    this.#loggedBefore.set(key, this.#logged);
    this.#setStep({ step, nth }, { state: "failed", failure, attempt }, false);
  }

  /** Runs the steps again whose failures ended an attempt, `culprits` among them. Other steps stay as they are. */
  #beginAgain(culprits: readonly StepPlace[]): void {
    const keys = new Set([...this.#unhandled, ...culprits.map(({ step, nth }) => stepKey(step, nth))]);
    let from = Number.POSITIVE_INFINITY;
    for (const key of keys) {
      const known = this.#steps.get(key);
      if (known?.state.state !== "failed") continue;
      from = Math.min(from, known.settled ?? from);
      this.#setStep(known, { state: "begun" }, false);
      this.#logged = Math.min(this.#logged, this.#loggedBefore.get(key) ?? this.#logged);
    }
    if (from < this.#nextSettled) this.#loose.push({ from, to: this.#nextSettled });
    this.#begun.clear();
    this.#unhandled.clear();
  }

  #sleepBegins({ until, due, ...place }: SleepRecord): void {
    const key = sleepKey(place);
    this.#begins(`sleep ${key}`);
    const order = this.#sleeps.get(key)?.order ?? this.#nextOrder++;
    this.#sleeps.set(key, { place, due, settled: null, order });
    this.#asleep.set(key, until);
  }

  #sleepEnds(place: AnySleep): void {
    const key = sleepKey(place);
    const known = this.#sleeps.get(key) ?? { place, due: 0, order: this.#nextOrder++, settled: null };
    this.#asleep.delete(key);
    if (known.settled === null) this.#sleeps.set(key, { ...known, settled: this.#nextSettled++ });
  }

  #sleepsEnd(isOver: (sleep: SleepHistory, until: number) => boolean): void {
    if (this.#asleep.size === 0) return;
    const over = [...this.#asleep].flatMap(([key, until]) => {
      const sleep = this.#sleeps.get(key);
      return sleep !== undefined && isOver(sleep, until) ? [sleep] : [];
    });
    for (const { place } of over.sort((a, b) => a.due - b.due)) this.#sleepEnds(place);
  }
}

/** The history of one run. `logs` are its rows in id order. `inherited` is what a retry by hand keeps of the run before. */
export function historyOf(logs: Iterable<RunLog>, inherited: RunHistory = EMPTY_HISTORY): RunHistory {
  const fold = new HistoryFold(inherited);
  for (const log of logs) fold.fold(log);
  return fold.history;
}
