/** From a sense's place in the configuration to its compute function and validated options. */
import { join } from "node:path";
import { BUILT_IN_SENSES, type BuiltInSense } from "../../senses/index.ts";
import { err, ok, type Result } from "../base/result.ts";
import { type Problem, problem } from "../model/problem.ts";
import type { Compute } from "../sdk/index.ts";
import { type MigrationFile, readMigrations } from "../sqlite/migrate.ts";
import { loadModule } from "../worker/load-module.ts";
import { isSchema, validateOptions } from "../worker/options.ts";

export interface SenseSource {
  readonly name: string;
  readonly use: string;
  /** The user's folder, or null for the built-in called `use`. */
  readonly folder: string | null;
  /** The `with` of nerve.yaml, {} when absent. */
  readonly options: unknown;
}

export interface LoadedSense {
  readonly compute: Compute;
  readonly options: unknown;
}

const builtIn = (name: string): BuiltInSense | undefined =>
  Object.hasOwn(BUILT_IN_SENSES, name) ? BUILT_IN_SENSES[name as keyof typeof BUILT_IN_SENSES] : undefined;

export const migrationsOf = (source: SenseSource): readonly MigrationFile[] =>
  source.folder === null ? (builtIn(source.use)?.migrations ?? []) : readMigrations(join(source.folder, "migrations"));

const EXAMPLE = "write `export const compute: Compute = async (db, peers, context) => …`";

/** Loads the module and checks what it exports. `limitMs` bounds a top level that never settles. */
export async function loadComputeFn(source: SenseSource, limitMs: number): Promise<Result<LoadedSense, Problem>> {
  const file = source.folder === null ? null : join(source.folder, "index.ts");
  let exports: Readonly<Record<string, unknown>>;
  if (file === null || source.folder === null) {
    const found = builtIn(source.use);
    if (found === undefined)
      return err(problem("unknown-sense", `there is no built-in sense "${source.use}"`, null, null));
    try {
      exports = found.load();
    } catch (error) {
      return err(
        problem("module-threw", `the built-in sense "${source.use}" does not load: ${String(error)}`, null, null),
      );
    }
  } else {
    const loaded = await loadModule(file, source.folder, limitMs);
    if (!loaded.ok) return loaded;
    exports = loaded.value;
  }
  const { compute, options: schema = null } = exports;
  if (compute === undefined) {
    const hint = "default" in exports ? `it has a default export; ${EXAMPLE}` : EXAMPLE;
    return err(problem("missing-export", `sense "${source.name}" does not export compute`, hint, file));
  }
  if (typeof compute !== "function") {
    return err(
      problem(
        "bad-export",
        `sense "${source.name}" exports compute as ${typeof compute}, not as a function`,
        EXAMPLE,
        file,
      ),
    );
  }
  if (schema !== null && !isSchema(schema)) {
    const hint = 'write `export const options = type({ … })` with `import { type } from "arktype"`';
    return err(problem("bad-export", `sense "${source.name}" exports options that are no ArkType type`, hint, file));
  }
  const options = validateOptions(schema, source.options);
  if (!options.ok) {
    const hint = `correct \`with\` of senses.${source.name} in nerve.yaml`;
    return err(
      problem("bad-options", `the options of sense "${source.name}" are refused: ${options.error}`, hint, file),
    );
  }
  return ok({ compute: compute as Compute, options: options.value });
}
