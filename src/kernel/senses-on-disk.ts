/** Finds each configured sense's module, without loading it, and checks who could have written it. */
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { BUILT_IN_SENSE_NAMES } from "../../senses/names.ts";
import { err, ok, type Result } from "../base/result.ts";
import { checkFolder, checkOwnership } from "../config/file-safety.ts";
import { fingerprint, locateSense, sensesFolder } from "../config/sense-folder.ts";
import type { NerveConfig } from "../model/config.ts";
import type { Problem } from "../model/problem.ts";
import type { SenseLocation } from "./sense.ts";

type Found = Result<SenseLocation, Problem>;

/** By name of the sense. One module used under several names is read once. */
export function locateSenses(config: NerveConfig): ReadonlyMap<string, Found> {
  const packages = join(dirname(config.file), "node_modules");
  const shared = existsSync(packages) ? checkOwnership(packages) : null;
  const byModule = new Map<string, Found>();
  return new Map(
    [...config.senses.values()].map((sense): [string, Found] => {
      const known = byModule.get(sense.use) ?? locate(config, sense.name, shared);
      byModule.set(sense.use, known);
      return [sense.name, known];
    }),
  );
}

function locate(config: NerveConfig, name: string, shared: Problem | null): Found {
  const sense = config.senses.get(name);
  if (sense === undefined) throw new Error(`sense ${name} is not configured`);
  const location = locateSense(config, sense, BUILT_IN_SENSE_NAMES);
  if (location.kind === "missing") return err(location.problem);
  if (location.kind === "built-in") return ok({ folder: null, print: "" });
  const unsafe = checkOwnership(sensesFolder(config)) ?? checkFolder(location.path) ?? shared;
  return unsafe ? err(unsafe) : ok({ folder: location.path, print: fingerprint(location.path) });
}
