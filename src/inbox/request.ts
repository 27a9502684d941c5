/** Owns how a request says what its items are: one JSON value, JSON lines, or a CloudEvent (structured, or by its headers). Pure. */
import { exceedsBytes, isJsonObject, type Json, readJson, toJson } from "../base/json.ts";
import { err, ok, type Result } from "../base/result.ts";
import { MAX_VALUE_BYTES } from "../model/value.ts";
import { type Given, MAX_KEY_BYTES, MAX_REQUEST_ITEMS, type NotGiven } from "./given.ts";

const bad = (message: string, hint: string | null = null): NotGiven => ({
  status: 400,
  kind: "bad-request",
  message,
  hint,
});

const tooMuch = (message: string, hint: string): NotGiven => ({ status: 413, kind: "too-much", message, hint });

const TYPES = "application/json, application/x-ndjson or application/cloudevents+json";

const notTaken = (type: string): NotGiven => ({
  status: 415,
  kind: "content-type",
  message: `an inbox takes no \`${type.slice(0, 100)}\``,
  hint: `send ${TYPES}, as in curl --json '{…}'`,
});

/** The media type without parameters, in small letters; null where the header is absent. */
const mediaTypeOf = (headers: Headers): string | null =>
  headers.get("content-type")?.split(";", 1)[0]?.trim().toLowerCase() || null;

/** `body`: as text, at most `MAX_REQUEST_BYTES`. */
export function givenBy(headers: Headers, body: string): Result<Given, NotGiven> {
  const type = mediaTypeOf(headers);
  if (type === "application/cloudevents+json") return structuredEvent(headers, body);
  if (type !== null && type !== "application/json" && type !== "application/x-ndjson") return err(notTaken(type));
  const key = keyOf(headers);
  if (!key.ok) return key;
  const trace = traceOf(headers.get("traceparent"));
  const bodies = type === "application/x-ndjson" ? linesOf(body) : oneValue(body, "the body");
  if (!bodies.ok) return bodies;
  if (headers.has("ce-specversion")) return namedEvent(headers, bodies.value, key.value, trace);
  const event = headers.get("x-github-event");
  const kind = event === null ? ok(null) : checkedKey(event, "x-github-event");
  if (!kind.ok) return kind;
  return ok({ bodies: bodies.value, key: key.value, identity: key.value, type: kind.value, trace });
}

/** The trace of a `traceparent` as W3C Trace Context has it; null where there is none that can be read. */
export function traceOf(traceparent: string | null): string | null {
  const trace = /^[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}(?:-.*)?$/.exec(traceparent ?? "")?.[1];
  return trace === undefined || /^0+$/.test(trace) ? null : trace;
}

// ── keys ───────────────────────────────────────────────────────────────

/** What a sender calls a request, so that the same request again is known; null: nothing. */
export function keyOf(headers: Headers): Result<string | null, NotGiven> {
  for (const header of ["idempotency-key", "webhook-id", "x-github-delivery"]) {
    const key = headers.get(header);
    if (key === null) continue;
    return checkedKey(key, header);
  }
  return ok(null);
}

export function checkedKey(key: string, name: string): Result<string, NotGiven> {
  if (key === "") return err(bad(`\`${name}\` is empty`));
  return exceedsBytes(key, MAX_KEY_BYTES) ? err(bad(`\`${name}\` is over ${MAX_KEY_BYTES} bytes`)) : ok(key);
}

// ── JSON ───────────────────────────────────────────────────────────────

/** One value. `what` begins the sentence about its fault. */
function oneValue(text: string, what: string): Result<readonly string[], NotGiven> {
  if (text.trim() === "") return err(bad(`${what} is empty`, "send a JSON value"));
  const value = readJson(text);
  if (value === undefined) return err(bad(`${what} is no JSON`));
  const written = writtenOf(value, what);
  return written.ok ? ok([written.value]) : written;
}

function writtenOf(value: Json, what: string): Result<string, NotGiven> {
  const json = toJson(value);
  if (!json.ok) {
    const { path, reason } = json.error;
    return err(bad(`${what} is refused: ${path === "" ? reason : `${path}: ${reason}`}`));
  }
  const text = JSON.stringify(json.value);
  return exceedsBytes(text, MAX_VALUE_BYTES)
    ? err(tooMuch(`${what} is over 64 KiB`, "send what it is about, and keep the rest elsewhere"))
    : ok(text);
}

function linesOf(body: string): Result<readonly string[], NotGiven> {
  const bodies: string[] = [];
  let number = 0;
  for (const line of body.split("\n")) {
    number++;
    if (line.trim() === "") continue;
    if (bodies.length === MAX_REQUEST_ITEMS) {
      return err(tooMuch(`the request has over ${MAX_REQUEST_ITEMS} items`, "send them with several requests"));
    }
    const value = oneValue(line, `line ${number}`);
    if (!value.ok) return value;
    bodies.push(...value.value);
  }
  return bodies.length === 0 ? err(bad("the body is empty", "send a JSON value a line")) : ok(bodies);
}

// ── CloudEvents ────────────────────────────────────────────────────────

/** https://github.com/cloudevents/spec, version 1.0: attributes that every event has. */
interface EventAttributes {
  readonly id: string;
  readonly source: string;
  readonly type: string;
}

function attributesOf(
  read: (name: string) => unknown,
  written: (name: string) => string,
): Result<EventAttributes, NotGiven> {
  const version = read("specversion");
  if (version !== "1.0") return err(bad(`\`${written("specversion")}\` is not 1.0`, "send CloudEvents 1.0"));
  const found: string[] = [];
  for (const name of ["id", "source", "type"]) {
    const value = read(name);
    if (typeof value !== "string" || value === "") return err(bad(`the event has no \`${written(name)}\``));
    const checked = checkedKey(value, written(name));
    if (!checked.ok) return checked;
    found.push(value);
  }
  const [id = "", source = "", type = ""] = found;
  return ok({ id, source, type });
}

/** Two texts in one, so that no other pair gives the same. */
const identityOf = ({ source, id }: EventAttributes): string => JSON.stringify([source, id]);

function structuredEvent(headers: Headers, body: string): Result<Given, NotGiven> {
  const event = readJson(body);
  if (!isJsonObject(event)) return err(bad("the body is no CloudEvent: no JSON object"));
  const attributes = attributesOf(
    (name) => event[name],
    (name) => name,
  );
  if (!attributes.ok) return attributes;
  if (event.data_base64 !== undefined) {
    return err(bad("the event has `data_base64`", "send JSON as `data`: an inbox takes no other bytes"));
  }
  const data = writtenOf(event.data ?? null, "the event's `data`");
  if (!data.ok) return data;
  const own = typeof event.traceparent === "string" ? event.traceparent : null;
  const { id, type } = attributes.value;
  const trace = traceOf(own) ?? traceOf(headers.get("traceparent"));
  return ok({ bodies: [data.value], key: id, identity: identityOf(attributes.value), type, trace });
}

function namedEvent(
  headers: Headers,
  bodies: readonly string[],
  key: string | null,
  trace: string | null,
): Result<Given, NotGiven> {
  const attributes = attributesOf(
    (name) => headers.get(`ce-${name}`),
    (name) => `ce-${name}`,
  );
  if (!attributes.ok) return attributes;
  const { id, type } = attributes.value;
  return ok({
    bodies,
    key: key ?? id,
    identity: key ?? identityOf(attributes.value),
    type,
    trace: traceOf(headers.get("ce-traceparent")) ?? trace,
  });
}
