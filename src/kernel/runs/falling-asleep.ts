/** Owns how a clean stop leaves a run to the next kernel: no run stays `running` (G3). */
import type { WorkflowConfig } from "../../model/config.ts";
import type { Draft } from "../commits/draft.ts";
import type { LiveRun } from "../memory/run.ts";
import { factsOf } from "./beginning.ts";
import type { WorkflowHost } from "./workflow-host.ts";

interface Waiting {
  readonly config: WorkflowConfig;
  deadline(ms: number): { readonly until: number; readonly due: number };
}

/** A run whose logs cannot be read stays as it is: the next kernel names it. */
export function fallAsleep(draft: Draft, run: LiveRun, host: WorkflowHost, workflow: Waiting): void {
  if (draft.row(run)?.state !== "running") return;
  const ranMs = ranMsOf(draft, run, host, workflow);
  if (ranMs === null) return;
  const data = { ...workflow.deadline(0), sleeps: [], ran_ms: Math.round(ranMs), reason: "stop" } as const;
  draft.run(run, { event: "run.sleeping", data });
}

/** The running time of the attempt. Of a run that has not gone on since an earlier kernel, the logs alone have it. */
function ranMsOf(draft: Draft, run: LiveRun, host: WorkflowHost, { config }: Waiting): number | null {
  if (run.phase !== "ready") return run.ranMs;
  const found = host.assignment(draft, run);
  return found.ok && draft.row(run)?.state === "running" ? factsOf(run, found.value.history, config).ranMs : null;
}
