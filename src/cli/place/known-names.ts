/**
 * Names a person typed, held against the configuration. Of those nobody has, a list that came out empty speaks too: that
 * is a mistyped name, not a quiet sense.
 */
import { meantOr } from "../../base/nearest.ts";
import { ok, type Result } from "../../base/result.ts";
import { type NerveConfig, targetOf } from "../../model/config.ts";
import { type Problem, problem } from "../../model/problem.ts";
import { EXIT, type Failure, fail } from "../frame/outcome.ts";

type Kind = "sense" | "workflow" | "reflex";

/** `sense:NAME` where a sense is meant is its name, as logs and stories write it. */
export const bareName = (kind: Kind, reference: string): string =>
  reference.startsWith(`${kind}:`) ? reference.slice(kind.length + 1) : reference;

export const knownSenses = (config: NerveConfig | null, names: readonly string[]): Result<null, Failure> =>
  known("sense", config, names);

export const knownWorkflows = (config: NerveConfig | null, names: readonly string[]): Result<null, Failure> =>
  known("workflow", config, names);

export const knownReflexes = (config: NerveConfig | null, names: readonly string[]): Result<null, Failure> =>
  known("reflex", config, names);

/** Of `sense:NAME`, `workflow:NAME` and `reflex:NAME`; `kernel` is always there. */
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
  const unknown = config === null ? [] : names.filter((name) => !namesOf(kind, config).includes(name));
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
 * The reflex that is meant by `name`: its name, or what it starts or runs where it is the only reflex to do so. Usage error
 * with the nearest name when none of `configs` has one.
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
