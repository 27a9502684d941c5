/** What the kernel holds of a run that has not ended, and how its events are put into words. */
import { formatDuration } from "../../base/duration.ts";
import type { Json } from "../../base/json.ts";
import type { LogLevel } from "../../model/log.ts";
import { isOver, type Run, type RunEvent, type Trigger } from "../../model/run.ts";

/**
 * Where a run stands besides its durable state. `committing`: it has a slot, and its beginning or the end of its execution
 * is being committed. `waiting-for-worker`: it has begun. `sent`: the worker was told. `under-way`: its code was entered.
 * `lingering`: its execution has ended, and code of its steps is still under way.
 */
export type Phase =
  | "queued"
  | "sleeping"
  | "ready"
  | "committing"
  | "waiting-for-worker"
  | "sent"
  | "under-way"
  | "lingering"
  | "gone";

export type ResumeReason = Extract<RunEvent, { event: "run.resumed" }>["data"]["reason"];

/** Changed by its workflow only, after the commit. */
export class LiveRun {
  readonly id: number;
  readonly workflow: string;
  readonly trace: string;
  /** Its row, without the input (which may be large); null before the first commit. */
  row: Run | null = null;
  /** Characters of that input. */
  inputLength = 0;
  /** What it is made of, while it is queued and that is small; else its logs are asked. */
  order: RunOrder | null = null;
  phase: Phase = "queued";
  /** Why it goes on, once it waits for a slot again. */
  reason: ResumeReason | null = null;
  /** Deaths of a worker it was alone in, since it last finished a step. */
  deaths = 0;
  /** Running time of the attempt before the execution that is under way. */
  ranMs = 0;
  /** How often it was found innocent of its worker's death. */
  cleared = 0;

  constructor(id: number, workflow: string, trace: string) {
    this.id = id;
    this.workflow = workflow;
    this.trace = trace;
  }

  get isOver(): boolean {
    return this.row !== null && isOver(this.row.state);
  }
}

/** What a run is to be made of. */
export interface RunOrder {
  readonly input: Json;
  readonly trigger: Trigger;
  /** What a reflex decided it for, as `model/run-decision.ts` spells it; null: it is asked for by hand. */
  readonly decision: string | null;
  readonly trace: string;
  readonly retryOf: number | null;
  readonly fromStep: string | null;
}

interface Words {
  readonly level: LogLevel;
  readonly message: string;
}

const times = (attempt: number): string => (attempt > 1 ? ` (attempt ${attempt})` : "");

const RESUMED = {
  slept: "goes on after its sleep",
  retry: "is tried again",
  restart: "goes on after a restart",
  reload: "goes on after a reload",
  "worker-died": "goes on after its worker died",
} as const;

function beginningOf({ trigger, retry_of }: Extract<RunEvent, { event: "run.queued" }>["data"]): string {
  if (retry_of !== null) return `queued again, from run ${retry_of}`;
  return trigger.reflex === null ? "queued by hand" : `queued by reflex ${trigger.reflex}, signal ${trigger.id}`;
}

/** The level and message of an event's log. `codeChanged`: the module is not what it last ran with. */
export function wordsOf(run: number, { event, data }: RunEvent, codeChanged = false): Words {
  switch (event) {
    case "run.queued":
      return { level: "info", message: `run ${run} ${beginningOf(data)}` };
    case "run.started":
      return { level: "info", message: `run ${run} started` };
    case "run.resumed": {
      const changed = codeChanged
        ? "; its code has changed since: unknown steps and sleeps run, vanished ones are ignored"
        : "";
      return {
        level: codeChanged ? "warn" : "info",
        message: `run ${run} ${RESUMED[data.reason]}${times(data.attempt)}${changed}`,
      };
    }
    case "step.started":
      return { level: "debug", message: `step "${data.step}" started${times(data.attempt)}` };
    case "step.completed":
      return { level: "info", message: `step "${data.step}" completed in ${Math.round(data.duration_ms)} ms` };
    case "step.failed": {
      const next = data.until === null ? "" : "; it is tried again";
      return {
        level: data.until === null ? "error" : "warn",
        message: `step "${data.step}" failed${next}: ${data.error}`,
      };
    }
    case "sleep.started":
    case "run.sleeping":
      return { level: "info", message: `run ${run} sleeps until ${new Date(data.until).toISOString()}` };
    case "sleep.ended":
      return { level: "debug", message: `run ${run} has slept` };
    case "run.retrying":
      return {
        level: "warn",
        message: `run ${run} failed and is tried again (attempt ${data.attempt}): ${data.error}`,
      };
    case "run.completed":
      return {
        level: "info",
        message: `run ${run} completed after ${formatDuration(Math.round(data.ran_ms))} of running`,
      };
    case "run.failed":
      return { level: "error", message: `run ${run} failed: ${data.error}` };
    case "run.timed-out":
      return { level: "error", message: `run ${run} timed out: ${data.error}` };
    case "run.cancelled":
      return { level: "warn", message: `run ${run} was cancelled${data.error === null ? "" : `: ${data.error}`}` };
    case "run.dropped":
      return { level: "warn", message: `run ${run} was dropped: ${data.error}` };
  }
}
