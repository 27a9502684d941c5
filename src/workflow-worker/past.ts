/**
 * What has happened to a run before this execution, by the calls of its thread. A step is its name and the number of calls
 * of that name before it; a sleep is its duration as written, its name, and the number of such sleeps before it.
 */
import type { WorkflowMessageOf, WorkflowParentMessageOf } from "../ipc/workflow-definitions.ts";

type RunRequest = WorkflowParentMessageOf<"run">;

export type PastStep = RunRequest["steps"][number];
export type PastSleep = RunRequest["sleeps"][number];
export type StepPlace = Pick<PastStep, "step" | "nth">;
export type SleepPlace = Pick<WorkflowMessageOf<"sleep">, "duration" | "name" | "nth">;

/** A call, and what is known of it. */
interface Known<Place, Past> {
  readonly place: Place;
  readonly past: Past | null;
}

const stepKey = ({ step, nth }: StepPlace): string => `${nth} ${step}`;
const kindOf = ({ duration, name }: Omit<SleepPlace, "nth">): string => JSON.stringify([duration, name]);
const sleepKey = (place: SleepPlace): string => `${place.nth} ${kindOf(place)}`;

/** Counts the calls of each kind. */
class Calls {
  readonly #counts = new Map<string, number>();

  next(kind: string): number {
    const nth = this.#counts.get(kind) ?? 0;
    this.#counts.set(kind, nth + 1);
    return nth;
  }
}

export class Past {
  /** Places in the order of settling. */
  readonly settled: number;
  readonly #steps: ReadonlyMap<string, PastStep>;
  readonly #sleeps: ReadonlyMap<string, PastSleep>;
  readonly #stepCalls = new Calls();
  readonly #sleepCalls = new Calls();
  #sleepsCalled = 0;

  constructor({ steps, sleeps }: Pick<RunRequest, "steps" | "sleeps">) {
    this.#steps = new Map(steps.map((step) => [stepKey(step), step]));
    this.#sleeps = new Map(sleeps.map((sleep) => [sleepKey(sleep), sleep]));
    this.settled = [...steps, ...sleeps].filter(({ settled }) => settled !== null).length;
  }

  /** A call of `thread.step`. */
  step(name: string): Known<StepPlace, PastStep> {
    const place = { step: name, nth: this.#stepCalls.next(name) };
    return { place, past: this.#steps.get(stepKey(place)) ?? null };
  }

  /** A call of `thread.sleep`. */
  sleep(duration: string, name: string | null): Known<SleepPlace, PastSleep> {
    const place = { duration, name, nth: this.#sleepCalls.next(kindOf({ duration, name })) };
    // Earlier versions counted all sleeps of a run together.
    const counted = { duration: null, name: null, nth: this.#sleepsCalled++ };
    const old = this.#sleeps.get(sleepKey(counted));
    return old === undefined
      ? { place, past: this.#sleeps.get(sleepKey(place)) ?? null }
      : { place: counted, past: old };
  }
}
