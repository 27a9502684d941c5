/** Owns the warning on a batch that waits as long as an interval: due times pass while the run before them is still queued. */
import { batchConfigOf, type NerveConfig, type ReflexConfig } from "../model/config.ts";
import type { Report } from "./report.ts";
import { child, entryOf, shown, type Tree } from "./tree.ts";

/** `section`: the section `workflows` of the file, or null where there is none. */
export function warnOfLongBatches(section: Tree | null, { reflexes, workflows }: NerveConfig, report: Report): void {
  for (const [name, workflow] of workflows) {
    const waitMs = batchConfigOf(workflow)?.waitMs ?? null;
    const wait = entryOf(entryOf(entryOf(section, name), "batch"), "wait");
    if (waitMs === null || wait === null) continue;
    const isMissed = (reflex: ReflexConfig): boolean =>
      reflex.kind === "workflow" &&
      reflex.workflow === name &&
      reflex.intervalMs !== null &&
      reflex.intervalMs <= waitMs;
    const label = child(child(child("workflows", name), "batch"), "wait");
    for (const reflex of reflexes.filter(isMissed)) {
      const of = `the \`interval\` of the reflex \`${shown(reflex.name)}\``;
      const message = `\`${label}\` is not shorter than ${of}: a due time is missed while the run before it waits`;
      report.warn("long-batch", wait.place, message, "wait less, or start another workflow from that reflex");
    }
  }
}
