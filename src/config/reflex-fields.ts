/** Owns the keys of a reflex, and the reader of each key. */
import { isRemote, isRemotePattern, REMOTE_SCHEMA } from "../model/full-name.ts";
import { readCron } from "./cron.ts";
import { type Fields, flag, jsonMap, list, name, oneOf, type Reader, reader } from "./fields.ts";
import { REMOTE } from "./fleet.ts";
import { readIncident } from "./incident.ts";
import { duration, durationOrNone } from "./quantities.ts";
import { type Reference, reference } from "./reference.ts";
import { readCount, readDebounce, readEach, readKey, readPattern } from "./reflex-words.ts";
import { found } from "./tree.ts";
import { readWatch } from "./watching.ts";

/** The name of a sense of this host, or `HOST/SENSE`. */
const listened: Reader<Reference> = reader({ anyOf: [reference.schema, REMOTE_SCHEMA] }, (tree, label, report) => {
  const read = reference(tree, label, report);
  if (read === null || !isRemote(read.name) || isRemotePattern(read.name)) return read;
  report.expected("bad-name", tree, label, `the name of a sense, or ${REMOTE}`, null);
  return null;
});

const references = list(listened, "a list of senses such as [cpu-usage]");

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
  deliver: flag,
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
