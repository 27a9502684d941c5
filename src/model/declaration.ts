/**
 * What a sense declares its payloads to be as plain data, so that ArkType (100 ms and megabytes a process) is loaded only by
 * `nerve check`, which holds the rules against it. No payload is held against a declaration at run time.
 */

/** ArkType's notation, as data: `"number >= 0"`, `["string", "[]"]`, `{ host: "string", "used?": "number" }`. */
export type Definition = string | readonly Definition[] | { readonly [field: string]: Definition };

const DECLARED = Symbol.for("nerve.declaration");

/** Null: these payloads can be anything. */
type ByOptions<Options> = (options: Options) => Definition | null;

export interface Declaration<Options> {
  readonly [DECLARED]: Definition | ByOptions<Options>;
}

/** `of` may depend on the options, as where an option adds a field. */
export const declaration = <Options>(of: Definition | ByOptions<Options>): Declaration<Options> => ({ [DECLARED]: of });

export const isDeclaration = (value: unknown): value is Declaration<unknown> =>
  typeof value === "object" && value !== null && DECLARED in value;

export const dependsOnOptions = (declared: Declaration<unknown>): boolean => typeof declared[DECLARED] === "function";

export function definitionIn(declared: Declaration<unknown>, options: unknown): Definition | null {
  const of = declared[DECLARED];
  return typeof of === "function" ? of(options) : of;
}
