/** From a workflow's place in the configuration to its run function and validated options. */
import { ok, type Result } from "../base/result.ts";
import type { Problem } from "../model/problem.ts";
import type { Run } from "../sdk/index.ts";
import { loadExport, type ModuleRole, type ModuleSource } from "../worker/load-export.ts";
import { BUILT_IN_WORKFLOWS } from "../workflows/index.ts";

export interface LoadedWorkflow {
  readonly code: Run;
  readonly options: unknown;
}

const WORKFLOW: ModuleRole = {
  noun: "workflow",
  export: "run",
  example: "write `export const run: Run = async (thread, context) => …`",
  builtIns: BUILT_IN_WORKFLOWS,
};

/** Loads the module and checks what it exports. `limitMs` bounds a top level that never settles. */
export async function loadRunFn(source: ModuleSource, limitMs: number): Promise<Result<LoadedWorkflow, Problem>> {
  const loaded = await loadExport(WORKFLOW, source, limitMs);
  return loaded.ok ? ok({ code: loaded.value.called as Run, options: loaded.value.options }) : loaded;
}
