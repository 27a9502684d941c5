/** Owns the import of ArkType. Only `arktype.ts` loads this file. */
// nerve uses ArkType's reading of definitions and none of its checks, so there is nothing to compile.
(require("arktype/config") as typeof import("arktype/config")).configure({ jitless: true });

/** Throws for a value that is no definition. */
export const { type } = require("arktype") as { readonly type: (definition: unknown) => unknown };
