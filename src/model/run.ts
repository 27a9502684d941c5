/**
 * One execution of a workflow, as a pure fold over its events: `advance(row, event)` is the only place that says what
 * an event does to a run. The kernel writes the row it yields beside the log; `nerve rebuild` folds the logs again.
 */
import type { Json } from "../base/json.ts";
import type { Batch, BatchWait } from "./batch.ts";
import { isQuiet } from "./quiet-events.ts";
import type { CountedSleep, SleepPlace, StepPlace } from "./run-places.ts";
import type { Trigger } from "./trigger.ts";

export const ACTIVE_STATES = ["queued", "running", "sleeping"] as const;
export const ENDINGS = ["completed", "failed", "cancelled", "timed-out", "dropped", "joined"] as const;
/** Endings of runs that have not done what they were to do. */
export const BAD_ENDINGS: readonly RunState[] = ["failed", "timed-out", "dropped"];
export type Ending = (typeof ENDINGS)[number];
export type RunState = (typeof ACTIVE_STATES)[number] | Ending;

/** A row of `workflow_runs`. Times are Unix milliseconds; `input` and `output` JSON text. */
export interface Run {
  readonly id: number;
  readonly workflow: string;
  readonly reflex: string | null;
  /** `sleeping` also between attempts. */
  readonly state: RunState;
  readonly signal_id: number | null;
  readonly input: string | null;
  readonly output: string | null;
  /** Attempts begun; 0 until it starts. */
  readonly attempt: number;
  readonly queued_at: number;
  readonly started_at: number | null;
  readonly ended_at: number | null;
  /** What ended it, or what the next attempt follows. */
  readonly error: string | null;
  readonly trace: string;
  /** The newest event that has changed the row. Steps of a running run change nothing of it. */
  readonly last_log_id: number;
  readonly retry_of: number | null;
  readonly first_log_id: number;
  /** When a sleeping one goes on. */
  readonly until: number | null;
  /** The value of the reflex's `key`: a text as it is, anything else as JSON. */
  readonly key: string | null;
  /** What its reflex decided it for; null: nobody decided, a person asked for it. */
  readonly decision: string | null;
  /** How many events its logs have up to that one, steps counted; null in rows of earlier builds. */
  readonly events: number | null;
}

interface Until {
  readonly until: number;
  readonly due: number;
}

/**
 * `data` of each run event. `due` (where a wait is recorded) is the same moment as `until` on the axis of elapsed time,
 * which no set clock moves. `ran_ms`: running time of the attempt so far.
 */
export interface RunEventData {
  "run.queued": {
    readonly input: Json;
    readonly trigger: Trigger;
    readonly retry_of: number | null;
    readonly from_step: string | null;
    /** As the column. */
    readonly decision: string | null;
    /** Until when it waits for others of its group; null: it waits for no others. */
    readonly batch: BatchWait | null;
  };
  "run.started": {
    readonly attempt: number;
    /** Digest of the module's files, `` for a built-in. */
    readonly code: string;
    /** What it reports, where it waited for others. */
    readonly batch: Batch | null;
    /** Ids of the runs that joined it then. */
    readonly joined: readonly number[];
  };
  "run.resumed": {
    readonly attempt: number;
    readonly reason: "slept" | "retry" | "restart" | "reload" | "worker-died";
    readonly code: string;
    /** Deaths of a worker it was alone in, since it last finished a step. */
    readonly deaths: number;
    readonly ran_ms: number;
  };
  "step.started": { readonly step: string; readonly nth: number; readonly attempt: number };
  "step.completed": {
    readonly step: string;
    readonly nth: number;
    readonly attempt: number;
    readonly result: Json;
    readonly duration_ms: number;
  };
  "step.failed": {
    readonly step: string;
    readonly nth: number;
    readonly attempt: number;
    /** The failure in words, with its causes. */
    readonly error: string;
    /** As they were thrown. */
    readonly name: string;
    readonly message: string;
    readonly stack: string | null;
    readonly duration_ms: number;
    /** When it is tried again, or null: it failed for good. */
    readonly until: number | null;
    readonly due: number | null;
  };
  /** A `thread.sleep` that began while steps of the run were under way. */
  "sleep.started": (SleepPlace | CountedSleep) & Until;
  /** One of those was over while steps of the run are under way. */
  "sleep.ended": SleepPlace | CountedSleep;
  "run.sleeping": {
    readonly until: number;
    readonly due: number;
    /** The sleeps that began with this event. */
    readonly sleeps: readonly ((SleepPlace | CountedSleep) & Until)[];
    readonly ran_ms: number;
    /** `stop`: nerve stopped while it ran. */
    readonly reason: "sleep" | "stop";
  };
  "run.retrying": {
    readonly until: number;
    readonly due: number;
    /** The attempt that is to come. */
    readonly attempt: number;
    readonly error: string;
    readonly stack: string | null;
    /** The steps whose failures ended the attempt and which are run again, where that can be told. */
    readonly steps: readonly StepPlace[];
  };
  "run.completed": { readonly output: Json; readonly ran_ms: number };
  "run.failed": {
    readonly error: string;
    readonly stack: string | null;
    readonly steps: readonly StepPlace[];
  };
  "run.timed-out": { readonly error: string };
  "run.cancelled": { readonly error: string | null };
  "run.dropped": { readonly error: string };
  /** `into`: the run that reports what this one was to report. */
  "run.joined": { readonly into: number };
}

export type RunEventName = keyof RunEventData;

/** Every event a run's history is made of; what else carries its id (`log`, `output`) does not change it. */
export const RUN_EVENTS: readonly RunEventName[] = [
  "run.queued",
  "run.started",
  "run.resumed",
  "step.started",
  "step.completed",
  "step.failed",
  "sleep.started",
  "sleep.ended",
  "run.sleeping",
  "run.retrying",
  "run.completed",
  "run.failed",
  "run.timed-out",
  "run.cancelled",
  "run.dropped",
  "run.joined",
];

export type RunEvent = {
  [Name in RunEventName]: { readonly event: Name; readonly data: RunEventData[Name] };
}[RunEventName];

/** What a run's log row says beside its event. */
export interface Recorded {
  /** Id of the log row. */
  readonly id: number;
  readonly at: number;
  readonly run: number;
  readonly workflow: string;
  readonly trace: string;
}

const NAMES: ReadonlySet<string> = new Set(RUN_EVENTS);

export const isRunEvent = (event: string): event is RunEventName => NAMES.has(event);

/** False also for what is no state. */
export const isAlive = (state: RunState): boolean => (ACTIVE_STATES as readonly string[]).includes(state);

export const isOver = (state: RunState): state is Ending => (ENDINGS as readonly string[]).includes(state);

const text = (value: Json): string => JSON.stringify(value);

/** A column holds whole characters only, which the JSON of a log need not. */
const wellFormed = (error: string | null): string | null => (typeof error === "string" ? error.toWellFormed() : error);

const columnOf = (key: Json): string | null =>
  key === null ? null : (typeof key === "string" ? key : text(key)).toWellFormed();

function queued(row: Recorded, data: RunEventData["run.queued"]): Run {
  const { id, at, run, workflow, trace } = row;
  return {
    id: run,
    workflow,
    reflex: data.trigger.reflex,
    state: "queued",
    signal_id: data.trigger.id,
    input: text(data.input),
    output: null,
    attempt: 0,
    queued_at: at,
    started_at: null,
    ended_at: null,
    error: null,
    trace,
    last_log_id: id,
    retry_of: data.retry_of,
    first_log_id: id,
    until: null,
    key: columnOf(data.trigger.key),
    decision: data.decision,
    events: 1,
  };
}

/** The states in which an event can come. */
export const COMES_IN: Readonly<Record<Exclude<RunEventName, "run.queued">, readonly RunState[]>> = {
  "run.started": ["queued"],
  "run.dropped": ["queued"],
  "run.joined": ["queued"],
  "run.resumed": ["running", "sleeping"],
  "step.started": ["running"],
  // Between attempts: the step was under way when its attempt ended.
  "step.completed": ["running", "sleeping"],
  "step.failed": ["running"],
  "sleep.started": ["running"],
  "sleep.ended": ["running"],
  "run.sleeping": ["running"],
  "run.retrying": ["running"],
  "run.completed": ["running"],
  "run.timed-out": ["running"],
  "run.failed": ACTIVE_STATES,
  "run.cancelled": ACTIVE_STATES,
};

/**
 * The run after `event`: `run` itself where the event is quiet. `quiet`: the number of quiet events since its newest event that
 * was none. Throws for what cannot follow: an event of a run that was never queued, a second `run.queued`, anything after its
 * ending (G3), what the state it is in does not lead to.
 */
export function advance(run: Run | null, row: Recorded, { event, data }: RunEvent, quiet = 0): Run {
  if (run === null) {
    if (event !== "run.queued") throw new Error(`log ${row.id}: ${event} of run ${row.run}, which was not queued`);
    return queued(row, data);
  }
  if (event === "run.queued") throw new Error(`log ${row.id}: run ${row.run} was queued before`);
  if (!COMES_IN[event].includes(run.state)) {
    throw new Error(`log ${row.id}: ${event} of run ${row.run}, which is ${run.state}`);
  }
  if (row.workflow !== run.workflow) {
    throw new Error(`log ${row.id}: ${event} of run ${row.run} of ${row.workflow}, which is a run of ${run.workflow}`);
  }
  if (isQuiet(run.state, event)) return run;
  // The hot path: an object is copied fast where nothing but names stands behind the copy.
  const last_log_id = row.id;
  const events = run.events === null ? null : run.events + quiet + 1;
  const ended_at = row.at;
  switch (event) {
    case "run.started":
      return { ...run, last_log_id, events, state: "running", attempt: data.attempt, started_at: row.at };
    case "run.resumed":
      return { ...run, last_log_id, events, state: "running", attempt: data.attempt, until: null };
    case "run.sleeping":
      return { ...run, last_log_id, events, state: "sleeping", until: data.until };
    case "run.retrying":
      return { ...run, last_log_id, events, state: "sleeping", until: data.until, error: wellFormed(data.error) };
    case "run.completed": {
      const output = text(data.output);
      return { ...run, last_log_id, events, ended_at, until: null, state: "completed", output, error: null };
    }
    case "run.failed":
    case "run.timed-out":
    case "run.cancelled":
    case "run.dropped": {
      const error = wellFormed(data.error);
      return { ...run, last_log_id, events, ended_at, until: null, state: ENDING_OF[event], error };
    }
    case "run.joined":
      return { ...run, last_log_id, events, ended_at, until: null, state: "joined", error: null };
    default:
      // A step has finished between two attempts.
      return { ...run, last_log_id, events };
  }
}

const ENDING_OF = {
  "run.failed": "failed",
  "run.timed-out": "timed-out",
  "run.cancelled": "cancelled",
  "run.dropped": "dropped",
} as const;
