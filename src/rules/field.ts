/** Payloads are plain data: a field is there when the payload itself has it, whatever objects and arrays inherit. */
import type { Json } from "../base/json.ts";

/** Undefined when there is no such field; of an array, its items are the fields. */
export function fieldOf(value: Json | undefined, key: string): Json | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  if (!Object.hasOwn(value, key) || (Array.isArray(value) && key === "length")) return undefined;
  return (value as Record<string, Json>)[key];
}
