/**
 * The built-in workflows, as the runtime loads them. Importing this evaluates none of them: every `require` is written out
 * so that the bundler embeds what it names, and runs only when the runtime asks.
 */
import type { BuiltInWorkflowName } from "./names.ts";

export interface BuiltInWorkflow {
  /** The module: `run`, `options`. */
  readonly load: () => Readonly<Record<string, unknown>>;
}

export const BUILT_IN_WORKFLOWS: Readonly<Record<BuiltInWorkflowName, BuiltInWorkflow>> = {
  exec: { load: () => require("./exec/index.ts") },
  webhook: { load: () => require("./webhook/index.ts") },
  notify: { load: () => require("./notify/index.ts") },
};
