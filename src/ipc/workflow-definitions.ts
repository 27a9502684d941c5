/**
 * The messages between the kernel and a workflow worker, in the notation of `definitions.ts`. What a worker says of a run
 * carries `seq`, its own count; `ack` answers once everything up to a `seq` is committed, and only then does the thread
 * go on.
 */
import type { type } from "arktype";
import { bye, COUNT, logOf, MS, POSITIVE, POSITIVE_OR_NULL, peer, peers, problem, shutdown } from "./definitions.ts";

/** The first message. */
const init = {
  type: "'init'",
  generation: POSITIVE,
  workflow: {
    name: "string",
    /** Absolute folder of the user's module, or null for the built-in called `use`. */
    folder: "string | null",
    use: "string",
    /** The `with` of nerve.yaml, {} when absent. */
    options: "unknown",
  },
  peers: [peer, "[]"],
  /** Where people are told: entries of `channels` in nerve.yaml, as `model/channel.ts` has them. */
  channels: "unknown",
  /** Of the store: with the host's name it tells the incidents of one data directory from those of another. */
  epoch: "string",
  /** Folder of the content-addressed store. */
  blobs: "string",
  /** File the worker holds a lock on for life, so that no two workers of one workflow live at once. */
  lock: "string",
  /** Rows of `log` the worker may have unacknowledged. */
  logCredit: POSITIVE,
} as const;

/** The nth call of that name, from 0. */
const stepPlace = { step: "string", nth: COUNT } as const;

/**
 * The nth sleep of that duration (as written) and name, from 0. `duration` null: recorded by an earlier version, which
 * counted the sleeps of a run whatever their duration.
 */
const sleepPlace = { duration: "string | null", name: "string | null", nth: COUNT } as const;

/** Place in the order in which the steps and sleeps of the run settled, from 0 without a gap; null: it has not settled. */
const settled = [COUNT, "|", "null"] as const;

/** What a step threw: in words, with its causes; name and message as they were; the stack of the author's code. */
const failure = { error: "string", name: "string", message: "string", stack: "string | null" } as const;

/**
 * A step's history: what it returned, or the error it failed with for good, or (`retrying`) when it is tried again, or
 * (`begun`) that the run whose retry by hand this is ended while the step was under way.
 */
const step = {
  ...stepPlace,
  state: "'completed' | 'failed' | 'retrying' | 'begun'",
  settled,
  result: "unknown",
  failure: [failure, "|", "null"],
  /** Attempts made; for `retrying` the next is one more. */
  attempt: COUNT,
  /** Milliseconds until it is tried again. */
  leftMs: MS,
  /** The run that its idempotency key names, null: this run. */
  keyRun: POSITIVE_OR_NULL,
} as const;

/** A sleep that has begun. */
const pastSleep = { ...sleepPlace, settled, leftMs: MS } as const;

/**
 * Completed steps of a run whose past is too long for one frame. Such messages come before `run`, which has the others; each
 * after the worker has answered the one before with `taken`. A `cancel` of the run takes them back.
 */
const past = { type: "'past'", generation: POSITIVE, run: POSITIVE, steps: [step, "[]"] } as const;

/** Runs it from the top; finished steps return what they had returned. */
const run = {
  type: "'run'",
  generation: POSITIVE,
  run: POSITIVE,
  attempt: POSITIVE,
  trace: "string",
  trigger: {
    id: POSITIVE_OR_NULL,
    sense: "string | null",
    host: "string",
    at: [COUNT, "|", "null"],
    payload: "unknown",
    reflex: "string | null",
    key: "unknown",
    due: [COUNT, "|", "null"],
    signal: "unknown",
    incident: "unknown",
    batch: "unknown",
  },
  /** What the kernel knows of why the run started, for a workflow that tells it to people; else null. */
  cause: "unknown",
  /** Running time left to this attempt, or null: no limit. */
  timeoutMs: [MS, "|", "null"],
  steps: [step, "[]"],
  sleeps: [pastSleep, "[]"],
  /**
   * Places of the order, `to` not included, in which an attempt settled what followed from a failure that is run again:
   * these need not come again.
   */
  loose: [{ from: COUNT, to: COUNT }, "[]"],
  /** Calls of `thread.log` that are in the log already. */
  logged: COUNT,
} as const;

/** Everything with `seq` up to `upTo` is committed; `logs` rows of `log` were taken. */
const ack = { type: "'ack'", generation: POSITIVE, upTo: COUNT, logs: COUNT } as const;

/** Aborts the run; answered by `stopped`. */
const cancel = { type: "'cancel'", generation: POSITIVE, run: POSITIVE } as const;

/** `problem` null when the module is loaded. */
const ready = { type: "'ready'", generation: POSITIVE, problem: [problem, "|", "null"] } as const;

/** The `past` of a run has come. */
const taken = { type: "'taken'", generation: POSITIVE, run: POSITIVE } as const;

/**
 * `run` null: the module is being loaded; sent before that. The begin of a run is noted (`notes.ts`) before user code is
 * entered, and sent at the end of the turn. A worker without a page for notes sends it before.
 */
const started = { type: "'started'", generation: POSITIVE, run: POSITIVE_OR_NULL } as const;

const ofStep = { generation: POSITIVE, seq: POSITIVE, run: POSITIVE, ...stepPlace, attempt: POSITIVE } as const;

const stepStarted = { type: "'step-started'", ...ofStep } as const;
const stepCompleted = { type: "'step-completed'", ...ofStep, result: "unknown", durationMs: MS } as const;
/** `retryInMs` null: it failed for good. */
const stepFailed = {
  type: "'step-failed'",
  ...ofStep,
  ...failure,
  durationMs: MS,
  retryInMs: [MS, "|", "null"],
} as const;

/** A `thread.sleep` began while steps of the run are under way. */
const sleep = {
  type: "'sleep'",
  generation: POSITIVE,
  seq: POSITIVE,
  run: POSITIVE,
  ...sleepPlace,
  ms: MS,
} as const;
/** A sleep was over while steps of the run are under way. What follows from that begins once this is committed. */
const slept = { type: "'slept'", generation: POSITIVE, seq: POSITIVE, run: POSITIVE, ...sleepPlace } as const;

/**
 * Nothing of the run is under way but waiting, for `leftMs` at least: this execution of it is given up, and it is run
 * again from the top when the time is over. `sleeps`: those that begin with this.
 */
const suspended = {
  type: "'suspended'",
  generation: POSITIVE,
  seq: POSITIVE,
  run: POSITIVE,
  leftMs: MS,
  sleeps: [{ ...sleepPlace, ms: MS }, "[]"],
  ranMs: MS,
} as const;

const ended = { generation: POSITIVE, seq: POSITIVE, run: POSITIVE, ranMs: MS } as const;
/** `lingers`: functions of its steps are still under way. They were told to end, and `stopped` follows once they have. */
const completed = { type: "'completed'", ...ended, lingers: "boolean", output: "unknown" } as const;
/** `steps`: those whose failures it was, where that can be told. `again` false: another attempt would only fail again. */
const failed = {
  type: "'failed'",
  ...ended,
  lingers: "boolean",
  again: "boolean",
  error: "string",
  stack: "string | null",
  steps: [stepPlace, "[]"],
} as const;
/** It was told to end, by its timeout or a cancel, and has not settled in the turn in which it heard of it. */
const overdue = { type: "'overdue'", generation: POSITIVE, run: POSITIVE } as const;
/** It passed its timeout, and has settled since. */
const timedOut = { type: "'timed-out'", ...ended } as const;
/** It had ended before, was cancelled perhaps, and all of its code has settled since. */
const stopped = { type: "'stopped'", ...ended } as const;

/** What was wrong with a message or with the worker itself. */
const error = {
  type: "'error'",
  generation: POSITIVE,
  run: POSITIVE_OR_NULL,
  kind: "'malformed-message' | 'worker'",
  message: "string",
  stack: "string | null",
} as const;

const log = { ...logOf, run: POSITIVE_OR_NULL } as const;

/** A try to hand a message to a channel is over; `error`: what came of it, null: the channel took the message. */
const notified = {
  type: "'notified'",
  generation: POSITIVE,
  run: POSITIVE,
  channel: "string",
  error: "string | null",
} as const;

/** Places for notes of runs, used in turn. A `started` has left before so many other runs begin. */
export const RUN_PLACES = 64;

export const workflowParentDefinitions = { init, past, run, ack, cancel, peers, shutdown } as const;
export const workflowWorkerDefinitions = {
  ready,
  taken,
  started,
  "step-started": stepStarted,
  "step-completed": stepCompleted,
  "step-failed": stepFailed,
  sleep,
  slept,
  suspended,
  completed,
  failed,
  overdue,
  "timed-out": timedOut,
  stopped,
  notified,
  error,
  log,
  bye,
} as const;

type Infer<Definitions> = { [Key in keyof Definitions]: type.infer<Definitions[Key]> }[keyof Definitions];

/** Kernel → workflow worker. */
export type WorkflowParentMessage = Infer<typeof workflowParentDefinitions>;
/** Workflow worker → kernel. */
export type WorkflowMessage = Infer<typeof workflowWorkerDefinitions>;

export type WorkflowParentMessageOf<Type extends WorkflowParentMessage["type"]> = Extract<
  WorkflowParentMessage,
  { type: Type }
>;
export type WorkflowMessageOf<Type extends WorkflowMessage["type"]> = Extract<WorkflowMessage, { type: Type }>;
