/** Loads ArkType, and so is only ever loaded itself by `arktype.ts`. */
// Only its reading of definitions is used, never its checks: there is nothing to compile.
(require("arktype/config") as typeof import("arktype/config")).configure({ jitless: true });

/** Throws for what is no definition. */
export const { type } = require("arktype") as { readonly type: (definition: unknown) => unknown };
