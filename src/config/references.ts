/** Owns the check of references: the senses and workflows of reflexes must exist, and no two reflexes may have the same name. */
import { BUILT_IN_SENSE_NAMES } from "../../senses/names.ts";
import { nearest } from "../base/nearest.ts";
import { isRemote, partsOfName } from "../model/full-name.ts";
import { findCycles, formatCycle } from "./cycles.ts";
import type { Reference } from "./reference.ts";
import type { WrittenReflex } from "./reflexes.ts";
import type { Report } from "./report.ts";
import { formatPlace, found, shown } from "./tree.ts";

export interface Defined {
  /** Null when the section could not be read: references to its entries cannot be judged then. */
  readonly senses: ReadonlySet<string> | null;
  readonly workflows: ReadonlySet<string> | null;
  /** The name of this host. */
  readonly host: string;
}

const BUILT_IN: ReadonlySet<string> = new Set(BUILT_IN_SENSE_NAMES);
const LISTED = 8;

const listed = (what: string, names: ReadonlySet<string>): string => {
  if (names.size === 0) return `add it to \`${what}s\`, where nothing is defined yet`;
  const some = [...names].slice(0, LISTED).map(shown).join(", ");
  return `defined are ${some}${names.size > LISTED ? ` and ${names.size - LISTED} more` : ""}`;
};

/** The remedy where the name of a workflow stands for a sense, or the name of a sense for a workflow. */
function hintOfOther({ name, label }: Reference, what: string, other: string): string {
  const called = shown(name);
  if (label.endsWith(`.${what}`)) return `\`${called}\` is a ${other}: write \`${other}: ${called}\``;
  return `\`${called}\` is a ${other}, and emits no signals`;
}

function checkReference(reference: Reference, what: "sense" | "workflow", defined: Defined, report: Report): void {
  const [names, others] = what === "sense" ? [defined.senses, defined.workflows] : [defined.workflows, defined.senses];
  if (names === null || names.has(reference.name) || reference.tree.kind !== "scalar") return;
  const other = what === "sense" ? "workflow" : "sense";
  // No suggestion for a name from a variable: a similar defined name would reveal the secret.
  const meant = reference.tree.filled ? null : nearest(reference.name, names);
  let hint = listed(what, names);
  if (!reference.tree.filled && what === "sense" && BUILT_IN.has(reference.name)) {
    // Without an entry in `senses`, a built-in exists only where a reflex runs it: no other built-in emits signals.
    hint = `it is built in: add it to \`senses\`, and a reflex that runs it`;
  } else if (!reference.tree.filled && others?.has(reference.name)) hint = hintOfOther(reference, what, other);
  else if (meant !== null) hint = `did you mean \`${shown(meant)}\`?`;
  const message = `\`${reference.label}\` is ${found(reference.tree)}, and there is no ${what} of that name`;
  report.add(`unknown-${what}`, reference.tree.place, message, hint);
}

/** `HOST/SENSE` is a sense of another host, and nobody here knows which there are. */
function checkRemote({ name, label, tree }: Reference, host: string, report: Report): void {
  const { sense, origin } = partsOfName(name);
  if (origin !== host) return;
  const message = `\`${label}\` is ${found(tree)}, a sense of this host (\`host\` is ${shown(host)})`;
  report.add("conflict", tree.place, message, `write \`${shown(sense)}\``);
}

export function checkReferences(reflexes: readonly WrittenReflex[], defined: Defined, report: Report): void {
  const named = new Map<string, Reference>();
  for (const { name, target, on, incident, config } of reflexes) {
    checkReference(target, config.kind, defined, report);
    for (const workflow of incident?.workflows ?? []) checkReference(workflow, "workflow", defined, report);
    for (const sense of on) {
      if (isRemote(sense.name)) checkRemote(sense, defined.host, report);
      else checkReference(sense, "sense", defined, report);
    }
    if (name === null) continue;
    const first = named.get(name.name);
    if (first === undefined) {
      named.set(name.name, name);
      continue;
    }
    const message = `\`${name.label}\` is ${found(name.tree)}, a name already given at ${formatPlace(first.tree.place)}`;
    report.add("duplicate-name", name.tree.place, message, "choose another name");
  }
}

/** `inhibited_by` must name reflexes with `incident`, and no reflex may hold itself back, directly or through others. */
export function checkInhibitors(reflexes: readonly WrittenReflex[], report: Report): void {
  const names = new Set(reflexes.map(({ config }) => config.name));
  const withIncident = new Set(reflexes.flatMap(({ config, incident }) => (incident === null ? [] : config.name)));
  const all = reflexes.flatMap(
    ({ config, incident }) => incident?.inhibitors.map((one) => ({ of: config.name, one })) ?? [],
  );
  for (const { one } of all) {
    if (withIncident.has(one.name) || one.tree.kind !== "scalar") continue;
    const meant = one.tree.filled ? null : nearest(one.name, withIncident);
    const isReflex = names.has(one.name);
    const message = isReflex
      ? `\`${one.label}\` is ${found(one.tree)}, a reflex without \`incident\`, which has nothing open`
      : `\`${one.label}\` is ${found(one.tree)}, and there is no reflex of that name`;
    const hint = meant === null ? "give that reflex a `name` and an `incident`" : `did you mean \`${shown(meant)}\`?`;
    report.add(
      isReflex ? "conflict" : "unknown-reflex",
      one.tree.place,
      message,
      isReflex ? "give it an `incident`" : hint,
    );
  }
  for (const cycle of findCycles(all.map(({ of, one }) => ({ from: of, to: one.name })))) {
    const [from, to = from] = cycle;
    const at = all.find(({ of, one }) => of === from && one.name === to);
    const path = formatCycle(cycle.map(shown));
    const message = `incidents hold one another back without end: ${path}`;
    if (at) report.add("cycle", at.one.tree.place, message, "take one of these out of `inhibited_by`");
  }
}
