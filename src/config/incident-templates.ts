/** Owns the warning on `{{ incident.x }}` in a workflow that no reflex with `incident` starts: each of its runs would fail there. */
import type { NerveConfig, WorkflowConfig } from "../model/config.ts";
import type { Report } from "./report.ts";
import type { ConfigSource } from "./source.ts";
import { child, type ScalarTree, shown, type Tree } from "./tree.ts";

/** Built-in workflows whose options are filled in from the trigger. */
const TEMPLATED: readonly string[] = ["exec", "webhook"];
const TEMPLATE = /\{\{\s*incident\./;

interface Found {
  readonly label: string;
  readonly tree: ScalarTree;
}

function textsIn(tree: Tree, label: string): Found[] {
  if (tree.kind === "map") return tree.entries.flatMap(({ key, value }) => textsIn(value, child(label, key)));
  if (tree.kind === "list") return tree.items.flatMap((item, index) => textsIn(item, child(label, index)));
  return tree.kind === "scalar" ? [{ label, tree }] : [];
}

/** Whether a report of an incident is a run of this workflow. */
const reportsIncidents = ({ reflexes }: NerveConfig, name: string): boolean =>
  reflexes.some((reflex) => {
    if (reflex.kind !== "workflow" || reflex.incident === null) return false;
    return reflex.workflow === name || reflex.incident.escalate.some(({ workflow }) => workflow === name);
  });

const isTemplated = ({ use }: WorkflowConfig, { isOwnWorkflow }: ConfigSource): boolean =>
  TEMPLATED.includes(use) && !isOwnWorkflow(use);

/** `section`: the section `workflows` of the file, or undefined where there is none. */
export function warnOfIncidentTemplates(
  section: Tree | undefined,
  config: NerveConfig,
  source: ConfigSource,
  report: Report,
): void {
  for (const { key, value } of section?.kind === "map" ? section.entries : []) {
    const workflow = config.workflows.get(key);
    if (workflow === undefined || !isTemplated(workflow, source) || reportsIncidents(config, key)) continue;
    for (const { label, tree } of textsIn(value, `workflows.${key}`)) {
      if (!TEMPLATE.test(tree.text)) continue;
      report.warn(
        "no-incident",
        tree.place,
        `\`${shown(label)}\` asks for an incident, and no reflex with \`incident\` starts \`${shown(key)}\`: its runs fail there`,
        "write `incident: { … }` in the reflex that starts it, or ask for `payload` instead",
      );
      break;
    }
  }
}
