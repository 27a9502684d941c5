/** ArkType, loaded when the first pattern needs it: importing it costs a process 100 ms and megabytes. */

/** A node of a type as ArkType understood it: what kind it is, how it would be written, and what it is made of. */
export interface TypeNode {
  readonly kind: string;
  readonly expression: string;
  readonly inner: Readonly<Record<string, unknown>>;
}

/** ArkType's type of a definition. Throws for what is none. */
export const readType = (definition: unknown): unknown =>
  (require("./loaded-arktype.ts") as typeof import("./loaded-arktype.ts")).type(definition);

export const nodeOf = (type: unknown): TypeNode => (type as { readonly internal: TypeNode }).internal;
