/** Owns what a worker needs to run a run, or to run it again from the top. */
import type { WorkflowParentMessageOf } from "../../ipc/workflow-definitions.ts";
import { originOf } from "../../model/full-name.ts";
import { EMPTY_HISTORY, type Places, type RunHistory, type SleepHistory, type StepHistory } from "./run-history.ts";
import type { Assignment } from "./slots.ts";
import type { RunWorkerHost } from "./workflow-host.ts";

export type Replay = Pick<WorkflowParentMessageOf<"run">, "steps" | "sleeps" | "loose" | "logged">;

/** Places as the worker counts them: from 0 without a gap, in the order in which steps and sleeps settled. */
class Order {
  readonly #all: readonly number[];
  readonly #dense: ReadonlyMap<number, number>;

  constructor({ steps, sleeps }: RunHistory) {
    const settled = [...steps.values(), ...sleeps.values()].flatMap((known) => known.settled ?? []);
    this.#all = settled.sort((a, b) => a - b);
    this.#dense = new Map(this.#all.map((place, index) => [place, index]));
  }

  of({ settled }: StepHistory | SleepHistory): number | null {
    return settled === null ? null : (this.#dense.get(settled) ?? null);
  }

  /** The number of settled places before this place of the history. */
  #before(place: number): number {
    const found = this.#all.findIndex((known) => known >= place);
    return found < 0 ? this.#all.length : found;
  }

  within({ from, to }: Places): Places {
    return { from: this.#before(from), to: this.#before(to) };
  }
}

const NOTHING: Replay = { steps: [], sleeps: [], loose: [], logged: 0 };

/** The replay of a history. `now` is on the axis of elapsed time. */
export function replayOf(history: RunHistory, now: number): Replay {
  if (history === EMPTY_HISTORY) return NOTHING;
  const order = new Order(history);
  const steps: Replay["steps"] = [];
  for (const known of history.steps.values()) {
    const { step, nth, state, keyRun } = known;
    // A step that only began runs like a step that never began.
    if (state.state === "begun" && keyRun === null) continue;
    steps.push({
      step,
      nth,
      state: state.state,
      settled: order.of(known),
      attempt: state.state === "begun" ? 0 : state.attempt,
      result: state.state === "completed" ? state.result : null,
      failure: "failure" in state ? state.failure : null,
      leftMs: state.state === "retrying" ? Math.max(0, state.due - now) : 0,
      keyRun,
    });
  }
  const sleeps = [...history.sleeps.values()].map((known) => {
    const { place, due } = known;
    const named = "duration" in place ? place : { duration: null, name: null, nth: place.nth };
    return { ...named, settled: order.of(known), leftMs: Math.max(0, due - now) };
  });
  const loose = history.loose.map((range) => order.within(range)).filter(({ from, to }) => from < to);
  return { steps, sleeps, loose, logged: history.logged };
}

/** The trigger for the thread. The whole payload beside an element is read here, and copied nowhere. Every trigger has a host: this one, where no other sent the signal. */
export function triggerOf(
  { order: { trigger, input }, batch }: Pick<Assignment, "order" | "batch">,
  host: Pick<RunWorkerHost, "payloadOf" | "hostName">,
): WorkflowParentMessageOf<"run">["trigger"] {
  const hostOf = (full: string | null): string => originOf(full) ?? host.hostName;
  const { id, sense, at, reflex, key, due, incident } = trigger;
  const signal = trigger.isElement && id !== null ? host.payloadOf(id) : null;
  const items = batch?.items.map((item) => ({ ...item, host: hostOf(item.sense) })) ?? [];
  return {
    ...{ id, sense, at, payload: input, reflex, key, due, signal, incident, host: hostOf(sense) },
    batch: batch === null ? null : { ...batch, items },
  };
}
