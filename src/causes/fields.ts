/** Owns the reading of stored JSON as an object whose fields may have any shape. */
import type { Json } from "../base/json.ts";
import { parseStored } from "../base/json.ts";

export type Fields = Readonly<Record<string, Json | undefined>>;

/** Of a text as it is stored, or of a value. No field where it is no object. */
export function readFields(value: Json): Fields {
  const read = typeof value === "string" ? parseStored(value) : value;
  return typeof read === "object" && read !== null && !Array.isArray(read) ? read : {};
}
