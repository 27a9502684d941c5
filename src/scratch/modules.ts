/** Every configured module loaded in a worker on a scratch copy, several at a time: what `check` finds out. */
import { availableParallelism } from "node:os";
import type { Result } from "../base/result.ts";
import type { NerveConfig, SenseConfig, WorkflowConfig } from "../model/config.ts";
import { about, type Problem } from "../model/problem.ts";
import { type Locations, locateSenses, locateWorkflows } from "../spawn/modules-on-disk.ts";
import type { ScratchFolder } from "./folder.ts";
import { patternsOn } from "./pattern-problems.ts";
import { type ScratchReady, type ScratchSense, ScratchWorker } from "./sense.ts";
import { checkWorkflow } from "./workflow.ts";

/** `T`: what is known of a module that loads. */
export interface Checked<Config, T> {
  readonly config: Config;
  /** Folder of the module, or null for a built-in one. */
  readonly module: string | null;
  readonly result: Result<T, Problem>;
}

export type CheckedSense = Checked<SenseConfig, ScratchReady>;
export type CheckedWorkflow = Checked<WorkflowConfig, null>;

export const checkSenses = (folder: ScratchFolder, config: NerveConfig): Promise<CheckedSense[]> =>
  checkAll(config.senses.values(), locateSenses(config), (sense, module) =>
    checkSense(folder, { config, sense, module, patterns: patternsOn(config, sense.name) }),
  );

export const checkWorkflows = (
  folder: ScratchFolder,
  config: NerveConfig,
  workflows: Iterable<WorkflowConfig>,
): Promise<CheckedWorkflow[]> =>
  checkAll(workflows, locateWorkflows(config), (workflow, module) =>
    checkWorkflow(folder, { config, workflow, module }),
  );

async function checkAll<Config extends { readonly name: string }, T>(
  configured: Iterable<Config>,
  locations: Locations,
  check: (config: Config, module: string | null) => Promise<Result<T, Problem>>,
): Promise<Checked<Config, T>[]> {
  const waiting = [...configured].entries();
  const checked: Checked<Config, T>[] = [];
  const work = async (): Promise<void> => {
    for (const [index, config] of waiting) {
      const location = locations.get(config.name);
      if (location === undefined) throw new Error(`${config.name} was not looked for`);
      const module = location.ok ? location.value.folder : null;
      checked[index] = { config, module, result: location.ok ? await check(config, module) : location };
    }
  };
  // Most of a worker's start is its own time; a module that hangs must not hold up the others.
  await Promise.all(Array.from({ length: Math.max(4, availableParallelism()) }, work));
  return checked;
}

async function checkSense(
  folder: ScratchFolder,
  sense: Omit<ScratchSense, "blobs">,
): Promise<Result<ScratchReady, Problem>> {
  const started = ScratchWorker.start(folder, { ...sense, blobs: folder.folder("blobs") });
  if (!started.ok) return started;
  const worker = started.value;
  const ready = await worker.ready;
  worker.kill();
  return ready;
}

/** Each problem says what it is about. */
export const problemsOf = (
  kind: "sense" | "workflow",
  checked: readonly Checked<{ readonly name: string }, unknown>[],
): Problem[] => checked.flatMap(({ config: { name }, result }) => (result.ok ? [] : about(kind, name, result.error)));
