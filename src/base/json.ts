/** The JSON value space, and the one place that says what is not in it. */
import { err, ok, type Result } from "./result.ts";

export type Json = null | boolean | number | string | Json[] | JsonObject;
export interface JsonObject {
  [key: string]: Json;
}

export const isJsonObject = (value: Json | undefined): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Why a value is no JSON value. `path` is dotted, array indices in brackets, `` for the value itself. */
export interface NotJson {
  readonly path: string;
  readonly reason: string;
}

/** Keys that reach an object's prototype when a parsed value is copied carelessly; refused wherever data enters. */
export const FORBIDDEN_KEYS: ReadonlySet<string> = new Set(["__proto__", "constructor", "prototype"]);

const MAX_DEPTH = 64;

const child = (path: string, key: string | number): string =>
  typeof key === "number" ? `${path}[${key}]` : path === "" ? key : `${path}.${key}`;

const describe = (value: unknown): string => {
  if (value === undefined) return "undefined";
  if (typeof value === "number") return String(value);
  if (typeof value === "object" && value !== null) return value.constructor?.name ?? "an object without a prototype";
  return `a ${typeof value}`;
};

function fault(value: unknown, path: string, parents: readonly object[]): NotJson | null {
  if (value === null || typeof value === "string" || typeof value === "boolean") return null;
  if (typeof value === "number") {
    return Number.isFinite(value) ? null : { path, reason: `${describe(value)} is not a JSON number` };
  }
  if (typeof value !== "object") return { path, reason: `${describe(value)} is not a JSON value` };
  if (parents.includes(value)) return { path, reason: "the value contains itself" };
  if (parents.length >= MAX_DEPTH) return { path, reason: `nested deeper than ${MAX_DEPTH} levels` };
  const nested = [...parents, value];
  if (Array.isArray(value)) {
    if ("toJSON" in value) return { path, reason: "an array with toJSON is not a JSON value" };
    for (let index = 0; index < value.length; index++) {
      const found = fault(value[index], child(path, index), nested);
      if (found) return found;
    }
    return null;
  }
  const prototype = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) {
    return { path, reason: `${describe(value)} is not a JSON value` };
  }
  for (const key of Object.keys(value)) {
    const at = child(path, key);
    if (key === "__proto__") return { path: at, reason: "the key __proto__ is refused" };
    const found = fault((value as Record<string, unknown>)[key], at, nested);
    if (found) return found;
  }
  return null;
}

/** Accepts exactly what survives a JSON round trip unchanged: no undefined, NaN, Date, Map, function, bigint or cycle. */
export function toJson(value: unknown): Result<Json, NotJson> {
  const found = fault(value, "", []);
  return found ? err(found) : ok(value as Json);
}

/** What a text that was stored says; undefined when it is no JSON: other hands reach files, too. */
export function readJson(text: string): Json | undefined {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return undefined;
  }
}

const OPENINGS = /[{[]/g;

/** Whether a text that was stored is what a value is stored as: JSON, no deeper and without keys that are refused. */
export function isStoredJson(text: string): boolean {
  const value = readJson(text);
  if (value === undefined) return false;
  const isPlain =
    !text.includes("__proto__") && !text.includes("\\u") && (text.match(OPENINGS)?.length ?? 0) <= MAX_DEPTH;
  return isPlain || toJson(value).ok;
}

/** The same text for the same value, however its objects' keys are ordered. */
export const canonicalJson = (value: Json): string =>
  JSON.stringify(value, (_, part: Json) =>
    typeof part === "object" && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  );

/** Length of `text` in UTF-8 bytes, without encoding when the answer cannot exceed `limit`. */
export const exceedsBytes = (text: string, limit: number): boolean =>
  text.length > limit || (text.length * 3 > limit && Buffer.byteLength(text) > limit);

/** The JSON value of a stored text; the text itself where it is damaged. */
export function parseStored(text: string): Json {
  const value = readJson(text);
  return value === undefined ? text : value;
}
