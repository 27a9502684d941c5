/** The patterns of reflexes held against the payload type that a sense exports, for `nerve check`. */
import type { Json, JsonObject } from "../base/json.ts";
import type { ParentMessageOf, WorkerMessageOf } from "../ipc/definitions.ts";
import type { PatternOnType } from "../rules/payload-type.ts";
import type { StandardSchema } from "../worker/schema.ts";

type Asked = ParentMessageOf<"init">["senses"][number]["patterns"][number];
type Finding = WorkerMessageOf<"ready">["senses"][number]["patterns"][number];

/** One for each pattern that can be held against `payload`; none without such a type, or one that is not ArkType's. */
export function holdAgainst(payload: StandardSchema | null, patterns: readonly Asked[]): Finding[] {
  if (payload === null || patterns.length === 0) return [];
  try {
    return patterns.flatMap(({ label, definition }) => {
      const finding = findingOf(payload, definition as Json);
      return finding === null ? [] : { label, ...finding };
    });
  } catch {
    // Not ArkType's: an author's own object, which may do anything when it is looked at.
    return [];
  }
}

/** ArkType costs a process 100 ms: loaded where there is a pattern to compare. */
const patternOnType = (type: unknown, definition: Json): PatternOnType | null =>
  (require("../rules/payload-type.ts") as typeof import("../rules/payload-type.ts")).patternOnType(type, definition);

function findingOf(type: unknown, definition: Json): Omit<Finding, "label"> | null {
  const held = patternOnType(type, definition);
  if (held === null) return null;
  const { isNever, fields, unknownFields } = held;
  const listed = [...(fields ?? [])];
  const [unknownField] = unknownFields;
  if (unknownField !== undefined) return { kind: "unknown-field", path: unknownField, expected: null, fields: listed };
  if (!isNever) return { kind: "possible", path: "", expected: null, fields: listed };
  const path = neverAt(type, definition, (part) => part);
  return { kind: "never", path: path.join("."), expected: expressionAt(type, path), fields: listed };
}

const isMap = (value: Json): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** The innermost field that no payload can match by itself; none when only the pattern as a whole cannot be matched. */
function neverAt(type: unknown, definition: Json, within: (part: Json) => Json): readonly string[] {
  if (!isMap(definition)) return [];
  for (const [key, value] of Object.entries(definition)) {
    if (value === undefined || key === "+" || key.startsWith("[")) continue;
    const inside = (part: Json): Json => within({ [key]: part });
    if (patternOnType(type, inside(value))?.isNever !== true) continue;
    return [key.replace(/\?$/, ""), ...neverAt(type, value, inside)];
  }
  return [];
}

/** What the type says of a field, in ArkType's notation. */
function expressionAt(type: unknown, path: readonly string[]): string | null {
  if (path.length === 0) return null;
  try {
    const { expression } = (type as { get(...path: string[]): { expression?: unknown } }).get(...path);
    // JSON has no undefined: it stands for a field above that may be absent.
    return typeof expression === "string" ? expression.replace(/ \| undefined$/, "") : null;
  } catch {
    // The type has no such field by itself: an alternative of it may.
    return null;
  }
}
