/** Owns the question whether nerve runs a reflex by the rules in a configuration, and since which signal. */

import type { ReflexConfig } from "../model/config.ts";
import { isDefinitionOf } from "../rules/same-reflex.ts";
import type { StoreReader } from "../store/open-reader.ts";

export type Standing =
  /** The reflex begins with the first signal after `since`. `at`: Unix milliseconds, 0 where the reflex was always loaded. */
  | { readonly kind: "loaded"; readonly since: number; readonly at: number }
  /** nerve has no such reflex, or has a reflex of this name with other rules. */
  | { readonly kind: "not-loaded" | "changed" }
  /** An earlier build wrote the store, or nerve never started with any reflex. */
  | { readonly kind: "unknown" };

export function standingsIn({ loadedReflexes }: StoreReader): (config: ReflexConfig) => Standing {
  const rows = loadedReflexes.exists() ? loadedReflexes.all() : [];
  const byName = new Map(rows.map((row) => [row.name, row]));
  return (config) => {
    if (rows.length === 0) return { kind: "unknown" };
    const row = byName.get(config.name);
    if (row === undefined) return { kind: "not-loaded" };
    if (!isDefinitionOf(config, row.definition)) return { kind: "changed" };
    return { kind: "loaded", since: row.since, at: row.at };
  };
}

/** Null where the reflex may have been loaded from the first signal on. */
export const beganAfter = (standing: Standing): number | null =>
  standing.kind === "loaded" && standing.since > 0 ? standing.since : null;

/** Why the question what the reflex did has no good answer; null where the answer is good. */
export function standingWords({ kind }: Standing): string | null {
  if (kind === "not-loaded") return "nerve has not loaded it: it was put into the config since";
  if (kind === "changed") {
    return "nerve runs it by other rules: the config was changed since, or what is filled in has another value here";
  }
  return null;
}
