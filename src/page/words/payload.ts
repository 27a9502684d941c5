/** Payloads in a line: what a signal says, in few words. All of it is text of others, and stays text. */
import type { Json, JsonObject } from "../../base/json.ts";
import { digits, unitOf, valued } from "./numbers.ts";

export const isObject = (value: Json | undefined): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const MAX_TEXT = 60;
export const cut = (text: string, most: number): string => (text.length > most ? `${text.slice(0, most - 1)}…` : text);

/** A value in few words. */
export function brief(value: Json, field: string): string {
  if (typeof value === "number") return valued(value, unitOf(field));
  if (typeof value === "string") return cut(value, MAX_TEXT);
  if (value === null || typeof value === "boolean") return String(value);
  return Array.isArray(value) ? `${value.length} items` : `${Object.keys(value).length} fields`;
}

/** What says most of a payload, by the names that senses give such fields. */
const TELLING = [
  "status",
  "state",
  "usage_percent",
  "used_percent",
  "load1_per_core",
  "cpu_some_avg10_percent",
  "write_bytes_per_second",
  "rx_bytes_per_second",
  "value",
  "depth",
  "total",
  "count",
];

export interface Telling {
  readonly field: string;
  readonly value: Json;
}

/** The one field that is shown of a payload: a telling name, else the first number, else the first that is not nested. */
export function telling(payload: Json): Telling | null {
  if (!isObject(payload)) return payload === null ? null : { field: "", value: payload };
  const entries = Object.entries(payload);
  const named = TELLING.find((name) => payload[name] !== undefined && payload[name] !== null);
  if (named !== undefined) return { field: named, value: payload[named] ?? null };
  const found =
    entries.find(([, value]) => typeof value === "number") ??
    entries.find(([, value]) => typeof value === "string" || typeof value === "boolean") ??
    entries[0];
  return found === undefined ? null : { field: found[0], value: found[1] };
}

/** A field without the unit that its value has: `cpu_some_avg10_percent` → `cpu_some_avg10`. */
export const fieldName = (field: string): string => field.replace(/(_bytes)?_per_second$|_percent$|_bytes$/, "");

const MAX_FIELDS = 3;

/** The first plain fields of a payload: `usage 100 %, user 3 %`. */
export function summary(payload: Json): string {
  if (!isObject(payload)) return typeof payload === "number" ? digits(payload) : cut(JSON.stringify(payload), MAX_TEXT);
  const plain = Object.entries(payload).filter(([, value]) => typeof value !== "object" || value === null);
  const first = telling(payload);
  const rest = plain.filter(([field]) => field !== first?.field).slice(0, MAX_FIELDS - 1);
  const shown: (readonly [string, Json])[] = first === null ? rest : [[first.field, first.value], ...rest];
  return shown.map(([field, value]) => `${fieldName(field)} ${brief(value, field)}`).join(", ");
}

const ONE_LINE = 54;

/** JSON with spaces, as people write it; short JSON is one line. */
export function spaced(value: unknown): string {
  const lines = JSON.stringify(value, null, 2) ?? "";
  const line = lines.replace(/\n\s*/g, " ");
  return line.length <= ONE_LINE ? line : lines;
}

/** The words by which a sense judges, as numbers that can be drawn. */
const LEVELS: Readonly<Record<string, number>> = { ok: 0, warning: 1, critical: 2 };
/** The unit of such a line. */
export const LEVEL = "level";

/** A value as a line draws it; null: it cannot be drawn. */
export function drawn(value: Json | undefined): number | null {
  if (typeof value === "number") return value;
  return typeof value === "string" ? (LEVELS[value] ?? null) : null;
}

/** The value of a reflex's key. */
export const keyText = (key: Json): string => (typeof key === "string" ? key : JSON.stringify(key));

/** An argument as a shell takes it. */
export const shellWord = (text: string): string =>
  /^[\w./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
