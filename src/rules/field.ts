/**
 * Owns the fields of payloads. Payloads are plain data: only own fields count, and nothing that objects and arrays inherit.
 */
import type { Json } from "../base/json.ts";

/** Undefined when there is no such field. The fields of an array are its items. */
export function fieldOf(value: Json | undefined, key: string): Json | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  if (!Object.hasOwn(value, key) || (Array.isArray(value) && key === "length")) return undefined;
  return (value as Record<string, Json>)[key];
}
