/**
 * What a reload does, decided in one place from two configurations: the kernel carries the plan out and compares nothing
 * by itself. Pure: fingerprints of the code, and which groups must start anew in any case, are given.
 */
import type { NerveConfig } from "../model/config.ts";
import { definitionOf } from "../rules/same-reflex.ts";
import { type ConfigDiff, diffConfig, type Fingerprints, namesIn } from "./diff.ts";

/** By name. */
export interface ReflexPlan {
  /** New, or with other words that decide: what it remembers begins anew. */
  readonly begin: ReadonlySet<string>;
  /** The same words that decide, whatever else changed: what it remembers stays. */
  readonly keep: ReadonlySet<string>;
  readonly end: ReadonlySet<string>;
}

export interface ReloadPlan {
  /** Groups whose workers end and start anew, those that are new or gone included. */
  readonly restart: ReadonlySet<string>;
  /** Senses that go on as they are. */
  readonly keepSenses: ReadonlySet<string>;
  readonly reflexes: ReflexPlan;
  /** Workflows whose entry or code is not what it was. */
  readonly renewWorkflows: ReadonlySet<string>;
  /** Whether workers have to hear which senses there are. */
  readonly tellPeers: boolean;
  /** What changed, for the sentence that says so. */
  readonly changes: ConfigDiff;
}

/** One side of a reload. */
export interface Side {
  readonly config: NerveConfig;
  readonly prints: Fingerprints;
}

/** `restart`: groups that start anew even where nothing of them changed. */
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
