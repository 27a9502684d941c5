/**
 * Owns the reading of what a receiver answers to a request that it has taken: nothing, or an `Export…ServiceResponse`. Whatever else stands
 * there was not written by a receiver of OTLP. Source: opentelemetry-proto, collector/*.
 */
import { isJsonObject, readJson } from "../base/json.ts";

/** `refused`: points, records or spans that were not taken. */
export interface Taken {
  readonly refused: number;
  readonly message: string;
}

const NOTHING: Taken = { refused: 0, message: "" };
const PARTIAL = 1;
const REFUSED = 1;
const MESSAGE = 2;

type Value = number | Uint8Array;

/** Fields by their numbers, the last of each; null: the bytes are no message. */
function fieldsOf(bytes: Uint8Array): ReadonlyMap<number, Value> | null {
  const fields = new Map<number, Value>();
  let at = 0;
  const varint = (): number | null => {
    let value = 0;
    for (let size = 0; size < 10 && at < bytes.length; size++) {
      const byte = bytes[at++] ?? 0;
      value += (byte & 0x7f) * 2 ** (7 * size);
      if (byte < 0x80) return value;
    }
    return null;
  };
  while (at < bytes.length) {
    const tag = varint();
    if (tag === null || tag < 8) return null;
    const type = tag % 8;
    const length = type === 1 ? 8 : type === 5 ? 4 : type === 0 || type === 2 ? varint() : null;
    if (length === null) return null;
    if (type === 0) {
      fields.set(Math.floor(tag / 8), length);
      continue;
    }
    if (at + length > bytes.length) return null;
    fields.set(Math.floor(tag / 8), bytes.subarray(at, at + length));
    at += length;
  }
  return fields;
}

/** Null: no answer of a receiver of OTLP. */
export function answerIn(bytes: Uint8Array, isJson: boolean): Taken | null {
  if (bytes.length === 0) return NOTHING;
  if (isJson) return jsonAnswer(Buffer.from(bytes).toString("utf8"));
  const answer = fieldsOf(bytes);
  const partial = answer?.get(PARTIAL) ?? new Uint8Array();
  const fields = answer === null || typeof partial === "number" ? null : fieldsOf(partial);
  if (fields === null) return null;
  const refused = fields.get(REFUSED) ?? 0;
  const message = fields.get(MESSAGE) ?? new Uint8Array();
  if (typeof refused !== "number" || typeof message === "number") return null;
  return taken(refused, Buffer.from(message).toString("utf8"));
}

/** A negative int64 reads as a number near 2^64: nobody refuses so many. */
const taken = (refused: number, message: string): Taken => ({
  refused: Number.isSafeInteger(refused) && refused > 0 ? refused : 0,
  message,
});

/** Some receivers answer in JSON, whatever they were asked in. */
function jsonAnswer(text: string): Taken | null {
  const value = readJson(text);
  if (!isJsonObject(value)) return null;
  const partial = value.partialSuccess ?? {};
  if (!isJsonObject(partial)) return null;
  const refused = partial.rejectedDataPoints ?? partial.rejectedLogRecords ?? partial.rejectedSpans ?? 0;
  const { errorMessage = "" } = partial;
  return taken(Number(refused), typeof errorMessage === "string" ? errorMessage : "");
}
