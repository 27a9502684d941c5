/** Owns the keys of a reflex, and the reader of each key. */
import type { Watching } from "../model/config.ts";
import { readCron } from "./cron.ts";
import { type Fields, flag, jsonMap, list, name, oneOf, type Reader, reader, readFields, schemaOf } from "./fields.ts";
import { readIncident } from "./incident.ts";
import { duration, durationOrNone } from "./quantities.ts";
import { type Reference, reference } from "./reference.ts";
import { readCount, readDebounce, readEach, readKey, readPattern } from "./reflex-words.ts";
import { found, type Tree } from "./tree.ts";

const references = list(reference, "a list of senses such as [cpu-usage]");

const readOn: Reader<readonly Reference[]> = reader({ ...references.schema, minItems: 1 }, (tree, label, report) => {
  const items = references(tree, label, report);
  if (items?.length === 0) report.expected("bad-value", tree, label, "a list of at least one sense", null);
  const seen = new Set<string>();
  for (const item of items ?? []) {
    if (item === null) continue;
    if (seen.has(item.name)) {
      const message = `\`${item.label}\` is ${found(item.tree)}, which is listed already`;
      report.add("duplicate-reference", item.tree.place, message, "remove it");
    }
    seen.add(item.name);
  }
  return items?.filter((item) => item !== null) ?? null;
});

export const readTz: Reader<string> = reader({ type: "string" }, (tree, label, report) => {
  try {
    if (tree.kind === "scalar" && typeof tree.value === "string" && tree.value !== "") {
      new Intl.DateTimeFormat("en", { timeZone: tree.value });
      Bun.cron.parse("@hourly", 0, { tz: tree.value });
      return tree.value;
    }
  } catch {
    // An unknown zone throws a RangeError.
  }
  report.expected("bad-tz", tree, label, "a time zone such as Europe/Berlin", null);
  return null;
});

const WATCHED = ["file", "dir", "journal"];

/** What a build to come reads: a map with one of these keys, or a list of such maps. */
const isLater = (tree: Tree): boolean =>
  tree.kind === "list"
    ? tree.items.some(isLater)
    : tree.kind === "map" && tree.entries.some(({ key }) => WATCHED.includes(key));

const WATCH = { inbox: flag };
const WATCH_SCHEMA = { anyOf: [flag.schema, { ...schemaOf(WATCH), required: ["inbox"] }] };

const readWatched: Reader<readonly Watching[]> = reader(WATCH_SCHEMA, (tree, label, report) => {
  if (tree.kind !== "map") {
    const isOn = flag(tree, label, report);
    return isOn === null ? null : isOn ? [{ kind: "module" }] : [];
  }
  const inbox = readFields(tree, label, WATCH, report)?.values.inbox ?? null;
  return inbox === null ? null : inbox ? [{ kind: "inbox" }] : [];
});

const watchedList = list(readWatched, "a list such as [true, { inbox: true }]");

const readWatch: Reader<readonly Watching[]> = reader(
  { anyOf: [...WATCH_SCHEMA.anyOf, watchedList.schema] },
  (tree, label, report) => {
    if (isLater(tree)) {
      const message = `\`${label}\` of files, folders or the journal is not yet supported by this build`;
      report.add("not-yet", tree.place, message, "`watch: true` and `watch: { inbox: true }` are");
      return null;
    }
    if (tree.kind !== "list") return readWatched(tree, label, report);
    const items = watchedList(tree, label, report) ?? [];
    return items.includes(null) ? null : items.flatMap((one) => one ?? []);
  },
);

export const REFLEX = {
  name,
  sense: reference,
  workflow: reference,
  on: readOn,
  interval: duration,
  align: flag,
  jitter: durationOrNone,
  cron: readCron,
  tz: readTz,
  catch_up: oneOf("none", "one"),
  on_start: flag,
  watch: readWatch,
  input: jsonMap,
  when: readPattern,
  clear: readPattern,
  edge: oneOf("level", "rising", "falling"),
  for: durationOrNone,
  count: readCount,
  debounce: readDebounce,
  throttle: durationOrNone,
  key: readKey,
  each: readEach,
  incident: readIncident,
};

export type ReflexFields = Fields<typeof REFLEX>;
export type ReflexKey = keyof typeof REFLEX;
