/**
 * The fold of a run's logs into what the run goes on with: `fold(state, log)` is the only place that says what an event
 * does to a history. The state belongs to one fold, which changes it in place: a history of n logs costs n steps.
 */
import type { Log } from "../../model/log.ts";
import { type Recorded, type RunEvent, type RunEventData, runEventOf } from "../../model/run.ts";
import { EMPTY_HISTORY, type RunHistory, type SleepHistory, type StepHistory, stepKey } from "./run-history.ts";

type StepState = StepHistory["state"];
type StepPlace = Pick<StepHistory, "step" | "nth">;
type SleepRecord = RunEventData["sleep.started"];

class HistoryFold {
  readonly #steps: Map<string, StepHistory>;
  readonly #sleeps: Map<number, SleepHistory>;
  /** The next place in the order of beginnings, and in that of settling. */
  #nextOrder: number;
  #nextSettled = 0;
  /** Sleeps that nothing came after yet: Unix milliseconds until which they last. */
  readonly #asleep = new Map<number, number>();
  #wakesAt = Number.NEGATIVE_INFINITY;
  #logged = 0;
  #code: string | null = null;
  #deaths = 0;
  #recordedMs = 0;
  #ranMs = 0;
  #runningSince: number | null = null;
  /** What this attempt has begun; and the failures after which it has begun nothing, so that nobody has dealt with them. */
  readonly #begun = new Set<string>();
  readonly #unhandled = new Set<string>();
  /** Calls of `thread.log` before a step failed: what came after is not what follows when it is run again. */
  readonly #loggedBefore = new Map<string, number>();

  constructor(inherited: RunHistory) {
    this.#steps = new Map(inherited.steps);
    this.#sleeps = new Map(inherited.sleeps);
    this.#nextOrder = this.#steps.size + this.#sleeps.size;
    for (const known of [...this.#steps.values(), ...this.#sleeps.values()]) {
      this.#nextSettled = Math.max(this.#nextSettled, (known.settled ?? -1) + 1);
    }
  }

  get history(): RunHistory {
    return {
      ...EMPTY_HISTORY,
      steps: this.#steps,
      sleeps: this.#sleeps,
      logged: this.#logged,
      code: this.#code,
      deaths: this.#deaths,
      recordedMs: this.#recordedMs,
      ranMs: this.#ranMs,
    };
  }

  fold(log: Log): void {
    if (log.event === "log") this.#logged++;
    const found = runEventOf(log);
    if (found === null) return;
    const { row, event } = found;
    // A sleep beside steps passes without an event of its own.
    this.#sleepsEnd((_, until) => until <= row.at);
    this.#event(row, event);
    if (this.#runningSince === null) return;
    // The wall clock may have been set back meanwhile.
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
      case "run.sleeping":
        return this.#suspended(data);
      case "run.retrying":
        this.#beginAgain(data.step);
        this.#rests(0);
        return;
      case "run.failed":
        return this.#beginAgain(data.step);
      case "run.timed-out":
      case "run.cancelled":
        return this.#beginAgain(null);
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

  #setStep({ step, nth }: StepPlace, state: StepState): void {
    const key = stepKey(step, nth);
    const isSettled = state.state === "completed" || state.state === "failed";
    const settled = isSettled ? this.#nextSettled++ : null;
    const order = this.#steps.get(key)?.order ?? this.#nextOrder++;
    this.#steps.set(key, { step, nth, state, order, settled });
  }

  #stepBegins(place: StepPlace): void {
    const key = stepKey(place.step, place.nth);
    this.#begins(key);
    if (!this.#steps.has(key)) this.#setStep(place, { state: "begun" });
  }

  #stepCompleted({ step, nth, result, attempt }: RunEventData["step.completed"]): void {
    this.#setStep({ step, nth }, { state: "completed", result, attempt });
    this.#unhandled.delete(stepKey(step, nth));
    this.#deaths = 0;
  }

  #stepFailed({ step, nth, error, attempt, due }: RunEventData["step.failed"]): void {
    if (due !== null) return this.#setStep({ step, nth }, { state: "retrying", error, attempt, due });
    const key = stepKey(step, nth);
    this.#unhandled.add(key);
    this.#loggedBefore.set(key, this.#logged);
    this.#setStep({ step, nth }, { state: "failed", error, attempt });
  }

  /** The failures that ended an attempt, `culprit` among them: they are run again, the others stay what they are. */
  #beginAgain(culprit: StepPlace | null): void {
    const failed: StepPlace[] = [...this.#unhandled].flatMap((key) => this.#steps.get(key) ?? []);
    for (const place of culprit ? [...failed, culprit] : failed) {
      this.#setStep(place, { state: "begun" });
      this.#logged = Math.min(this.#logged, this.#loggedBefore.get(stepKey(place.step, place.nth)) ?? this.#logged);
    }
    this.#begun.clear();
    this.#unhandled.clear();
  }

  #sleepBegins({ nth, due, until }: SleepRecord): void {
    this.#begins(`sleep ${nth}`);
    const order = this.#sleeps.get(nth)?.order ?? this.#nextOrder++;
    this.#sleeps.set(nth, { nth, due, settled: null, order });
    this.#asleep.set(nth, until);
  }

  #sleepsEnd(isOver: (sleep: SleepHistory, until: number) => boolean): void {
    if (this.#asleep.size === 0) return;
    const over = [...this.#asleep].flatMap(([nth, until]) => {
      const sleep = this.#sleeps.get(nth);
      return sleep !== undefined && isOver(sleep, until) ? [sleep] : [];
    });
    for (const sleep of over.sort((a, b) => a.due - b.due)) {
      this.#sleeps.set(sleep.nth, { ...sleep, settled: this.#nextSettled++ });
      this.#asleep.delete(sleep.nth);
    }
  }
}

/** The history of one run: `logs` are its rows in id order; `inherited` what a retry by hand keeps of the run before. */
export function historyOf(logs: Iterable<Log>, inherited: RunHistory = EMPTY_HISTORY): RunHistory {
  const fold = new HistoryFold(inherited);
  for (const log of logs) fold.fold(log);
  return fold.history;
}
