/** From a place in the configuration to the function its module exports and the validated options. */
import { join } from "node:path";
import { nearest } from "../base/nearest.ts";
import { err, ok, type Result } from "../base/result.ts";
import { type Problem, problem } from "../model/problem.ts";
import { loadModule } from "./load-module.ts";
import { validateOptions } from "./options.ts";
import { isSchema, type StandardSchema } from "./schema.ts";

export interface ModuleSource {
  readonly name: string;
  readonly use: string;
  /** The user's folder, or null for the built-in called `use`. */
  readonly folder: string | null;
  /** The `with` of nerve.yaml, {} when absent. */
  readonly options: unknown;
}

export interface LoadedExport {
  readonly called: (...given: never[]) => unknown;
  readonly options: unknown;
  /** Everything the module exports. */
  readonly exports: Exports;
}

type Exports = Readonly<Record<string, unknown>>;

/** What a module is for: what it has to export, in the words that people know it by. */
export interface ModuleRole {
  readonly noun: "sense" | "workflow";
  /** The function it has to export. */
  readonly export: string;
  /** How to write that. */
  readonly example: string;
  readonly builtIns: Readonly<Record<string, { readonly load: () => Exports }>>;
}

async function exportsOf(role: ModuleRole, source: ModuleSource, limitMs: number): Promise<Result<Exports, Problem>> {
  if (source.folder !== null) return loadModule(join(source.folder, "index.ts"), source.folder, limitMs);
  const { noun, builtIns } = role;
  const found = Object.hasOwn(builtIns, source.use) ? builtIns[source.use] : undefined;
  if (found === undefined) return err(problem(`unknown-${noun}`, `there is no built-in ${noun} \`${source.use}\``));
  try {
    return ok(found.load());
  } catch (error) {
    return err(problem("module-threw", `the built-in ${noun} \`${source.use}\` does not load: ${String(error)}`));
  }
}

/** What the module exports in place of `name`, as the beginning of the remedy. */
function insteadOf(name: string, exported: readonly string[]): string {
  const meant = nearest(name, exported);
  if (meant !== null) return `it exports \`${meant}\`; `;
  return exported.includes("default") ? "it has a default export; " : "";
}

/** Loads the module and checks what it exports. `limitMs` bounds a top level that never settles. */
export async function loadExport(
  role: ModuleRole,
  source: ModuleSource,
  limitMs: number,
): Promise<Result<LoadedExport, Problem>> {
  const exports = await exportsOf(role, source, limitMs);
  if (!exports.ok) return exports;
  const { export: name, example } = role;
  const titled = `${role.noun} \`${source.name}\``;
  const file = source.folder === null ? null : join(source.folder, "index.ts");
  const { [name]: called } = exports.value;
  if (called === undefined) {
    const hint = `${insteadOf(name, Object.keys(exports.value))}${example}`;
    return err(problem("missing-export", `${titled} does not export \`${name}\``, hint, file));
  }
  if (typeof called !== "function") {
    const message = `${titled} exports \`${name}\`, which must be a function and is of type ${typeof called}`;
    return err(problem("bad-export", message, example, file));
  }
  const schema = schemaOf(role, source, exports.value, "options");
  if (!schema.ok) return schema;
  const options = validateOptions(schema.value, source.options);
  if (!options.ok) {
    const hint = `correct \`with\` of ${role.noun}s.${source.name} in nerve.yaml`;
    return err(problem("bad-options", `the options of ${titled} are refused: ${options.error}`, hint, file));
  }
  return ok({ called: called as LoadedExport["called"], options: options.value, exports: exports.value });
}

/** What the module exports under `name` as a type, or null. */
export function schemaOf(
  role: ModuleRole,
  source: ModuleSource,
  exports: Exports,
  name: string,
): Result<StandardSchema | null, Problem> {
  const { [name]: schema = null } = exports;
  if (schema === null || isSchema(schema)) return ok(schema);
  const hint = `write \`export const ${name} = type({ … })\` with \`import { type } from "arktype"\``;
  const message = `${role.noun} \`${source.name}\` exports \`${name}\`, which is not an ArkType type`;
  return err(problem("bad-export", message, hint, source.folder === null ? null : join(source.folder, "index.ts")));
}
