/** What a worker needs to run a run again from the top: pure. */
import type { WorkflowParentMessageOf } from "../../ipc/workflow-definitions.ts";
import type { RunHistory } from "./run-history.ts";

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
