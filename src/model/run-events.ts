/** The events that a run's history is made of, as they stand in the table of events; `model/run.ts` folds them. */
import type { EventKind, Field } from "./event-kind.ts";
import type { RunEventData, RunEventName } from "./run.ts";

/** Holds this table and the fold to the same events, with the same keys of `data`. `n` is added where the event is quiet. */
type RunEventKinds = {
  readonly [Name in RunEventName]: EventKind & { readonly data: Record<keyof RunEventData[Name], Field> };
};

/** The number of the event among the events of its run. Logs of earlier versions, and of runs that sleep, have none. */
const quiet = { "n?": "number" } as const;

const step = { step: "string", nth: "number", attempt: "number" } as const;
const sleep = { duration: "string", name: "string | null", nth: "number" } as const;
const wait = { until: "number", due: "number" } as const;

export const RUN_EVENT_KINDS = {
  "run.queued": {
    levels: ["info"],
    sentence: "A run was asked for.",
    data: {
      input: "any",
      trigger: "object",
      retry_of: "number | null",
      from_step: "string | null",
      decision: "string | null",
      batch: "object | null",
    },
  },
  "run.started": {
    levels: ["info"],
    sentence:
      "A run began; `batch`: what it reports, where its workflow has `batch`; `joined`: the runs that joined it.",
    data: { attempt: "number", code: "string", batch: "object | null", joined: "number[]" },
  },
  "run.resumed": {
    levels: ["info", "warn"],
    sentence:
      "A run goes on; `warn`: its code has changed since. Unknown steps and sleeps run, vanished ones are ignored.",
    data: { attempt: "number", reason: "string", code: "string", deaths: "number", ran_ms: "number" },
  },
  "step.started": {
    levels: ["debug"],
    sentence: "A step of a run began; `n`: the number of the event among those of its run.",
    data: { ...step, ...quiet },
  },
  "step.completed": {
    levels: ["info"],
    sentence: "A step of a run completed.",
    data: { ...step, result: "any", duration_ms: "number", ...quiet },
  },
  "step.failed": {
    levels: ["warn", "error"],
    sentence: "A step of a run failed; `until`: when it is tried again, or null.",
    data: {
      ...step,
      error: "string",
      name: "string",
      message: "string",
      stack: "string | null",
      duration_ms: "number",
      until: "number | null",
      due: "number | null",
      ...quiet,
    },
  },
  "sleep.started": {
    levels: ["info"],
    sentence: "A sleep of a run began while steps of it were under way.",
    data: { ...sleep, ...wait, ...quiet },
  },
  "sleep.ended": {
    levels: ["debug"],
    sentence: "A sleep of a run was over while steps of the run are under way.",
    data: { ...sleep, ...quiet },
  },
  "run.sleeping": {
    levels: ["info"],
    sentence: "A run sleeps, and holds no slot.",
    data: { ...wait, sleeps: "object[]", ran_ms: "number", reason: "string" },
  },
  "run.retrying": {
    levels: ["warn"],
    sentence: "An attempt of a run failed; the next one begins at `until`.",
    data: { ...wait, attempt: "number", error: "string", stack: "string | null", steps: "object[]" },
  },
  "run.completed": { levels: ["info"], sentence: "A run completed.", data: { output: "any", ran_ms: "number" } },
  "run.failed": {
    levels: ["error"],
    sentence:
      "A run failed: `nerve show run:ID` tells what it did and where it threw. After mending, `nerve retry ID` goes on behind its finished steps.",
    data: { error: "string", stack: "string | null", steps: "object[]" },
  },
  "run.timed-out": {
    levels: ["error"],
    sentence: "A run passed its `timeout`. `nerve retry ID` goes on behind its finished steps.",
    data: { error: "string" },
  },
  "run.cancelled": { levels: ["warn"], sentence: "A run was cancelled.", data: { error: "string | null" } },
  "run.dropped": {
    levels: ["warn"],
    sentence: "There were more runs than `concurrency` and `max_queue` allow: raise them, or `throttle` the reflex.",
    data: { error: "string" },
  },
  "run.joined": {
    levels: ["info"],
    sentence: "A run had not begun, and run `into` reports what it was to report.",
    data: { into: "number" },
  },
} as const satisfies RunEventKinds;
