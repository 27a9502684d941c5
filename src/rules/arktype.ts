/** ArkType, loaded when the first pattern needs it: importing it costs a process 100 ms and megabytes. */
import type { Type } from "arktype";

/** A node of a type as ArkType understood it: what kind it is, how it would be written, and what it is made of. */
export interface TypeNode {
  readonly kind: string;
  readonly expression: string;
  readonly inner: Readonly<Record<string, unknown>>;
}

interface ArkType {
  /** Throws for what is no definition. */
  readonly type: (definition: unknown) => Type;
}

export function arktype(): ArkType {
  // Only its reading of definitions is used, never its checks: there is nothing to compile.
  (require("arktype/config") as typeof import("arktype/config")).configure({ jitless: true });
  return require("arktype") as unknown as ArkType;
}

export const nodeOf = (type: unknown): TypeNode => (type as { readonly internal: TypeNode }).internal;
