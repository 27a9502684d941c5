/** What a delivery carries: the trigger, or a body of the options, as it is or as a CloudEvent. */
import { hostname } from "node:os";
import type { Trigger } from "nerve";
import { fillJson, fillText } from "nerve/template";

type Json = Parameters<typeof fillJson>[0];

export interface Content {
  readonly type: string;
  readonly body: string;
}

export interface ContentOptions {
  /** Null: the trigger. */
  readonly body: Json;
  readonly body_text: string | null;
  /** Of `body_text`; null: plain text. */
  readonly type: string | null;
  readonly format: "nerve" | "cloudevents";
}

/** What is said of the delivery itself. */
export interface About {
  /** The same for every try of the run. */
  readonly id: string;
  /** W3C trace context; null where none is sent. */
  readonly traceparent: string | null;
}

const JSON_TYPE = "application/json";
const TEXT_TYPE = "text/plain; charset=utf-8";

/** Throws for a template with nothing to fill in. */
export function contentOf({ body, body_text, type, format }: ContentOptions, trigger: Trigger, about: About): Content {
  if (body_text !== null) return { type: type ?? TEXT_TYPE, body: fillText(body_text, trigger) };
  const data = body === null ? (trigger as unknown as Json) : fillJson(body, trigger);
  if (format === "nerve") return { type: JSON_TYPE, body: JSON.stringify(data) };
  return { type: "application/cloudevents+json", body: JSON.stringify(cloudEvent(data, trigger, about)) };
}

/** CloudEvents 1.0, structured. */
const cloudEvent = (data: Json, trigger: Trigger, { id, traceparent }: About) => ({
  specversion: "1.0",
  id,
  source: `nerve://${hostname()}/${trigger.reflex === null ? "" : `reflex/${trigger.reflex}`}`,
  type: kindOf(trigger),
  ...timeOf(trigger),
  ...(trigger.key === null
    ? {}
    : { subject: typeof trigger.key === "string" ? trigger.key : JSON.stringify(trigger.key) }),
  ...(traceparent === null ? {} : { traceparent }),
  datacontenttype: JSON_TYPE,
  data,
});

function kindOf({ incident, id, due, batch }: Trigger): string {
  if (batch !== null) return "nerve.batch";
  if (incident !== null) return `nerve.incident.${incident.notification}`;
  if (id !== null) return "nerve.signal";
  return due === null ? "nerve.run" : "nerve.due";
}

function timeOf({ at, due }: Trigger): { readonly time: string } | Record<string, never> {
  const ms = at ?? due;
  return ms === null ? {} : { time: new Date(ms).toISOString() };
}
