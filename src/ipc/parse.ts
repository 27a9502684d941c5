/** Believes nothing that came over a channel until it is a well-formed message: what both ends call first. */
import { err, ok, type Result } from "../base/result.ts";
import {
  type MalformedMessage,
  type ParentMessage,
  parentDefinitions,
  type WorkerMessage,
  workerDefinitions,
} from "./definitions.ts";
import {
  type FleetMessage,
  type FleetParentMessage,
  fleetDefinitions,
  fleetParentDefinitions,
} from "./fleet-definitions.ts";
import { lightGuard } from "./light-guard.ts";
import {
  type OtlpMessage,
  type OtlpParentMessage,
  otlpDefinitions,
  otlpParentDefinitions,
} from "./otlp-definitions.ts";
import {
  type PushMessage,
  type PushParentMessage,
  pushDefinitions,
  pushParentDefinitions,
} from "./push-definitions.ts";
import {
  type WatchdogMessage,
  type WatchdogParentMessage,
  watchdogDefinitions,
  watchdogParentDefinitions,
} from "./watchdog-definitions.ts";
import { type WebMessage, type WebParentMessage, webDefinitions, webParentDefinitions } from "./web-definitions.ts";
import {
  type WorkflowMessage,
  type WorkflowParentMessage,
  workflowParentDefinitions,
  workflowWorkerDefinitions,
} from "./workflow-definitions.ts";

type Parse<Message> = (raw: unknown) => Result<Message, MalformedMessage>;

const LONGEST_QUOTE = 80;

const quote = (value: unknown): string => {
  if (typeof value === "object" && value !== null) return Array.isArray(value) ? "an array" : "an object";
  return typeof value === "string"
    ? JSON.stringify(value.slice(0, LONGEST_QUOTE))
    : String(value).slice(0, LONGEST_QUOTE);
};

function parser<Message>(definitions: Readonly<Record<string, Readonly<Record<string, unknown>>>>): Parse<Message> {
  // Made at the first message of a type: a process gets few of the types that there are.
  const guards = new Map<unknown, ReturnType<typeof lightGuard>>();
  const guardOf = (name: unknown): ReturnType<typeof lightGuard> | null => {
    const definition = typeof name === "string" && Object.hasOwn(definitions, name) ? definitions[name] : undefined;
    if (definition === undefined) return null;
    const guard = lightGuard(definition);
    guards.set(name, guard);
    return guard;
  };
  const explain = (name: string, raw: Record<string, unknown>): string => {
    for (const [key, definition] of Object.entries(definitions[name] ?? {})) {
      if (!(key in raw)) return `"${name}" without ${key}`;
      if (lightGuard(definition)(raw[key])) continue;
      const expected = typeof definition === "string" ? `, expected ${definition}` : "";
      return `"${name}" whose ${key} is ${quote(raw[key])}${expected}`;
    }
    return `a malformed "${name}"`;
  };
  return (raw) => {
    if (typeof raw !== "object" || raw === null) return err({ what: `${quote(raw)} instead of a message` });
    const name = (raw as { type?: unknown }).type;
    const guard = guards.get(name) ?? guardOf(name);
    if (guard === null) return err({ what: `a message of unknown type ${quote(name)}` });
    return guard(raw) ? ok(raw as Message) : err({ what: explain(name as string, raw as Record<string, unknown>) });
  };
}

/** What a worker accepts from the kernel. The error is short whatever was sent. */
export const parseParentMessage: Parse<ParentMessage> = parser<ParentMessage>(parentDefinitions);

/** What the kernel accepts from a worker. The error is short whatever was sent. */
export const parseWorkerMessage: Parse<WorkerMessage> = parser<WorkerMessage>(workerDefinitions);

/** What a workflow worker accepts from the kernel. */
export const parseWorkflowParentMessage: Parse<WorkflowParentMessage> =
  parser<WorkflowParentMessage>(workflowParentDefinitions);

/** What the kernel accepts from a workflow worker. */
export const parseWorkflowMessage: Parse<WorkflowMessage> = parser<WorkflowMessage>(workflowWorkerDefinitions);

/** What the watchdog process accepts from the kernel. */
export const parseWatchdogParentMessage: Parse<WatchdogParentMessage> =
  parser<WatchdogParentMessage>(watchdogParentDefinitions);

/** What the kernel accepts from the watchdog process. */
export const parseWatchdogMessage: Parse<WatchdogMessage> = parser<WatchdogMessage>(watchdogDefinitions);

/** What the web process accepts from the kernel. */
export const parseWebParentMessage: Parse<WebParentMessage> = parser<WebParentMessage>(webParentDefinitions);

/** What the kernel accepts from the web process. */
export const parseWebMessage: Parse<WebMessage> = parser<WebMessage>(webDefinitions);

/** What the push process accepts from the kernel. */
export const parsePushParentMessage: Parse<PushParentMessage> = parser<PushParentMessage>(pushParentDefinitions);

/** What the kernel accepts from the push process. */
export const parsePushMessage: Parse<PushMessage> = parser<PushMessage>(pushDefinitions);

/** What the fleet process accepts from the kernel. */
export const parseFleetParentMessage: Parse<FleetParentMessage> = parser<FleetParentMessage>(fleetParentDefinitions);

/** What the kernel accepts from the fleet process. */
export const parseFleetMessage: Parse<FleetMessage> = parser<FleetMessage>(fleetDefinitions);

/** What the process that sends by OTLP accepts from the kernel. */
export const parseOtlpParentMessage: Parse<OtlpParentMessage> = parser<OtlpParentMessage>(otlpParentDefinitions);

/** What the kernel accepts from the process that sends by OTLP. */
export const parseOtlpMessage: Parse<OtlpMessage> = parser<OtlpMessage>(otlpDefinitions);
