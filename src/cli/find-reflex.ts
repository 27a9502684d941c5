/** A reflex by the name a person typed. */
import { nearest } from "../base/nearest.ts";
import { ok, type Result } from "../base/result.ts";
import type { NerveConfig, ReflexConfig } from "../model/config.ts";
import { problem } from "../model/problem.ts";
import { EXIT, type Failure, fail } from "./outcome.ts";

/** Usage error with the nearest name, when none of `configs` has it. */
export function knownReflex(configs: readonly NerveConfig[], name: string): Result<null, Failure> {
  const names = [...new Set(configs.flatMap(({ reflexes }) => reflexes.map((reflex) => reflex.name)))];
  if (names.includes(name)) return ok(null);
  const meant = nearest(name, names);
  const there = names.length === 0 ? "none is configured" : `there are: ${names.join(", ")}`;
  const hint = meant === null ? there : `did you mean \`${meant}\`?`;
  return fail(EXIT.usage, problem("unknown-reflex", `there is no reflex \`${name}\``, hint));
}

export const targetOf = (config: ReflexConfig): string =>
  config.kind === "sense" ? `sense ${config.sense}` : `workflow ${config.workflow}`;
