/**
 * What the kernel holds of a run that has not ended, and how its events are put into words.
 *
 * `row` follows the commit: `Draft.keep` alone changes it. The phase changes through `to` alone, which refuses a move that
 * is not in `MOVES`: a workflow moves a run between waiting and its slot, the workflow's run-worker moves it while the
 * run has an execution. The other fields belong to those two.
 */

import { counted } from "../../base/counted.ts";
import { formatDuration } from "../../base/duration.ts";
import type { Json } from "../../base/json.ts";
import type { BatchWait } from "../../model/batch.ts";
import type { LogLevel } from "../../model/log.ts";
import { isOver, type Run, type RunEvent, type RunEventData } from "../../model/run.ts";
import { incidentOf } from "../../model/run-decision.ts";
import type { Trigger } from "../../model/trigger.ts";

/**
 * Where a run stands besides its durable state.
 *
 * | phase | |
 * |---|---|
 * | `restored` | an earlier kernel left it |
 * | `queued` | it waits for its first slot |
 * | `sleeping` | it waits for a time |
 * | `ready` | it has run before, and waits for a slot |
 * | `held` | its history cannot be read: it waits for a person to mend that |
 * | `beginning` | it has a slot, and its beginning is being committed |
 * | `handed` | it has begun, and waits for the worker to take it |
 * | `sent` | the worker was given the run |
 * | `under-way` | its code was entered |
 * | `lingering` | its function has returned, and functions of its steps are still under way |
 * | `interrupted` | its worker is gone; the run keeps its slot |
 * | `settling` | its execution has ended, and that is being committed |
 * | `gone` | it has ended, or its workflow was removed |
 */
export type Phase = keyof typeof MOVES;

const MOVES = {
  restored: ["queued", "sleeping", "ready", "held", "gone"],
  queued: ["beginning", "gone"],
  sleeping: ["ready", "gone"],
  ready: ["beginning", "gone"],
  held: ["ready", "gone"],
  beginning: ["handed", "held", "gone"],
  handed: ["sent", "gone"],
  sent: ["under-way", "interrupted"],
  "under-way": ["settling", "lingering", "interrupted"],
  lingering: ["settling"],
  interrupted: ["beginning", "settling", "gone"],
  settling: ["sleeping", "gone"],
  gone: [],
} as const satisfies Record<string, readonly string[]>;

export type ResumeReason = Extract<RunEvent, { event: "run.resumed" }>["data"]["reason"];

export class LiveRun {
  readonly id: number;
  readonly workflow: string;
  readonly trace: string;
  /** The source of its logs. */
  readonly source: string;
  /** The incident that it reports, which tells it what it must not overtake; null: it reports none. */
  readonly incident: string | null;
  /** Until when it waits for others of its group; null: it waits for no others. */
  batch: BatchWait | null = null;
  /** The run is a reminder, and this kernel has let the run in. */
  isReminder = false;
  /** Incidents of runs that joined it: it reports these as well. */
  carries: readonly string[] = [];
  /** Its row, without the input (which may be large); null before the first commit. */
  row: Run | null = null;
  /** Quiet events since the newest one that changed the row. */
  quiet = 0;
  /** Characters of that input. */
  inputLength = 0;
  /** What it is made of, while it is queued and that is small; else its logs are asked. */
  order: RunOrder | null = null;
  /** Why it goes on, once it waits for a slot again. */
  reason: ResumeReason | null = null;
  /** Deaths of a worker it was alone in, since it last finished a step. */
  deaths = 0;
  /** Running time of the attempt before the execution that is under way. */
  ranMs = 0;
  /** How often it was found innocent of its worker's death. */
  cleared = 0;
  /** Why it waits though it could go on, as it was last said; null: nothing is in its way. */
  obstacle: string | null = null;
  /** Its long history was named as what makes it slow. */
  isSaidLong = false;
  /**
   * Steps that began in the execution under way. And where this attempt follows another and had begun nothing before that
   * execution: the newest step that had failed for good.
   */
  stepsBegun = 0;
  failedBefore: string | null = null;
  /** Awake milliseconds of the moment at which the run was sent to its worker. */
  sentAt = 0;
  #phase: Phase = "queued";

  constructor(id: number, workflow: string, trace: string, decision: string | null) {
    this.id = id;
    this.workflow = workflow;
    this.trace = trace;
    this.source = `workflow:${workflow}`;
    this.incident = incidentOf(decision);
  }

  get phase(): Phase {
    return this.#phase;
  }

  /** Moves it on. A move that no part of the kernel should make is a bug. */
  to(phase: Phase): void {
    const allowed: readonly Phase[] = MOVES[this.#phase];
    if (!allowed.includes(phase)) throw new Error(`run ${this.id} is ${this.#phase} and cannot become ${phase}`);
    this.#phase = phase;
  }

  /** The run that an earlier kernel left with this row. `quiet` events came since. */
  static restored(row: Run, quiet: number): LiveRun {
    const run = new LiveRun(row.id, row.workflow, row.trace, row.decision);
    run.row = { ...row, input: null };
    run.quiet = quiet;
    run.#phase = "restored";
    return run;
  }

  /** The commit that is under way moves it on, or nothing does any longer. */
  get isMovedByCommit(): boolean {
    return this.#phase === "beginning" || this.#phase === "settling" || this.#phase === "gone";
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

function beginningOf({ trigger, retry_of }: RunEventData["run.queued"]): string {
  if (retry_of !== null) return `queued again, from run ${retry_of}`;
  if (trigger.reflex === null) return "queued by hand";
  return `queued by reflex ${trigger.reflex}, ${trigger.id === null ? "at its time" : `signal ${trigger.id}`}`;
}

const waitingOf = ({ batch }: RunEventData["run.queued"]): string =>
  batch === null ? "" : `, and waits for others until ${new Date(batch.until).toISOString()}`;

function othersOf({ joined }: RunEventData["run.started"]): string {
  return joined.length === 0 ? "" : `, and ${counted(joined.length, "other run")} joined it`;
}

/** The level and message of an event's log. `codeChanged`: the module is not what it last ran with. */
export function wordsOf(run: number, { event, data }: RunEvent, codeChanged = false): Words {
  switch (event) {
    case "run.queued":
      return { level: "info", message: `run ${run} ${beginningOf(data)}${waitingOf(data)}` };
    case "run.started":
      return { level: "info", message: `run ${run} started${othersOf(data)}` };
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
      return { level: "info", message: `run ${run} sleeps until ${new Date(data.until).toISOString()}` };
    case "sleep.ended":
      return { level: "debug", message: `run ${run} has slept` };
    case "run.sleeping": {
      const until = data.reason === "stop" ? "nerve starts again" : new Date(data.until).toISOString();
      return { level: "info", message: `run ${run} sleeps until ${until}` };
    }
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
    case "run.joined":
      return { level: "info", message: `run ${run} is joined to run ${data.into}` };
  }
}
