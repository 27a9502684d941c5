/**
 * A pattern held against the payload type its sense exports, for `nerve check`. Runs where the sense's module is loaded:
 * its type and this file share one ArkType.
 */
import type { Json } from "../base/json.ts";
import { nodeOf, readType, type TypeNode } from "./arktype.ts";

export interface PatternOnType {
  /** No payload of this type matches the pattern. */
  readonly isNever: boolean;
  /** Fields of the payload, dotted where they are nested, sorted; null where the type does not list them. */
  readonly fields: readonly string[] | null;
  /** Fields the pattern asks for that the type does not list: most likely mistyped. */
  readonly unknownFields: readonly string[];
}

/** Null when `payloadType` is no ArkType type or cannot be compared. `definition` is one that `compilePattern` accepts. */
export function patternOnType(payloadType: unknown, definition: Json): PatternOnType | null {
  if (!isType(payloadType)) return null;
  const pattern = readType(definition);
  const declared = nodeOf(payloadType.in);
  const fields = namesOf(declared, MAX_DEPTH);
  const unknownFields = unknownIn(declared, nodeOf(pattern));
  try {
    return { isNever: !payloadType.in.overlaps(pattern), fields, unknownFields };
  } catch {
    // A comparison may run the author's own checks, which may throw.
    return null;
  }
}

/** The type of a definition. Throws where there is none. */
export const typeOf = (definition: unknown): unknown => readType(definition);

/** The type of the items of the list at `path`; null where there is no such list, or nothing can be told of it. */
export function elementOf(payloadType: unknown, path: readonly string[]): unknown {
  if (!isType(payloadType)) return null;
  let node = nodeOf(payloadType.in);
  for (const name of path) {
    const [type, ...others] = fieldsOf(node, ["required", "optional"])?.get(name) ?? [];
    if (type === undefined || others.length > 0) return null;
    node = type;
  }
  const [list, ...others] = branchesOf(node).flatMap(({ inner }) => {
    const sequence = (inner.structure as TypeNode | undefined)?.inner.sequence as TypeNode | undefined;
    return sequence?.inner.variadic ?? [];
  });
  return others.length > 0 ? null : (list ?? null);
}

interface OverlappingType {
  readonly in: { overlaps(other: unknown): boolean };
}

const isType = (value: unknown): value is OverlappingType =>
  typeof value === "function" && "internal" in value && "in" in value;

/** A type may hold itself. */
const MAX_DEPTH = 4;

function namesOf(node: TypeNode, depth: number): string[] | null {
  const fields = fieldsOf(node, ["required", "optional"]);
  if (fields === null) return null;
  const nested = (name: string, types: readonly TypeNode[]): string[] =>
    depth === 0 ? [] : types.flatMap((type) => namesOf(type, depth - 1) ?? []).map((inner) => `${name}.${inner}`);
  return [...new Set([...fields].flatMap(([name, types]) => [name, ...nested(name, types)]))].sort();
}

function unknownIn(declared: TypeNode, asked: TypeNode): string[] {
  const known = fieldsOf(declared, ["required", "optional"]);
  if (known === null) return [];
  return [...(fieldsOf(asked, ["required"]) ?? [])].flatMap(([name, patterns]) => {
    const types = known.get(name);
    if (types === undefined) return [name];
    const [type] = types;
    if (type === undefined || types.length > 1) return [];
    return patterns.flatMap((pattern) => unknownIn(type, pattern)).map((inner) => `${name}.${inner}`);
  });
}

/** By name, its type in each alternative that has it; null where one of them leaves open which fields there are. */
function fieldsOf(node: TypeNode, kinds: readonly string[]): ReadonlyMap<string, readonly TypeNode[]> | null {
  const fields = new Map<string, TypeNode[]>();
  for (const { inner } of branchesOf(node)) {
    const structure = inner.structure as TypeNode | undefined;
    if (structure === undefined || structure.inner.index !== undefined || structure.inner.sequence !== undefined) {
      return null;
    }
    for (const { inner: property } of kinds.flatMap((kind) => (structure.inner[kind] ?? []) as readonly TypeNode[])) {
      const name = String(property.key);
      fields.set(name, [...(fields.get(name) ?? []), property.value as TypeNode]);
    }
  }
  return fields;
}

const branchesOf = (node: TypeNode): readonly TypeNode[] =>
  node.kind === "union" ? (node.inner.branches as readonly TypeNode[]) : [node];
