/** From a sense's place in the configuration to its compute function, validated options, payload type and migrations. */
import { join } from "node:path";
import { BUILT_IN_SENSES, type BuiltInSense } from "../../senses/index.ts";
import { ok, type Result } from "../base/result.ts";
import type { Problem } from "../model/problem.ts";
import type { Compute } from "../sdk/index.ts";
import { type MigrationFile, readMigrations } from "../sqlite/migrate.ts";
import { loadExport, type ModuleKind, type ModuleSource, schemaOf } from "../worker/load-export.ts";
import type { StandardSchema } from "../worker/schema.ts";

export interface LoadedSense {
  readonly compute: Compute;
  readonly options: unknown;
  /** What its payloads have to fit, or null. */
  readonly payload: StandardSchema | null;
}

const builtIn = (name: string): BuiltInSense | undefined =>
  Object.hasOwn(BUILT_IN_SENSES, name) ? BUILT_IN_SENSES[name as keyof typeof BUILT_IN_SENSES] : undefined;

export const migrationsOf = (source: ModuleSource): readonly MigrationFile[] =>
  source.folder === null ? (builtIn(source.use)?.migrations ?? []) : readMigrations(join(source.folder, "migrations"));

const SENSE: ModuleKind = {
  noun: "sense",
  export: "compute",
  example: "write `export const compute: Compute = async (db, peers, context) => …`",
  builtIns: BUILT_IN_SENSES,
};

/** Loads the module and checks what it exports. `limitMs` bounds a top level that never settles. */
export async function loadComputeFn(source: ModuleSource, limitMs: number): Promise<Result<LoadedSense, Problem>> {
  const loaded = await loadExport(SENSE, source, limitMs);
  if (!loaded.ok) return loaded;
  const { called, options, exports } = loaded.value;
  const payload = schemaOf(SENSE, source, exports, "payload");
  return payload.ok ? ok({ compute: called as Compute, options, payload: payload.value }) : payload;
}
