/** Owns the list of the built-in senses and workflows with their sources, and the search for a built-in by its name. */
import { BUILT_IN_SENSES } from "../../../senses/index.ts";
import { BUILT_IN_SENSE_NAMES } from "../../../senses/names.ts";
import { meantOr } from "../../base/nearest.ts";
import { ok, type Result } from "../../base/result.ts";
import { problem } from "../../model/problem.ts";
import { BUILT_IN_WORKFLOWS } from "../../workflows/index.ts";
import { BUILT_IN_WORKFLOW_NAMES } from "../../workflows/names.ts";
import { EXIT, type Failure, fail } from "../frame/outcome.ts";
import { modulesIn } from "./embed.ts" with { type: "macro" };

export interface BuiltIn {
  readonly kind: "sense" | "workflow";
  readonly name: string;
  /** The sources of the built-in in this build: path → text. */
  readonly files: Readonly<Record<string, string>>;
  /** The module's exports: `options`, and `payload` where the module is a sense. */
  readonly load: () => Readonly<Record<string, unknown>>;
}

const SENSES: Readonly<Record<string, Record<string, string>>> = modulesIn("senses");
const WORKFLOWS: Readonly<Record<string, Record<string, string>>> = modulesIn("src/workflows");

export const LIBRARY: readonly BuiltIn[] = [
  ...BUILT_IN_SENSE_NAMES.map((name): BuiltIn => {
    return { kind: "sense", name, files: SENSES[name] ?? {}, load: BUILT_IN_SENSES[name].load };
  }),
  ...BUILT_IN_WORKFLOW_NAMES.map((name): BuiltIn => {
    return { kind: "workflow", name, files: WORKFLOWS[name] ?? {}, load: BUILT_IN_WORKFLOWS[name].load };
  }),
];

/** `reference` is `sense:NAME`, `workflow:NAME`, or a bare name. Returns all built-ins with this name, a sense first. */
export function builtInsNamed(reference: string): Result<readonly [BuiltIn, ...BuiltIn[]], Failure> {
  const [, kind = null, name = reference] = /^(sense|workflow):(.*)$/.exec(reference) ?? [];
  const [first, ...others] = LIBRARY.filter((one) => one.name === name && (kind === null || one.kind === kind));
  if (first !== undefined) return ok([first, ...others]);
  const names = [...new Set(LIBRARY.filter((one) => kind === null || one.kind === kind).map((one) => one.name))];
  const said = `there is no built-in ${kind ?? "sense or workflow"} \`${name}\``;
  const there = `\`nerve library\` lists what is built in: ${names.join(", ")}`;
  return fail(EXIT.usage, problem("unknown-built-in", said, meantOr(name, names, there)));
}
