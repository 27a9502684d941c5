/** Owns the question whether one payload can match both `when` and `clear` of a reflex. A person rarely means that. */
import type { Json } from "../base/json.ts";
import { readType } from "./arktype.ts";

interface Comparable {
  overlaps(other: unknown): boolean;
}

/** Null for a definition that is no map: such a definition is about the whole payload. */
function fieldsOf(definition: Json): ReadonlySet<string> | null {
  if (typeof definition !== "object" || definition === null || Array.isArray(definition)) return null;
  return new Set(Object.keys(definition).map((key) => key.replace(/\?$/, "")));
}

/**
 * True where both ask for the same fields, and some payload satisfies both. A `clear` that asks for a further field is
 * meant to win. `compilePattern` accepts both definitions.
 */
export function patternsOverlap(when: Json, clear: Json): boolean {
  const [started, ended] = [fieldsOf(when), fieldsOf(clear)];
  if ((started === null) !== (ended === null)) return false;
  if (started !== null && ended !== null && !ended.isSubsetOf(started)) return false;
  try {
    return (readType(when) as Comparable).overlaps(readType(clear));
  } catch {
    // ArkType cannot compare the two types.
    return false;
  }
}
