/** A list that came out empty for a sense nobody has is a mistyped name, not a quiet sense. */

import { nearest } from "../base/nearest.ts";
import { ok, type Result } from "../base/result.ts";
import type { NerveConfig } from "../model/config.ts";
import { problem } from "../model/problem.ts";
import { EXIT, type Failure, fail } from "./outcome.ts";

export function knownSenses(config: NerveConfig | null, names: readonly string[]): Result<null, Failure> {
  const unknown = config === null ? [] : names.filter((name) => !config.senses.has(name));
  if (config === null || unknown.length === 0) return ok(null);
  return fail(EXIT.usage, ...unknown.map((name) => unknownSense(config, name)));
}

export function unknownSense(config: NerveConfig, name: string) {
  const names = [...config.senses.keys()].sort();
  const meant = nearest(name, names);
  const there = names.length === 0 ? `${config.file} has no senses` : `there are: ${names.join(", ")}`;
  return problem(
    "unknown-sense",
    `there is no sense \`${name}\``,
    meant === null ? there : `did you mean \`${meant}\`?`,
  );
}
