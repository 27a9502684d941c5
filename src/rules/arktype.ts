/** Owns ArkType, which is loaded when the first pattern needs it: an import costs a process 100 ms and megabytes. */

/** A node of a type as ArkType understood it: its kind, its notation, and its parts. */
export interface TypeNode {
  readonly kind: string;
  readonly expression: string;
  readonly inner: Readonly<Record<string, unknown>>;
}

/** ArkType's type of a definition. Throws for a value that is no definition. */
export const readType = (definition: unknown): unknown =>
  (require("./loaded-arktype.ts") as typeof import("./loaded-arktype.ts")).type(definition);

export const nodeOf = (type: unknown): TypeNode => (type as { readonly internal: TypeNode }).internal;
