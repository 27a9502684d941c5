/** What the module of a sense exports as `watch`: what wakes the sense where a reflex says `watch: true`. */
import { join, resolve } from "node:path";
import { nearest } from "../base/nearest.ts";
import { err, ok, type Result } from "../base/result.ts";
import { describeThrown } from "../base/thrown.ts";
import { type Problem, problem } from "../model/problem.ts";
import type { SeatWatch } from "../model/watched.ts";
import type { ModuleSource } from "../worker/load-export.ts";

const EXAMPLE = "write `export const watch = ({ path }) => ({ file: path })`";
const KINDS = ["kernel", "journal", "inbox", "file", "dir"] as const;
const ANSWERS = "`{ file }`, `{ dir, match }`, `{ journal: true }`, `{ inbox: true }` or `{ kernel: true }`";

/** `exported`: of the module; a module without it watches nothing. Paths are relative to the folder of nerve.yaml. */
export function watchedBy(
  { name, folder }: ModuleSource,
  exported: unknown,
  options: unknown,
): Result<readonly SeatWatch[], Problem> {
  const refuse = (message: string): Result<never, Problem> => {
    const file = folder === null ? null : join(folder, "index.ts");
    return err(problem("bad-export", `sense \`${name}\` exports \`watch\`, ${message}`, EXAMPLE, file));
  };
  if (exported === undefined) return ok([]);
  if (typeof exported !== "function") return refuse(`which must be a function and is of type ${typeof exported}`);
  let answer: unknown;
  try {
    answer = exported(options);
  } catch (error) {
    return refuse(`which throws: ${describeThrown(error).message}`);
  }
  const watched: SeatWatch[] = [];
  for (const one of Array.isArray(answer) ? answer : [answer]) {
    const read = readOne(one);
    if (!read.ok) return refuse(read.error);
    watched.push(read.value);
  }
  return ok(watched);
}

function readOne(answer: unknown): Result<SeatWatch, string> {
  const given = Object(answer) as Readonly<Record<string, unknown>>;
  const named = KINDS.filter((kind) => Object.hasOwn(given, kind));
  const [kind] = named;
  if (kind === undefined || named.length > 1)
    return err(`${misspelt(given)}which must answer ${ANSWERS}, or a list of them`);
  const { [kind]: value, match = "*" } = given;
  if (kind !== "file" && kind !== "dir") {
    return value === true
      ? ok({ kind, path: null, match: null })
      : err(`which answers \`${kind}\`: write \`${kind}: true\``);
  }
  if (typeof value !== "string" || value === "") return err(`which answers \`${kind}\`: write a path`);
  if (kind === "file") return ok({ kind, path: resolve(value), match: null });
  if (typeof match !== "string" || match === "") return err('which answers `match`: write a pattern such as "*.log"');
  return ok({ kind, path: resolve(value), match });
}

function misspelt(given: Readonly<Record<string, unknown>>): string {
  for (const key of Object.keys(given)) {
    const meant = nearest(key, KINDS);
    if (meant !== null && key !== meant) return `which answers \`${key}\` (did you mean \`${meant}\`?), `;
  }
  return "";
}
