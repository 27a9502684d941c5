/** Finds each configured module, of senses and of workflows, without loading it, and checks who could have written it. */
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { BUILT_IN_SENSE_NAMES } from "../../senses/names.ts";
import { err, ok, type Result } from "../base/result.ts";
import { inspect, inspectBeside, inspectFolder, type Offender, unsafe } from "../config/file-safety.ts";
import { fingerprint, locateModule, type ModuleKind, type ModuleUser, modulesFolder } from "../config/module-folder.ts";
import type { NerveConfig } from "../model/config.ts";
import type { Problem } from "../model/problem.ts";
import { BUILT_IN_WORKFLOW_NAMES } from "../workflows/names.ts";

/** Where a module is. */
export interface Location {
  /** The user's folder, or null for the built-in called `use`. */
  readonly folder: string | null;
  /** Digest of the folder's files, `` for a built-in. */
  readonly print: string;
}

/** A module, found or not, by the name of the sense or workflow that uses it. */
export type Locations = ReadonlyMap<string, Result<Location, Problem>>;

const BUILT_IN: Readonly<Record<ModuleKind, readonly string[]>> = {
  sense: BUILT_IN_SENSE_NAMES,
  workflow: BUILT_IN_WORKFLOW_NAMES,
};

export const locateSenses = (config: NerveConfig): Locations => locateAll(config, "sense", config.senses.values());

export const locateWorkflows = (config: NerveConfig): Locations =>
  locateAll(config, "workflow", config.workflows.values());

/** The built-in senses that `users` use, each once. */
export function builtInSenses(config: NerveConfig, users: readonly ModuleUser[]): string[] {
  const byUse = new Map(users.map((user) => [user.use, user]));
  const isBuiltIn = (user: ModuleUser): boolean =>
    locateModule(config, "sense", user, BUILT_IN.sense).kind === "built-in";
  return [...byUse.values()].filter(isBuiltIn).map(({ use }) => use);
}

/** As it is now: what a worker that is about to start will load. */
export function locateWorkflow(config: NerveConfig, workflow: ModuleUser): Result<Location, Problem> {
  return locate(config, "workflow", workflow, packageOffenders(config));
}

/** What others could change on the way to the packages that all modules share. */
const packageOffenders = (config: NerveConfig): readonly Offender[] => {
  const packages = join(dirname(config.file), "node_modules");
  return existsSync(packages) ? inspect(packages).offenders : [];
};

/** One module used under several names is read once. */
function locateAll(config: NerveConfig, kind: ModuleKind, users: Iterable<ModuleUser>): Locations {
  const shared = packageOffenders(config);
  const byModule = new Map<string, Result<Location, Problem>>();
  const found = new Map<string, Result<Location, Problem>>();
  for (const user of users) {
    const known = byModule.get(user.use) ?? locate(config, kind, user, shared);
    byModule.set(user.use, known);
    found.set(user.name, known);
  }
  return found;
}

function locate(
  config: NerveConfig,
  kind: ModuleKind,
  user: ModuleUser,
  shared: readonly Offender[],
): Result<Location, Problem> {
  const location = locateModule(config, kind, user, BUILT_IN[kind]);
  if (location.kind === "missing") return err(location.problem);
  if (location.kind === "built-in") return ok({ folder: null, print: "" });
  const { offenders, fault } = inspectFolder(location.path);
  const [first, ...others] = [...inspect(modulesFolder(config, kind)).offenders, ...offenders, ...shared];
  // One command mends all modules, whichever of them is refused.
  if (first !== undefined) {
    const mended = { offenders: [first, ...others, ...inspectBeside(config.file)], root: dirname(config.file) };
    return err(unsafe(location.path, [first, ...others], mended));
  }
  return fault ? err(fault) : ok({ folder: location.path, print: fingerprint(location.path) });
}
