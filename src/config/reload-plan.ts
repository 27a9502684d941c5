/**
 * Owns the plan of a reload, decided in one place from two configurations. The kernel carries out the plan and compares
 * nothing by itself. Pure: the caller gives the fingerprints of the code, and the groups that must start anew in any case.
 */
import type { NerveConfig } from "../model/config.ts";
import { definitionOf } from "../rules/same-reflex.ts";
import { type ConfigDiff, diffConfig, type Fingerprints, namesIn } from "./diff.ts";

/** Reflexes by name. */
export interface ReflexPlan {
  /** Reflexes that are new, or whose deciding words changed: their memory begins anew. */
  readonly begin: ReadonlySet<string>;
  /** Reflexes with the same deciding words, whatever else changed: their memory stays. */
  readonly keep: ReadonlySet<string>;
  readonly end: ReadonlySet<string>;
}

export interface ReloadPlan {
  /** Groups whose workers end and start anew. New and removed groups are among them. */
  readonly restart: ReadonlySet<string>;
  /** Senses that continue without a restart. */
  readonly keepSenses: ReadonlySet<string>;
  readonly reflexes: ReflexPlan;
  /** Workflows whose entry or code changed. */
  readonly renewWorkflows: ReadonlySet<string>;
  /** True when senses were added or removed: workers then need the new list of senses. */
  readonly tellPeers: boolean;
  /** The changes, for the sentence that reports the reload. */
  readonly changes: ConfigDiff;
}

/** The configuration and the code on one side of a reload. */
export interface Side {
  readonly config: NerveConfig;
  readonly prints: Fingerprints;
}

/** `restart` names the groups that start anew even where nothing of them changed. */
export function planReload(before: Side, after: Side, restart: Iterable<string>): ReloadPlan {
  const changes = diffConfig(before.config, after.config, before.prints, after.prints);
  const groups = new Set([...namesIn(changes.groups), ...restart]);
  const isKept = ([name, { group }]: readonly [string, { readonly group: string }]): boolean => {
    const was = before.config.senses.get(name);
    return was !== undefined && !groups.has(was.group) && !groups.has(group);
  };
  return {
    restart: groups,
    keepSenses: new Set([...after.config.senses].filter(isKept).map(([name]) => name)),
    reflexes: planReflexes(before.config, after.config),
    renewWorkflows: new Set(changes.workflows.changed),
    tellPeers: changes.senses.added.length + changes.senses.removed.length > 0,
    changes,
  };
}

function planReflexes(before: NerveConfig, after: NerveConfig): ReflexPlan {
  const definitions = new Map(before.reflexes.map((reflex) => [reflex.name, definitionOf(reflex)]));
  const begin = new Set<string>();
  const keep = new Set<string>();
  for (const reflex of after.reflexes) {
    (definitions.get(reflex.name) === definitionOf(reflex) ? keep : begin).add(reflex.name);
    definitions.delete(reflex.name);
  }
  return { begin, keep, end: new Set(definitions.keys()) };
}

/** The plan of a start: everything begins. */
export const planStart = (config: NerveConfig): ReflexPlan => ({
  begin: new Set(config.reflexes.map(({ name }) => name)),
  keep: new Set(),
  end: new Set(),
});
