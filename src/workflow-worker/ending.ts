/** How the end of a run's function is put into a report. */

import { clipLine } from "../base/row-limiter.ts";
import type { WorkflowMessageOf } from "../ipc/workflow-definitions.ts";
import { adviceOf } from "../model/retry-advice.ts";
import type { Peers } from "../sdk/index.ts";
import { jsonCopy } from "../worker/json-copy.ts";
import { clip } from "../worker/output.ts";
import { describeAuthorFailure } from "../worker/peer-record.ts";
import type { StepPlace } from "./past.ts";

type Head = "generation" | "seq" | "run" | "ranMs" | "lingers";
type Completed = Omit<WorkflowMessageOf<"completed">, Head>;
type Failed = Omit<WorkflowMessageOf<"failed">, Head>;
export type Ending = Completed | Failed;

export function endingOf(output: unknown): Ending {
  const json = jsonCopy("the run's output", output ?? null);
  if (json.ok) return { type: "completed", output: json.value };
  return { type: "failed", again: true, error: clipLine(json.error), stack: null, steps: [] };
}

/** `steps`: those whose failures these are. */
export function endingOfThrown(thrown: unknown, steps: StepPlace[], peers: Peers): Ending {
  const { message, stack } = describeAuthorFailure(thrown, peers);
  const { again } = adviceOf(thrown);
  return { type: "failed", again, error: clipLine(message), stack: clip(stack), steps };
}

const quoted = (steps: Iterable<StepPlace>): string[] => [...steps].map(({ step }) => JSON.stringify(step));

/** What is said of the steps that are under way when the run's function has ended. */
export function leftWarnings(acting: Iterable<StepPlace>, ending: Ending): string[] {
  return quoted(acting).map((step) =>
    ending.type === "completed"
      ? `step ${step} was under way when the run ended (is an await missing?): its result is not kept`
      : `step ${step} was under way when the attempt failed: its result is kept for the next attempt if it finishes within the grace period`,
  );
}
