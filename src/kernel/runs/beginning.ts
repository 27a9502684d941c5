/** Owns the beginning of a run, or its next beginning: the event, and the known facts of the attempt. Pure. */
import { DEFAULT_GRACE_PERIOD_MS } from "../../config/defaults.ts";
import type { WorkflowConfig } from "../../model/config.ts";
import type { Run, RunEvent } from "../../model/run.ts";
import type { LiveRun } from "../memory/run.ts";
import type { RunHistory } from "./run-history.ts";
import type { Taken } from "./taking.ts";

export class Beginning {
  readonly event: Extract<RunEvent, { event: "run.started" | "run.resumed" }>;
  /** The run last ran with other code. */
  readonly isNewCode: boolean;
  /** Deaths of a worker in which the run was alone, since the run last finished a step. */
  readonly deaths: number;
  /** Running time of the attempt so far. */
  readonly ranMs: number;

  /** `code` is the digest of the module that the run goes on with. `taken` is what a run that has waited takes along, else null. */
  constructor(run: LiveRun, row: Run, history: RunHistory, code: string, config: WorkflowConfig, taken: Taken | null) {
    const { deaths, ranMs } = factsOf(run, history, config);
    this.deaths = deaths;
    this.ranMs = ranMs;
    this.isNewCode = history.code !== null && history.code !== code;
    if (row.attempt === 0) {
      const joined = taken?.runs.map(({ id }) => id) ?? [];
      this.event = { event: "run.started", data: { attempt: 1, code, batch: taken?.batch ?? null, joined } };
      return;
    }
    const reason = run.reason ?? "restart";
    const attempt = reason === "retry" ? row.attempt + 1 : row.attempt;
    this.event = { event: "run.resumed", data: { attempt, reason, code, deaths, ran_ms: Math.round(ranMs) } };
  }
}

/** The facts come from the logs. Only what this kernel saw of a worker's end is not in the logs. */
export function factsOf(
  run: LiveRun,
  { deaths, ranMs, recordedMs }: RunHistory,
  { timeoutMs, gracePeriodMs }: WorkflowConfig,
): Pick<Beginning, "deaths" | "ranMs"> {
  if (run.reason === "worker-died" || run.reason === "reload") return run;
  // No attempt runs for longer than its limits. A longer time means that someone has set the wall clock.
  const isTold = timeoutMs === null || ranMs <= timeoutMs + (gracePeriodMs ?? DEFAULT_GRACE_PERIOD_MS);
  return { deaths, ranMs: isTold ? ranMs : recordedMs };
}
