/**
 * Owns the warnings on entries that nothing uses: they are allowed, but are most likely a mistake. A workflow without a
 * reflex gets no warning: a person starts this workflow by hand.
 */
import { nearest } from "../base/nearest.ts";
import type { NerveConfig } from "../model/config.ts";
import { warnOfUnusedChannels } from "./channel-uses.ts";
import { warnOfFleet } from "./fleet-uses.ts";
import { warnOfIncidentTemplates } from "./incident-templates.ts";
import { warnOfLongBatches } from "./long-batches.ts";
import { warnOfOtlp } from "./otlp.ts";
import type { Report } from "./report.ts";
import type { ConfigSource } from "./source.ts";
import { entryOf, type MapTree, type Place, shown } from "./tree.ts";

export function warnOfUnused(root: MapTree, config: NerveConfig, source: ConfigSource, report: Report): void {
  const { senses, reflexes } = config;
  const run = new Set(reflexes.flatMap((reflex) => (reflex.kind === "sense" ? [reflex.sense] : [])));
  for (const [sense, place] of keysOf(root, "senses")) {
    if (run.has(sense)) continue;
    const message = `no reflex runs the sense \`${shown(sense)}\``;
    report.warn("unused-sense", place, message, `add a reflex for it, or run it by hand: nerve run ${shown(sense)}`);
  }
  const used = new Set([...senses.values()].map(({ group }) => group));
  for (const [group, place] of keysOf(root, "groups")) {
    if (used.has(group)) continue;
    const meant = nearest(group, used);
    const member = [...senses.values()].find((sense) => sense.group === meant);
    const hint =
      meant === null || member === undefined
        ? `the groups of the senses are: ${[...used].map(shown).join(", ")}`
        : `the sense \`${shown(member.name)}\` is in the group \`${shown(meant)}\`: is one of the two misspelt?`;
    report.warn("unused-group", place, `no sense is in the group \`${shown(group)}\``, hint);
  }
  warnOfFleet(root, config, report);
  warnOfOtlp(root, config, report);
  warnOfUnusedChannels(root, config, source, report);
  warnOfLongBatches(entryOf(root, "workflows"), config, report);
  warnOfIncidentTemplates(root.entries.find(({ key }) => key === "workflows")?.value, config, source, report);
}

function keysOf(root: MapTree, section: string): readonly (readonly [string, Place])[] {
  const tree = root.entries.find(({ key }) => key === section)?.value;
  return tree?.kind === "map" ? tree.entries.map(({ key, keyPlace }) => [key, keyPlace] as const) : [];
}
