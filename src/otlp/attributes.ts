/** Owns attributes: names with values, as every message of OTLP has them. Source: opentelemetry-proto, common/v1/common.proto. */
import { isJsonObject, type Json } from "../base/json.ts";
import { Wire } from "./wire.ts";

/** The bytes of a request, and how many points, records or spans it holds. */
export interface Encoded {
  readonly body: Uint8Array;
  readonly items: number;
}

/** Who sends. The three of `host`, `epoch` and the id of a row tell two rows apart. */
export interface Sender {
  readonly host: string;
  readonly epoch: string;
  readonly version: string;
}

const KEY = 1;
const VALUE = 2;
const ANY = { text: 1, flag: 2, integer: 3, double: 4, list: 5, map: 6 } as const;
/** What is nested deeper is sent as JSON text: decoders give up at some depth. */
const DEEPEST = 16;

export function attribute(wire: Wire, field: number, name: string, value: Json, depth = 0): void {
  wire.message(field, () => {
    wire.text(KEY, name);
    wire.message(VALUE, () => anyValue(wire, value, depth));
  });
}

/** Null is a value without a kind. */
function anyValue(wire: Wire, value: Json, depth: number): void {
  if (value === null) return;
  if (typeof value === "string") return wire.text(ANY.text, value.toWellFormed());
  if (typeof value === "boolean") return wire.count(ANY.flag, value ? 1 : 0);
  if (typeof value === "number") {
    return Number.isSafeInteger(value) ? wire.integer(ANY.integer, value) : wire.double(ANY.double, value);
  }
  if (depth >= DEEPEST) return wire.text(ANY.text, JSON.stringify(value).toWellFormed());
  if (Array.isArray(value)) {
    return wire.message(ANY.list, () => {
      for (const item of value) wire.message(1, () => anyValue(wire, item, depth + 1));
    });
  }
  if (isJsonObject(value)) {
    wire.message(ANY.map, () => {
      for (const [name, inner] of Object.entries(value)) attribute(wire, 1, name.toWellFormed(), inner, depth + 1);
    });
  }
}

/** `ResourceMetrics`, `ResourceLogs` and `ResourceSpans` have the same shape: who sends, the scope, and what `write` writes into it. */
export function request({ host, version }: Sender, write: (wire: Wire) => void): Uint8Array {
  const wire = new Wire();
  wire.message(1, () => {
    wire.message(1, () => {
      attribute(wire, 1, "service.name", "nerve");
      attribute(wire, 1, "service.version", version);
      attribute(wire, 1, "host.name", host);
    });
    wire.message(2, () => {
      wire.message(1, () => {
        wire.text(1, "nerve");
        wire.text(2, version);
      });
      write(wire);
    });
  });
  return wire.bytes;
}
