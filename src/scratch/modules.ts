/** Every configured module loaded in a worker on a scratch copy: what `check` finds out. */
import { availableParallelism } from "node:os";
import { err, type Result } from "../base/result.ts";
import type { Parts } from "../config/pattern-parts.ts";
import type { NerveConfig, SenseConfig, WorkflowConfig } from "../model/config.ts";
import { about, type Problem } from "../model/problem.ts";
import { type Locations, locateSenses, locateWorkflows } from "../spawn/modules-on-disk.ts";
import { type Expectation, expectedOf } from "./expectations.ts";
import type { ScratchFolder } from "./folder.ts";
import { loadTogether } from "./load.ts";
import { type ScratchReady, type ScratchSense, seatOf } from "./seat.ts";
import { ScratchWorker } from "./sense.ts";
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

/** So many senses share a worker: beyond it another core helps more than another process costs. */
const TOGETHER = 20;

/** `expectations` are held against what the senses declare their payloads to be. */
export async function checkSenses(
  folder: ScratchFolder,
  config: NerveConfig,
  expectations: readonly Expectation[],
): Promise<CheckedSense[]> {
  const locations = locateSenses(config);
  const blobs = folder.folder("blobs");
  const aboutOf = (sense: SenseConfig, module: string | null): ScratchSense => ({
    config,
    sense,
    module,
    blobs,
    patterns: expectedOf(expectations, sense.name),
  });
  const there = [...config.senses.values()].flatMap((sense) => {
    const location = locations.get(sense.name);
    return location?.ok ? aboutOf(sense, location.value.folder) : [];
  });
  const loaded = new Map<string, Result<ScratchReady, Problem>>();
  await severalAtATime(batchesOf(there), async (batch) => {
    const [first, ...others] = batch.flatMap((about) => {
      const seat = seatOf(folder, "together", about);
      return seat.ok ? seat.value : [];
    });
    if (first === undefined) return;
    for (const [name, result] of await loadTogether(folder, [first, ...others])) loaded.set(name, result);
  });
  return checkAll(config.senses.values(), locations, async (sense, module) => {
    const known = loaded.get(sense.name);
    return faultless(known ?? (await checkSense(folder, aboutOf(sense, module))));
  });
}

/** A sense computes without its `series`. Whoever wrote it wants to know all the same. */
const faultless = (loaded: Result<ScratchReady, Problem>): Result<ScratchReady, Problem> =>
  loaded.ok && loaded.value.fault !== null ? err(loaded.value.fault) : loaded;

/** Senses of a group together, as they will be. A lone one is loaded by itself. */
function batchesOf(senses: readonly ScratchSense[]): readonly (readonly ScratchSense[])[] {
  return [...Map.groupBy(senses, ({ sense }) => sense.group).values()].flatMap((group) =>
    Array.from({ length: Math.ceil(group.length / TOGETHER) }, (_, batch) =>
      group.slice(batch * TOGETHER, (batch + 1) * TOGETHER),
    ).filter(({ length }) => length > 1),
  );
}

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
  const checked: Checked<Config, T>[] = [];
  await severalAtATime(configured, async (config, index) => {
    const location = locations.get(config.name);
    if (location === undefined) throw new Error(`${config.name} was not looked for`);
    const module = location.ok ? location.value.folder : null;
    checked[index] = { config, module, result: location.ok ? await check(config, module) : location };
  });
  return checked;
}

/** Most of a worker's start is its own time, and a module that hangs must not hold up the others. */
async function severalAtATime<T>(items: Iterable<T>, act: (item: T, index: number) => Promise<void>): Promise<void> {
  const waiting = [...items].entries();
  const work = async (): Promise<void> => {
    for (const [index, item] of waiting) await act(item, index);
  };
  await Promise.all(Array.from({ length: Math.max(4, availableParallelism()) }, work));
}

async function checkSense(folder: ScratchFolder, sense: ScratchSense): Promise<Result<ScratchReady, Problem>> {
  const started = ScratchWorker.start(folder, sense);
  if (!started.ok) return started;
  const worker = started.value;
  const ready = await worker.ready;
  worker.kill();
  return ready;
}

type Kind = "sense" | "workflow";

type Places = Pick<Parts, "withPart" | "entryPlace" | "watchPlace">;

/** Each problem names what it is about; options that are refused have their place in the configuration. */
export const problemsOf = (
  kind: Kind,
  checked: readonly Checked<{ readonly name: string }, unknown>[],
  parts: Places,
): Problem[] =>
  checked.flatMap(({ config: { name }, result }) => {
    if (result.ok) return [];
    const found = about(kind, name, result.error);
    // A built-in module has no file to name, and lacks nothing but `watch`.
    if (found.kind === "missing-export" && found.file === null) return [{ ...found, ...parts.watchPlace(name) }];
    if (found.kind !== `${kind}-not-found`) return placedOptions(found, parts);
    return [{ ...found, ...parts.entryPlace(kind, name, "use") }];
  });

/** Options that are refused have their place in the configuration; any other problem is as it was. */
export function placedOptions(found: Problem, { withPart, entryPlace }: Omit<Places, "watchPlace">): Problem[] {
  if (found.kind !== "bad-options") return [found];
  // A refusal names whose options they are, and begins with the path of the option.
  const [, kind, name, path = ""] =
    /options of (sense|workflow) `([^`]+)` are refused: ([\w.[\]-]+)/.exec(found.message) ?? [];
  const part = kind === undefined || name === undefined ? null : withPart(kind as Kind, name, path);
  // What could not be read there has been reported, and is why the module refuses it.
  if (part?.tree.kind === "broken") return [];
  const isUnknown = found.message.includes("is not an option");
  const entry = kind === undefined || name === undefined ? null : entryPlace(kind as Kind, name, null);
  const place = part === null ? entry : isUnknown ? part.keyPlace : part.tree.place;
  // The place says what the remedy would say.
  return [place === null ? found : { ...found, ...place, hint: null }];
}
