/**
 * What `data` of a run's event must be, held against what lies there: other hands reach the store, and a damaged byte makes
 * another number. What earlier versions did not record is filled in here, so that nobody else knows of them.
 */
import { isJsonObject, type Json, type JsonObject } from "../base/json.ts";
import { err, ok, type Result } from "../base/result.ts";
import { INCIDENT_STATES, NOTIFICATIONS, SEVERITIES } from "./incident.ts";
import type { RunEvent, RunEventData, RunEventName } from "./run.ts";
import { spellDecision } from "./run-decision.ts";

/** Why a value is not what nerve writes there: it reads on behind `data`. Null: nothing is wrong. */
type Fault = string | null;
type Check = (value: Json | undefined, path: string) => Fault;

const LAST_TIME_MS = 8_640_000_000_000_000;
const SHOWN_CHARS = 40;

function shown(value: Json): string {
  if (Array.isArray(value)) return "a list";
  if (isJsonObject(value)) return "an object";
  const text = JSON.stringify(value);
  return text.length > SHOWN_CHARS ? `${text.slice(0, SHOWN_CHARS)}…` : text;
}

const is =
  (what: string, test: (value: Json) => boolean): Check =>
  (value, path) => {
    if (value === undefined) return `has no ${path}`;
    return test(value) ? null : `has ${shown(value)} as ${path}, which is not ${what}`;
  };

const isNumber = (value: Json): value is number => typeof value === "number" && Number.isFinite(value);
const isWhole = (value: Json): value is number => Number.isSafeInteger(value);

const any = is("", () => true);
const nothing = is("null", (value) => value === null);
const text = is("a text", (value) => typeof value === "string");
const flag = is("true or false", (value) => typeof value === "boolean");
const count = is("a number from 0 on", (value) => isWhole(value) && value >= 0);
const ordinal = is("a number from 1 on", (value) => isWhole(value) && value >= 1);
const span = is("a number of milliseconds", (value) => isNumber(value) && value >= 0);
const moment = is("a time", (value) => isWhole(value) && Math.abs(value) <= LAST_TIME_MS);
const due = is("a moment of elapsed time", isNumber);

const orNull =
  (check: Check): Check =>
  (value, path) =>
    value === null ? null : check(value, path);

const oneOf = (...words: readonly string[]): Check =>
  is(`one of ${words.join(", ")}`, (value) => typeof value === "string" && words.includes(value));

const shape =
  (fields: Readonly<Record<string, Check>>): Check =>
  (value, path) => {
    if (!isJsonObject(value)) return is("an object", isJsonObject)(value, path);
    for (const key in fields) {
      const fault = fields[key]?.(value[key], path === "" ? key : `${path}.${key}`) ?? null;
      if (fault !== null) return fault;
    }
    return null;
  };

const list =
  (element: Check): Check =>
  (value, path) => {
    if (!Array.isArray(value)) return is("a list", Array.isArray)(value, path);
    for (const [index, one] of value.entries()) {
      const fault = element(one, `${path}[${index}]`);
      if (fault !== null) return fault;
    }
    return null;
  };

const either =
  (isFirst: (value: Json | undefined) => boolean, first: Check, second: Check): Check =>
  (value, path) =>
    (isFirst(value) ? first : second)(value, path);

const stepPlace = { step: text, nth: count };
const step = { ...stepPlace, attempt: ordinal };
const wait = { until: moment, due };

/** Earlier versions counted the sleeps of a run, whatever their duration. */
const isCounted = (value: Json | undefined): boolean =>
  isJsonObject(value) && !("duration" in value) && !("name" in value);
const sleepOf = (more: Readonly<Record<string, Check>>): Check =>
  either(isCounted, shape({ nth: count, ...more }), shape({ duration: text, name: orNull(text), nth: count, ...more }));

const incident = shape({
  id: ordinal,
  notification: oneOf(...NOTIFICATIONS),
  state: oneOf(...INCIDENT_STATES),
  reason: orNull(text),
  severity: oneOf(...SEVERITIES),
  summary: text,
  opened_at: moment,
  duration_ms: span,
  count: ordinal,
  acked_by: orNull(text),
  suppressed_ms: span,
  suppressed_by: list(text),
});

const trigger = shape({
  id: orNull(ordinal),
  sense: orNull(text),
  at: orNull(moment),
  reflex: orNull(text),
  key: any,
  isElement: flag,
  due: orNull(moment),
  incident: orNull(incident),
});

const batchWait = shape({ group: text, until: moment, due });

const batchItem = shape({
  id: orNull(ordinal),
  sense: orNull(text),
  at: orNull(moment),
  payload: any,
  reflex: orNull(text),
  key: any,
  due: orNull(moment),
  signal: nothing,
  incident: orNull(incident),
  batch: nothing,
});

const batch = shape({ items: list(batchItem), more: count });

type Checks = { readonly [Name in RunEventName]: Check };

/** Each has the fields of its event in `RUN_EVENT_KINDS`, which a test proves. */
const CHECKS: Checks = {
  "run.queued": shape({
    input: any,
    trigger,
    retry_of: orNull(ordinal),
    from_step: orNull(text),
    decision: orNull(text),
    batch: orNull(batchWait),
  }),
  "run.started": shape({ attempt: ordinal, code: text, batch: orNull(batch), joined: list(ordinal) }),
  "run.resumed": shape({
    attempt: ordinal,
    reason: oneOf("slept", "retry", "restart", "reload", "worker-died"),
    code: text,
    deaths: count,
    ran_ms: span,
  }),
  "step.started": shape(step),
  "step.completed": shape({ ...step, result: any, duration_ms: span }),
  "step.failed": shape({
    ...step,
    error: text,
    name: text,
    message: text,
    stack: orNull(text),
    duration_ms: span,
    until: orNull(moment),
    due: orNull(due),
  }),
  "sleep.started": sleepOf(wait),
  "sleep.ended": sleepOf({}),
  "run.sleeping": shape({ ...wait, sleeps: list(sleepOf(wait)), ran_ms: span, reason: oneOf("sleep", "stop") }),
  "run.retrying": shape({
    ...wait,
    attempt: ordinal,
    error: text,
    stack: orNull(text),
    steps: list(shape(stepPlace)),
  }),
  "run.completed": shape({ output: any, ran_ms: span }),
  "run.failed": shape({ error: text, stack: orNull(text), steps: list(shape(stepPlace)) }),
  "run.timed-out": shape({ error: text }),
  "run.cancelled": shape({ error: orNull(text) }),
  "run.dropped": shape({ error: text }),
  "run.joined": shape({ into: ordinal }),
};

const NAMED = /^([A-Za-z_$][\w$]*(?:Error|Exception)|Error): ([\s\S]*)$/;

/** Earlier versions recorded the words of a failure alone: name and message are read from them. */
function failureIn({ error }: JsonObject): JsonObject {
  if (typeof error !== "string") return {};
  const [, name = "Error", message = error] = NAMED.exec(error) ?? [];
  return { name, message };
}

/** A reflex made one run a signal, when there were no decisions. */
function decisionIn({ trigger }: JsonObject): string | null {
  if (!isJsonObject(trigger) || !isWhole(trigger.id ?? null) || typeof trigger.reflex !== "string") return null;
  return spellDecision({ kind: "signal", signal: trigger.id as number, key: null });
}

/** Earlier versions recorded one step at the most, or null. */
const culpritsIn = ({ step = null }: JsonObject): Json => (step === null ? [] : [step]);

const LATER_TRIGGER = ["key", "isElement", "due", "incident"];

/** What earlier versions did not record. */
function earlier(event: RunEventName, data: JsonObject): JsonObject {
  switch (event) {
    case "run.queued": {
      const decided = "decision" in data ? data : { ...data, decision: decisionIn(data) };
      const filled = "batch" in decided ? decided : { ...decided, batch: null };
      const { trigger } = filled;
      if (!isJsonObject(trigger) || LATER_TRIGGER.every((key) => key in trigger)) return filled;
      return { ...filled, trigger: { key: null, isElement: false, due: null, incident: null, ...trigger } };
    }
    case "run.started":
      return "joined" in data ? data : { batch: null, joined: [], ...data };
    case "step.failed":
      return "message" in data ? data : { ...failureIn(data), ...data };
    case "run.sleeping":
      return "reason" in data ? data : { ...data, reason: "sleep" };
    case "run.retrying":
    case "run.failed":
      return "steps" in data ? data : { ...data, steps: culpritsIn(data) };
    default:
      return data;
  }
}

/** The event that `written`, the data of a log, makes with its name; the error reads on behind `data`. */
export function parseRunData(event: RunEventName, written: Json | undefined): Result<RunEvent, string> {
  if (written === undefined) return err("is no JSON");
  if (!isJsonObject(written)) return err(`is ${shown(written)}, which is no object`);
  const data = earlier(event, written);
  const why = CHECKS[event](data, "");
  if (why !== null) return err(why);
  return ok({ event, data: data as unknown as RunEventData[RunEventName] } as RunEvent);
}
