/**
 * Owns the comparison of a pattern with the payload type that its sense exports, for `nerve check`. It runs where the
 * sense's module is loaded, so that the type and this file share one ArkType.
 */
import type { Json } from "../base/json.ts";
import { nodeOf, readType, type TypeNode } from "./arktype.ts";

export interface PatternOnType {
  /** True when no payload of this type matches the pattern. */
  readonly isNever: boolean;
  /** Fields of the payload, dotted where they are nested, sorted. Null where the type does not list them. */
  readonly fields: readonly string[] | null;
  /** Fields of the pattern that the type does not list. Most likely they are mistyped. */
  readonly unknownFields: readonly string[];
}

/** Null when `payloadType` is no ArkType type or cannot be compared. `compilePattern` accepts `definition`. */
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

/** The type of the items of the list at `path`. Null where there is no such list, or the type does not say. */
export function elementOf(payloadType: unknown, path: readonly string[]): unknown {
  if (!isType(payloadType)) return null;
  let node = nodeOf(payloadType.in);
  for (const name of path) {
    const [type, ...others] = typesAt(node, name) ?? [];
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
  const fields = fieldsOf(node, FIELDS);
  if (fields === null) return null;
  const nested = (name: string, types: readonly TypeNode[]): string[] =>
    depth === 0 ? [] : types.flatMap((type) => namesOf(type, depth - 1) ?? []).map((inner) => `${name}.${inner}`);
  return [...new Set([...fields].flatMap(([name, types]) => [name, ...nested(name, types)]))].sort();
}

function unknownIn(declared: TypeNode, asked: TypeNode): string[] {
  return [...(fieldsOf(asked, ["required"]) ?? [])].flatMap(([name, patterns]) => {
    const types = typesAt(declared, name);
    if (types === null) return [];
    const [type, ...others] = types;
    if (type === undefined) return [name];
    if (others.length > 0) return [];
    return patterns.flatMap((pattern) => unknownIn(type, pattern)).map((inner) => `${name}.${inner}`);
  });
}

const FIELDS = ["required", "optional"];

/** The types of a field, one for each alternative that has the field. Null where an alternative leaves its fields open. */
function typesAt(node: TypeNode, name: string): readonly TypeNode[] | null {
  const found: TypeNode[] = [];
  for (const branch of objectsIn(node)) {
    const inner = (branch.inner.structure as TypeNode | undefined)?.inner;
    if (inner === undefined || inner.sequence !== undefined) return null;
    const named = propertiesOf(inner, FIELDS).filter(({ key }) => String(key) === name);
    // A signature that stands for any name: `[string]`.
    const any = ((inner.index ?? []) as readonly TypeNode[]).map((index) => index.inner);
    found.push(...(named.length > 0 ? named : any).map(({ value }) => value as TypeNode));
  }
  return found;
}

/** Field → its type in each alternative that has the field. Null where an alternative leaves its fields open. */
function fieldsOf(node: TypeNode, kinds: readonly string[]): ReadonlyMap<string, readonly TypeNode[]> | null {
  const fields = new Map<string, TypeNode[]>();
  const branches = objectsIn(node);
  for (const { inner } of branches) {
    const structure = (inner.structure as TypeNode | undefined)?.inner;
    if (structure === undefined || structure.index !== undefined || structure.sequence !== undefined) return null;
    for (const { key, value } of propertiesOf(structure, kinds)) {
      fields.set(String(key), [...(fields.get(String(key)) ?? []), value as TypeNode]);
    }
  }
  return branches.length === 0 ? null : fields;
}

const propertiesOf = (structure: TypeNode["inner"], kinds: readonly string[]): readonly TypeNode["inner"][] =>
  kinds.flatMap((kind) => (structure[kind] ?? []) as readonly TypeNode[]).map(({ inner }) => inner);

const branchesOf = (node: TypeNode): readonly TypeNode[] =>
  node.kind === "union" ? (node.inner.branches as readonly TypeNode[]) : [node];

/** The alternatives that can have fields. Of `{ a: string } | null` the first alternative. */
const objectsIn = (node: TypeNode): readonly TypeNode[] => branchesOf(node).filter((branch) => !isScalar(branch));

function isScalar({ kind, inner }: TypeNode): boolean {
  if (kind === "unit") return typeof inner.unit !== "object" || inner.unit === null;
  const domain = kind === "domain" ? inner.domain : (inner.domain as TypeNode | undefined)?.inner.domain;
  return domain !== undefined && domain !== "object";
}
