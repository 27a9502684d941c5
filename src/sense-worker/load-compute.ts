/** From a sense's place in the configuration to its compute function, validated options and payload type. */
import { BUILT_IN_SENSES } from "../../senses/index.ts";
import { ok, type Result } from "../base/result.ts";
import { type Definition, definitionIn, isDeclaration } from "../model/declaration.ts";
import type { Problem } from "../model/problem.ts";
import type { SeatWatch } from "../model/watched.ts";
import type { Compute } from "../sdk/index.ts";
import { loadExport, type ModuleRole, type ModuleSource, schemaOf } from "../worker/load-export.ts";
import type { StandardSchema } from "../worker/schema.ts";
import { watchedBy } from "./watched.ts";

export interface LoadedSense {
  readonly compute: Compute;
  readonly options: unknown;
  /** What its payloads have to fit, or null. */
  readonly payload: StandardSchema | null;
  /** What wakes it where a reflex says `watch: true`. */
  readonly watch: readonly SeatWatch[];
  /** What patterns are held against: that type, or the definition that it declares; null where there is neither. */
  readonly declared: StandardSchema | Definition | null;
  /** What its module exports as `series`, not yet held against its database. */
  readonly series: unknown;
}

const SENSE: ModuleRole = {
  noun: "sense",
  export: "compute",
  example: "write `export const compute: Compute = async (db, peers, context) => …`",
  builtIns: BUILT_IN_SENSES,
};

/** Loads the code of built-in senses ahead of their turn. What does not load is reported when a sense is seated. */
export function preload(builtIns: readonly string[]): void {
  for (const name of builtIns) {
    const found = Object.hasOwn(BUILT_IN_SENSES, name) ? BUILT_IN_SENSES[name as keyof typeof BUILT_IN_SENSES] : null;
    try {
      found?.load();
      if (found?.schema) require("drizzle-orm/bun-sqlite");
    } catch {
      return;
    }
  }
}

/** Loads the module and checks what it exports. `limitMs` bounds a top level that never settles. */
export async function loadComputeFn(source: ModuleSource, limitMs: number): Promise<Result<LoadedSense, Problem>> {
  const loaded = await loadExport(SENSE, source, limitMs);
  if (!loaded.ok) return loaded;
  const { called, options, exports } = loaded.value;
  const watch = watchedBy(source, exports.watch, options);
  if (!watch.ok) return watch;
  const head = { compute: called as Compute, options, watch: watch.value, series: exports.series };
  if (isDeclaration(exports.payload)) {
    return ok({ ...head, payload: null, declared: definitionIn(exports.payload, options) });
  }
  const payload = schemaOf(SENSE, source, exports, "payload");
  return payload.ok ? ok({ ...head, payload: payload.value, declared: payload.value }) : payload;
}
