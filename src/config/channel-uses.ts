/** Which channels the workflows that notify name: those that are not there, and channels that nobody names. */
import { meantOr } from "../base/nearest.ts";
import type { NerveConfig, WorkflowConfig } from "../model/config.ts";
import type { Report } from "./report.ts";
import type { ConfigSource } from "./source.ts";
import { child, isEmpty, type MapTree, type ScalarTree, shown, type Tree } from "./tree.ts";

/** The built-in workflow that reads `to` and `fallback`. */
export const NOTIFY = "notify";
const LISTS = ["to", "fallback"] as const;

interface Use {
  readonly label: string;
  readonly tree: ScalarTree;
}

const under = (tree: Tree | undefined, name: string): Tree | undefined =>
  tree?.kind === "map" ? tree.entries.find(({ key }) => key === name)?.value : undefined;

/** The names in `with.to` and `with.fallback` of a workflow. */
function usesOf(root: MapTree, workflow: string): readonly Use[] {
  const options = under(under(under(root, "workflows"), workflow), "with");
  return LISTS.flatMap((option) => {
    const list = under(options, option);
    const label = child(`workflows.${workflow}.with`, option);
    const items = list?.kind === "list" ? list.items : list === undefined ? [] : [list];
    return items.flatMap((tree, index) =>
      tree.kind === "scalar" && !isEmpty(tree) ? { label: list === tree ? label : child(label, index), tree } : [],
    );
  });
}

const isNotify = ({ use }: WorkflowConfig, { isOwnWorkflow }: ConfigSource): boolean =>
  use === NOTIFY && !isOwnWorkflow(use);

/** `channels` null: the section could not be read, and nothing can be said about its names. */
export function checkChannels(
  root: MapTree,
  workflows: ReadonlyMap<string, WorkflowConfig>,
  channels: ReadonlySet<string> | null,
  source: ConfigSource,
  report: Report,
): void {
  if (channels === null) return;
  const names = [...channels];
  const listed =
    names.length === 0
      ? "add it to `channels`, where nothing is defined yet"
      : `defined are ${names.map(shown).join(", ")}`;
  for (const workflow of workflows.values()) {
    if (!isNotify(workflow, source)) continue;
    for (const { label, tree } of usesOf(root, workflow.name)) {
      if (channels.has(tree.text)) continue;
      const called = shown(tree.written);
      const hint = tree.filled ? listed : meantOr(tree.text, names, listed);
      report.add(
        "unknown-channel",
        tree.place,
        `\`${label}\` is "${called}", and there is no channel of that name`,
        hint,
      );
    }
  }
}

/** A workflow of one's own may notify any channel. */
export function warnOfUnusedChannels(
  root: MapTree,
  { channels, workflows }: NerveConfig,
  source: ConfigSource,
  report: Report,
): void {
  const all = [...workflows.values()];
  if (all.some(({ use }) => source.isOwnWorkflow(use))) return;
  const named = new Set(all.flatMap(({ name }) => usesOf(root, name)).map(({ tree }) => tree.text));
  const section = under(root, "channels");
  for (const { key, keyPlace } of section?.kind === "map" ? section.entries : []) {
    if (!channels.has(key) || named.has(key)) continue;
    const message = `no workflow notifies the channel \`${shown(key)}\``;
    report.warn(
      "unused-channel",
      keyPlace,
      message,
      `name it: \`workflows: { notify: { with: { to: [${shown(key)}] } } }\``,
    );
  }
}
