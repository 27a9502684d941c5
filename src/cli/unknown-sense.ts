/** A list that came out empty for a sense or a workflow nobody has is a mistyped name, not a quiet one. */

import { nearest } from "../base/nearest.ts";
import { ok, type Result } from "../base/result.ts";
import type { NerveConfig } from "../model/config.ts";
import { type Problem, problem } from "../model/problem.ts";
import { EXIT, type Failure, fail } from "./outcome.ts";

type Kind = "sense" | "workflow";

export const knownSenses = (config: NerveConfig | null, names: readonly string[]): Result<null, Failure> =>
  known("sense", config, names);

export const knownWorkflows = (config: NerveConfig | null, names: readonly string[]): Result<null, Failure> =>
  known("workflow", config, names);

function known(kind: Kind, config: NerveConfig | null, names: readonly string[]): Result<null, Failure> {
  const unknown = config === null ? [] : names.filter((name) => !config[`${kind}s`].has(name));
  if (config === null || unknown.length === 0) return ok(null);
  return fail(EXIT.usage, ...unknown.map((name) => unknownName(kind, config, name)));
}

export const unknownSense = (config: NerveConfig, name: string): Problem => unknownName("sense", config, name);

function unknownName(kind: Kind, config: NerveConfig, name: string): Problem {
  const names = [...config[`${kind}s`].keys()].sort();
  const meant = nearest(name, names);
  const there = names.length === 0 ? `${config.file} has no ${kind}s` : `there are: ${names.join(", ")}`;
  return problem(
    `unknown-${kind}`,
    `there is no ${kind} \`${name}\``,
    meant === null ? there : `did you mean \`${meant}\`?`,
  );
}
