/**
 * Owns the comparison of the names that a person typed with the configuration. An empty list for an unknown name is an error:
 * the person mistyped the name, and the sense is not quiet.
 */

import { meantOr } from "../../base/nearest.ts";
import { ok, type Result } from "../../base/result.ts";
import { type NerveConfig, targetOf } from "../../model/config.ts";
import { isRemotePattern } from "../../model/full-name.ts";
import { type Problem, problem } from "../../model/problem.ts";
import { EXIT, type Failure, fail } from "../frame/outcome.ts";

type Kind = "sense" | "workflow" | "reflex";

/** Turns `sense:NAME`, as logs and stories write it, into NAME where a sense is meant. */
export const bareName = (kind: Kind, reference: string): string =>
  reference.startsWith(`${kind}:`) ? reference.slice(kind.length + 1) : reference;

export const knownSenses = (config: NerveConfig | null, names: readonly string[]): Result<null, Failure> =>
  known("sense", config, names);

export const knownWorkflows = (config: NerveConfig | null, names: readonly string[]): Result<null, Failure> =>
  known("workflow", config, names);

export const knownReflexes = (config: NerveConfig | null, names: readonly string[]): Result<null, Failure> =>
  known("reflex", config, names);

/** Checks `sense:NAME`, `workflow:NAME` and `reflex:NAME`. The source `kernel` always exists. */
export function knownSources(config: NerveConfig | null, sources: readonly string[]): Result<null, Failure> {
  for (const source of sources) {
    const [, kind, name] = /^(sense|workflow|reflex):(.+)$/.exec(source) ?? [];
    if (kind === undefined || name === undefined) continue;
    const found = known(kind as Kind, config, [name]);
    if (!found.ok) return found;
  }
  return ok(null);
}

const namesOf = (kind: Kind, config: NerveConfig): string[] =>
  kind === "reflex" ? config.reflexes.map(({ name }) => name) : [...config[`${kind}s`].keys()];

function known(kind: Kind, config: NerveConfig | null, names: readonly string[]): Result<null, Failure> {
  // Nobody here knows the senses of other hosts.
  const isKnown = (name: string, config: NerveConfig): boolean =>
    namesOf(kind, config).includes(name) || (kind === "sense" && isRemotePattern(name));
  const unknown = config === null ? [] : names.filter((name) => !isKnown(name, config));
  if (config === null || unknown.length === 0) return ok(null);
  return fail(EXIT.usage, ...unknown.map((name) => unknownName(kind, config, name)));
}

export const unknownSense = (config: NerveConfig, name: string): Problem => unknownName("sense", config, name);

function unknownName(kind: Kind, config: NerveConfig, name: string): Problem {
  const names = namesOf(kind, config).sort();
  const there =
    names.length === 0
      ? `${config.file} has no ${kind === "reflex" ? "reflexes" : `${kind}s`}`
      : `there are: ${names.join(", ")}`;
  return problem(`unknown-${kind}`, `there is no ${kind} \`${name}\``, meantOr(name, names, there));
}

/**
 * The reflex that `reference` means: its name, or its target where it is the only reflex with this target. A usage error with the
 * nearest name where no config in `configs` has such a reflex.
 */
export function knownReflex(configs: readonly NerveConfig[], reference: string): Result<string, Failure> {
  const name = bareName("reflex", reference);
  const reflexes = configs.flatMap((config) => config.reflexes);
  const names = [...new Set(reflexes.map((reflex) => reflex.name))];
  if (names.includes(name)) return ok(name);
  const ofTarget = [...new Set(reflexes.filter((one) => targetOf(one) === name).map((one) => one.name))];
  const [only] = ofTarget;
  if (only !== undefined && ofTarget.length === 1) return ok(only);
  const there =
    ofTarget.length > 1
      ? `its reflexes are: ${ofTarget.join(", ")}`
      : names.length === 0
        ? "none is configured"
        : `there are: ${names.join(", ")}`;
  const hint = ofTarget.length > 1 ? there : meantOr(name, names, there);
  return fail(EXIT.usage, problem("unknown-reflex", `there is no reflex \`${name}\``, hint));
}
