/** Owns the comparison of two configurations, by name. Pure: the caller gives the fingerprints of the code. */
import type { NerveConfig, SenseConfig, WorkflowConfig } from "../model/config.ts";
import { isSameReflex } from "../rules/same-reflex.ts";
import { NOTIFY } from "./channel-uses.ts";
import type { ModuleKind } from "./module-folder.ts";

export interface Changes {
  readonly added: readonly string[];
  readonly removed: readonly string[];
  readonly changed: readonly string[];
}

/** Every name that was added, removed or changed. */
export const namesIn = ({ added, removed, changed }: Changes): readonly string[] => [...added, ...removed, ...changed];

export type NeedsRestart = "data" | "durability";

export interface ConfigDiff {
  /** A group changes when its worker has to start anew: its own entry changed, or any sense in the group changed. */
  readonly groups: Changes;
  /** A sense changes when its entry, its group's entry or its code changed. */
  readonly senses: Changes;
  readonly reflexes: Changes;
  /** A workflow changes when its entry, its code or the channels that it may notify changed. */
  readonly workflows: Changes;
  /** Sections without entries of their own, by their key in nerve.yaml. */
  readonly settings: readonly string[];
  /** Changes that take effect only when the daemon starts again. */
  readonly needsRestart: readonly NeedsRestart[];
}

const SETTINGS = [
  ["watchdog", "watchdog"],
  ["channels", "channels"],
  ["quiet_hours", "quietHours"],
  ["retention", "retention"],
  ["http", "http"],
  ["push", "push"],
  ["host", "host"],
  ["fleet", "fleet"],
  ["otlp", "otlp"],
] as const;

/** Fingerprints by name. A module that is built in or missing has none: its code cannot change. */
export type Fingerprints = Readonly<Record<ModuleKind, ReadonlyMap<string, string>>>;

export function diffConfig(
  before: NerveConfig,
  after: NerveConfig,
  beforePrints: Fingerprints,
  afterPrints: Fingerprints,
): ConfigDiff {
  const isSameCode = (kind: ModuleKind, name: string): boolean =>
    beforePrints[kind].get(name) === afterPrints[kind].get(name);
  const senses = compare(
    before.senses,
    after.senses,
    (was, is) =>
      isSameCode("sense", is.name) &&
      same(atWork(was), atWork(is)) &&
      same(before.groups.get(was.group), after.groups.get(is.group)),
  );
  const moved = new Set([...senses.added, ...senses.removed, ...senses.changed]);
  const groups = compare(before.groups, after.groups, (was, is) => {
    const members = [...membersOf(before, was.name), ...membersOf(after, is.name)];
    return same(was, is) && !members.some((sense) => moved.has(sense.name));
  });
  const needsRestart = (["data", "durability"] as const).filter((key) => !same(before[key], after[key]));
  return {
    groups,
    senses,
    reflexes: compare(byName(before.reflexes), byName(after.reflexes), isSameReflex),
    workflows: compare(
      before.workflows,
      after.workflows,
      (was, is) =>
        isSameCode("workflow", is.name) &&
        same(atWork(was), atWork(is)) &&
        (!mayNotify(is, afterPrints) || same(before.channels, after.channels)),
    ),
    settings: SETTINGS.filter(([, key]) => !same(before[key], after[key])).map(([name]) => name),
    needsRestart,
  };
}

const same = (a: unknown, b: unknown): boolean => Bun.deepEquals(a, b, true);

/** `needs` concerns only the unit, and `metrics` only those who look: a change of them restarts nothing. */
const atWork = <T extends { readonly needs: unknown }>(entry: T): T => ({
  ...entry,
  needs: null,
  ...("metrics" in entry ? { metrics: null } : {}),
});

/** The built-in `notify`, and every workflow with code of its own. */
const mayNotify = ({ name, use }: WorkflowConfig, prints: Fingerprints): boolean =>
  use === NOTIFY || (prints.workflow.get(name) ?? "") !== "";

const membersOf = (config: NerveConfig, group: string): SenseConfig[] =>
  [...config.senses.values()].filter((sense) => sense.group === group);

const byName = <T extends { readonly name: string }>(items: readonly T[]): ReadonlyMap<string, T> =>
  new Map(items.map((item) => [item.name, item]));

function compare<T>(
  before: ReadonlyMap<string, T>,
  after: ReadonlyMap<string, T>,
  isSame: (was: T, is: T) => boolean,
): Changes {
  const changed = [...after].filter(([name, is]) => {
    const was = before.get(name);
    return was !== undefined && !isSame(was, is);
  });
  return {
    added: [...after.keys()].filter((name) => !before.has(name)),
    removed: [...before.keys()].filter((name) => !after.has(name)),
    changed: changed.map(([name]) => name),
  };
}
