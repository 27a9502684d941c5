/** Whether nerve runs by the rules a configuration gives a reflex, and since which signal. */

import type { ReflexConfig } from "../../model/config.ts";
import { isDefinitionOf } from "../../rules/same-reflex.ts";
import type { StoreReader } from "../../store/open-reader.ts";

export type Standing =
  /** It begins with the first signal after `since`. `at`: Unix milliseconds, 0 where it was there all the time. */
  | { readonly kind: "loaded"; readonly since: number; readonly at: number }
  /** It has no such reflex, or one of that name with other rules. */
  | { readonly kind: "not-loaded" | "changed" }
  /** The store is of an earlier build, or of nerve never started with any reflex. */
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

/** Null where it is not known that it was not there from the first signal on. */
export const beganAfter = (standing: Standing): number | null =>
  standing.kind === "loaded" && standing.since > 0 ? standing.since : null;

/** What is wrong with asking what it did; null where nothing is. */
export function standingWords({ kind }: Standing): string | null {
  if (kind === "not-loaded") return "nerve has not loaded it: it was put into the config since";
  if (kind === "changed") {
    return "nerve runs it by other rules: the config was changed since, or what is filled in has another value here";
  }
  return null;
}
