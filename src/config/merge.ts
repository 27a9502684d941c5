/**
 * Owns the merge of the main file and its includes into one tree, in the order of the files. Anything given twice is
 * reported.
 */
import type { Report } from "./report.ts";
import type { Entry, ListTree, MapTree, Tree } from "./tree.ts";
import { isEmpty } from "./tree.ts";
import { reportDuplicate } from "./yaml.ts";

/** Sections to which several files may add. Every other key is given once. */
const GROWING: Readonly<Record<string, "map" | "list">> = {
  retention: "map",
  groups: "map",
  senses: "map",
  workflows: "map",
  channels: "map",
  reflexes: "list",
  quiet_hours: "list",
};

export function mergeFiles(main: MapTree, included: readonly MapTree[], report: Report): MapTree {
  if (included.length === 0) return main;
  const byKey = new Map<string, Entry[]>();
  for (const entry of [main, ...included].flatMap((file) => file.entries)) {
    const entries = byKey.get(entry.key);
    if (entries) entries.push(entry);
    else byKey.set(entry.key, [entry]);
  }
  return { ...main, entries: [...byKey].map(([key, entries]) => mergeEntries(key, entries, report)) };
}

function mergeEntries(key: string, entries: readonly Entry[], report: Report): Entry {
  const [first, ...others] = entries as [Entry, ...Entry[]];
  const grows = Object.hasOwn(GROWING, key) ? GROWING[key] : undefined;
  if (grows === undefined) {
    for (const other of others) reportDuplicate(report, key, other.keyPlace, first.keyPlace);
    return first;
  }
  const values = entries.map((entry) => entry.value).filter((value) => !isEmpty(value));
  if (values.length <= 1) return { ...first, value: values[0] ?? first.value };
  for (const value of values) {
    if (value.kind !== grows) report.expected("wrong-type", value, key, `a ${grows}`, null);
  }
  return { ...first, value: grows === "list" ? mergeLists(values, first) : mergeMaps(key, values, first, report) };
}

const mergeLists = (values: readonly Tree[], first: Entry): ListTree => ({
  kind: "list",
  place: first.value.place,
  items: values.flatMap((value) => (value.kind === "list" ? value.items : [])),
});

function mergeMaps(label: string, values: readonly Tree[], first: Entry, report: Report): MapTree {
  const merged = new Map<string, Entry>();
  for (const entry of values.flatMap((value) => (value.kind === "map" ? value.entries : []))) {
    const before = merged.get(entry.key);
    if (before) reportDuplicate(report, `${label}.${entry.key}`, entry.keyPlace, before.keyPlace);
    else merged.set(entry.key, entry);
  }
  return { kind: "map", place: first.value.place, entries: [...merged.values()] };
}
