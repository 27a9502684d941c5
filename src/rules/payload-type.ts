/**
 * A pattern held against the payload type its sense exports, for `nerve check`. Runs where the sense's module is loaded:
 * its type and this file share one ArkType.
 */
import type { Json } from "../base/json.ts";
import { nodeOf, readType, type TypeNode } from "./arktype.ts";

export interface PatternOnType {
  /** No payload of this type matches the pattern. */
  readonly isNever: boolean;
  /** Fields of the payload, sorted; null where the type does not list them. */
  readonly fields: readonly string[] | null;
  /** Fields the pattern asks for that the type does not list: most likely mistyped. */
  readonly unknownFields: readonly string[];
}

/** Null when `payloadType` is no ArkType type or cannot be compared. `definition` is one that `compilePattern` accepts. */
export function patternOnType(payloadType: unknown, definition: Json): PatternOnType | null {
  if (!isType(payloadType)) return null;
  const pattern = readType(definition);
  const declared = fieldsOf(nodeOf(payloadType.in), ["required", "optional"]);
  const asked = fieldsOf(nodeOf(pattern), ["required"]) ?? [];
  const unknownFields = declared === null ? [] : asked.filter((field) => !declared.includes(field));
  try {
    return { isNever: !payloadType.in.overlaps(pattern), fields: declared, unknownFields };
  } catch {
    // A comparison may run the author's own checks, which may throw.
    return null;
  }
}

interface OverlappingType {
  readonly in: { overlaps(other: unknown): boolean };
}

const isType = (value: unknown): value is OverlappingType =>
  typeof value === "function" && "internal" in value && "in" in value;

/** Of every alternative; null where one of them leaves open which fields there are. */
function fieldsOf(node: TypeNode, kinds: readonly string[]): string[] | null {
  if (node.kind === "union") {
    const each = (node.inner.branches as readonly TypeNode[]).map((branch) => fieldsOf(branch, kinds));
    return each.includes(null) ? null : [...new Set(each.flatMap((fields) => fields ?? []))].sort();
  }
  const structure = node.inner.structure as TypeNode | undefined;
  if (structure === undefined || structure.inner.index !== undefined || structure.inner.sequence !== undefined) {
    return null;
  }
  const properties = kinds.flatMap((kind) => (structure.inner[kind] ?? []) as readonly TypeNode[]);
  return properties.map((property) => String(property.inner.key)).sort();
}
