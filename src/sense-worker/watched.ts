/** What the module of a sense exports as `watch`: what wakes the sense where a reflex says `watch: true`. */
import { join } from "node:path";
import { err, ok, type Result } from "../base/result.ts";
import { describeThrown } from "../base/thrown.ts";
import { type Problem, problem } from "../model/problem.ts";
import type { Watched } from "../sdk/index.ts";
import type { ModuleSource } from "../worker/load-export.ts";

const EXAMPLE = "write `export const watch = () => ({ kernel: true })`";
const LATER = ["file", "dir", "journal", "inbox"];

/** `exported`: of the module; a module without it watches nothing. */
export function watchedBy(
  { name, folder }: ModuleSource,
  exported: unknown,
  options: unknown,
): Result<readonly Watched[], Problem> {
  const refuse = (kind: string, message: string): Result<never, Problem> => {
    const file = folder === null ? null : join(folder, "index.ts");
    return err(problem(kind, `sense \`${name}\` exports \`watch\`, ${message}`, EXAMPLE, file));
  };
  if (exported === undefined) return ok([]);
  if (typeof exported !== "function") {
    return refuse("bad-export", `which must be a function and is of type ${typeof exported}`);
  }
  let answer: unknown;
  try {
    answer = exported(options);
  } catch (error) {
    return refuse("bad-export", `which throws: ${describeThrown(error).message}`);
  }
  const watched: readonly unknown[] = Array.isArray(answer) ? answer : [answer];
  const later = watched.flatMap((one) => LATER.filter((key) => Object.hasOwn(Object(one), key)));
  if (later.length > 0) return refuse("not-yet", `which answers \`${later[0]}\`: this build does not yet support that`);
  if (!watched.every((one) => Object(one).kernel === true)) {
    return refuse("bad-export", "which must answer `{ kernel: true }`, and answers something else");
  }
  return ok(watched.map(() => ({ kernel: true })));
}
