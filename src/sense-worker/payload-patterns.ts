/** The patterns of reflexes held against the payload type that a sense exports, for `nerve check`. */
import type { Json, JsonObject } from "../base/json.ts";
import { describeThrown } from "../base/thrown.ts";
import type { ParentMessageOf, WorkerMessageOf } from "../ipc/definitions.ts";
import type { Definition } from "../model/declaration.ts";
import type { PatternOnType } from "../rules/payload-type.ts";
import { isSchema, type StandardSchema } from "../worker/schema.ts";

type Pattern = ParentMessageOf<"init">["senses"][number]["patterns"][number];
type Finding = WorkerMessageOf<"ready">["senses"][number]["patterns"][number];

/**
 * For each pattern that can be held against `declared`: `possible`, or everything that is wrong. Nothing is found without
 * a declared type, or with a type that is not ArkType's.
 */
export function holdAgainst(declared: StandardSchema | Definition | null, patterns: readonly Pattern[]): Finding[] {
  if (declared === null || patterns.length === 0) return [];
  try {
    const { elementOf, typeOf } = comparing();
    const whole = isSchema(declared) ? declared : typeOf(declared);
    return patterns.flatMap(({ label, each, definition }) => {
      const type = each === null ? whole : elementOf(whole, each.split("."));
      return type === null ? [] : findingsOf(type, definition as Json).map((finding) => ({ label, ...finding }));
    });
  } catch {
    // Not ArkType's: an author's own object, which may do anything when it is looked at.
    return [];
  }
}

/** Why `declared` is no definition of a type, or null. */
export function faultOfDeclared(declared: StandardSchema | Definition): string | null {
  try {
    if (!isSchema(declared)) comparing().typeOf(declared);
    return null;
  } catch (error) {
    return describeThrown(error).message;
  }
}

/** ArkType costs a process 100 ms: loaded where there is a pattern to compare. */
const comparing = () => require("../rules/payload-type.ts") as typeof import("../rules/payload-type.ts");

const patternOnType = (type: unknown, definition: Json): PatternOnType | null =>
  comparing().patternOnType(type, definition);

function findingsOf(type: unknown, definition: Json): Omit<Finding, "label">[] {
  const held = patternOnType(type, definition);
  if (held === null) return [];
  const { isNever, unknownFields } = held;
  const fields = [...(held.fields ?? [])];
  const unknown = unknownFields.map((path) => ({ kind: "unknown-field" as const, path, expected: null, fields }));
  const impossible = isNever ? neverAt(type, definition, (part) => part) : [];
  const never = impossible
    .map((path) => ({ kind: "never" as const, path: path.join("."), expected: expressionAt(type, path), fields }))
    // Where the type allows no other field, one that it does not list can never match either.
    .filter(({ path }) => !unknownFields.includes(path));
  const found = [...unknown, ...never];
  if (found.length > 0) return found;
  return [{ kind: isNever ? "never" : "possible", path: "", expected: null, fields }];
}

const isMap = (value: Json): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** The innermost fields that no payload can match by themselves; none when only the pattern as a whole cannot be matched. */
function neverAt(type: unknown, definition: Json, within: (part: Json) => Json): readonly (readonly string[])[] {
  if (!isMap(definition)) return [];
  return Object.entries(definition).flatMap(([key, value]) => {
    if (value === undefined || key === "+" || key.startsWith("[")) return [];
    const inside = (part: Json): Json => within({ [key]: part });
    if (patternOnType(type, inside(value))?.isNever !== true) return [];
    const name = key.replace(/\?$/, "");
    const inner = neverAt(type, value, inside);
    return inner.length === 0 ? [[name]] : inner.map((path) => [name, ...path]);
  });
}

/** The type of a field, in ArkType's notation. */
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
