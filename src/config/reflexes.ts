/**
 * The section `reflexes`: keys, types, and which words go together. Names it refers to are kept with their places for
 * `references.ts`, since senses and workflows may stand further down or in another file.
 */
import type { Json } from "../base/json.ts";
import { FORBIDDEN_KEYS } from "../base/json.ts";
import type { ReflexConfig, SenseReflexConfig, WorkflowReflexConfig } from "../model/config.ts";
import { readCron } from "./cron.ts";
import {
  duration,
  durationOrNone,
  type Fields,
  flag,
  integer,
  list,
  name,
  oneOf,
  type Reader,
  readFields,
  text,
} from "./fields.ts";
import type { Report } from "./report.ts";
import { child, found, isEmpty, type Place, type Tree } from "./tree.ts";

/** A name that stands for something defined elsewhere. */
export interface Reference {
  readonly name: string;
  readonly label: string;
  readonly tree: Tree;
}

export interface WrittenPattern {
  readonly word: "when" | "clear";
  readonly label: string;
  readonly tree: Tree;
  readonly definition: Json;
}

/** A reflex as written. `target` and what `on` lists may not exist. */
export interface WrittenReflex {
  /** Its `when` and `clear`; null in a definition stands for what is no text. */
  readonly patterns: readonly WrittenPattern[];
  readonly place: Place;
  readonly label: string;
  readonly name: Reference | null;
  readonly target: Reference;
  readonly on: readonly Reference[];
  readonly config: ReflexConfig;
}

const reference: Reader<Reference> = (tree, label, report) => {
  const value = text("a name")(tree, label, report);
  return value === null ? null : { name: value, label, tree };
};

const readOn: Reader<readonly Reference[]> = (tree, label, report) => {
  const items = list(reference, "a list of senses such as [cpu-usage]")(tree, label, report);
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
};

/** A pattern is text at its ends: an ArkType definition has no other literals. Whether the text is one is checked elsewhere. */
const readPattern: Reader<Json> = (tree, label, report) => {
  for (const { tree: end, label: path } of endsOf(tree, label)) {
    if (textOf(end) !== null) continue;
    const isLiteral = end.kind === "scalar" && end.value !== null && end.value !== "" && !end.filled;
    const hint = isLiteral ? `quote it: "${end.written}"` : null;
    report.expected("bad-pattern", end, path, 'text such as "\'critical\'" or "number > 5"', hint);
  }
  return definitionOf(tree);
};

/** Null where there is no text: that has been reported, and leaves the rest to be looked at. */
export const textOf = (tree: Tree): string | null =>
  tree.kind === "scalar" && typeof tree.value === "string" && tree.value !== "" ? tree.value : null;

function definitionOf(tree: Tree): Json {
  if (tree.kind === "list") return tree.items.map(definitionOf);
  if (tree.kind !== "map") return textOf(tree);
  return Object.fromEntries(tree.entries.map(({ key, value }) => [key, definitionOf(value)]));
}

function* endsOf(tree: Tree, label: string): Generator<{ readonly tree: Tree; readonly label: string }> {
  if (tree.kind === "map") for (const { key, value } of tree.entries) yield* endsOf(value, child(label, key));
  else if (tree.kind === "list")
    for (const [index, item] of tree.items.entries()) yield* endsOf(item, child(label, index));
  else yield { tree, label };
}

const readTz: Reader<string> = (tree, label, report) => {
  try {
    if (tree.kind === "scalar" && typeof tree.value === "string" && tree.value !== "") {
      new Intl.DateTimeFormat("en", { timeZone: tree.value });
      Bun.cron.parse("@hourly", 0, { tz: tree.value });
      return tree.value;
    }
  } catch {
    // An unknown zone is the RangeError this is here to find.
  }
  report.expected("bad-tz", tree, label, "a time zone such as Europe/Berlin", null);
  return null;
};

const readKeyPath: Reader<string> = (tree, label, report) => {
  const what = "a dotted payload path such as host.name";
  const value = text(what)(tree, label, report);
  if (value === null) return null;
  const parts = value.split(".");
  const isForbidden = parts.some((part) => FORBIDDEN_KEYS.has(part));
  if (!isForbidden && !parts.includes("")) return value;
  const without = isForbidden ? ` without ${[...FORBIDDEN_KEYS].map((key) => `\`${key}\``).join(", ")} in it` : "";
  report.expected("bad-value", tree, label, `${what}${without}`, null);
  return null;
};

/** The times of so many signals are kept with every one that is counted. */
const MAX_COUNT = 1_000;

const readCount: Reader<{ n: number; withinMs: number }> = (tree, label, report) => {
  const fields = readFields(tree, label, { n: integer(1, MAX_COUNT), within: duration }, report);
  if (!fields) return null;
  requireKeys(fields, tree, label, ["n", "within"], report);
  const { n, within } = fields.values;
  return n === null || within === null ? null : { n, withinMs: within };
};

const readDebounce: Reader<{ waitMs: number; maxMs: number | null }> = (tree, label, report) => {
  const fields = readFields(tree, label, { wait: duration, max: duration }, report);
  if (!fields) return null;
  requireKeys(fields, tree, label, ["wait"], report);
  const { wait, max } = fields.values;
  const [waitTree, maxTree] = [fields.treeOf("wait"), fields.treeOf("max")];
  if (waitTree && maxTree && wait !== null && max !== null && max <= wait) {
    report.expected("conflict", maxTree, child(label, "max"), `longer than \`wait\` (${found(waitTree)})`, null);
  }
  return wait === null ? null : { waitMs: wait, maxMs: max };
};

const requireKeys = <K extends string>(
  fields: { placeOf: (key: K) => Place | null },
  tree: Tree,
  label: string,
  keys: readonly K[],
  report: Report,
): void => {
  for (const key of keys) {
    if (fields.placeOf(key) === null) report.add("missing-key", tree.place, `\`${label}.${key}\` is missing`, null);
  }
};

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
  when: readPattern,
  clear: readPattern,
  edge: oneOf("level", "rising", "falling"),
  for: durationOrNone,
  count: readCount,
  debounce: readDebounce,
  throttle: durationOrNone,
  key: readKeyPath,
};

type ReflexFields = Fields<typeof REFLEX>;
type ReflexKey = keyof typeof REFLEX;

const TIMED = ["interval", "cron", "on_start"] as const satisfies readonly ReflexKey[];
/** 0 says that there is none. */
const NONE_BY_ZERO: ReadonlySet<ReflexKey> = new Set(["for", "throttle", "jitter"]);
const WORDS = ["when", "clear", "edge", "for", "count", "debounce", "throttle", "key"] as const;

/** `key` is in the way of something; each rule is one line of the contract. */
function checkWords(fields: ReflexFields, label: string, report: Report): void {
  const { values } = fields;
  const conflict = (key: ReflexKey, message: string, hint: string): void => {
    const place = fields.placeOf(key);
    // `for: 0` is as if it were not there; what could not be read has been reported.
    if (place && !(NONE_BY_ZERO.has(key) && values[key] === null))
      report.add("conflict", place, `\`${label}.${key}\` ${message}`, hint);
  };
  const needs = (key: ReflexKey, needed: readonly ReflexKey[]): void => {
    if (fields.firstOf(needed)) return;
    const either = needed.map((one) => `\`${one}\``).join(" or ");
    conflict(key, `has no meaning without ${either}`, `add ${either} or remove it`);
  };
  // In a workflow reflex these are refused whatever stands beside them.
  if (fields.placeOf("workflow") === null) {
    needs("align", ["interval"]);
    needs("jitter", ["interval"]);
    needs("tz", ["cron"]);
    needs("catch_up", ["interval", "cron"]);
  }
  if (fields.placeOf("on") === null) for (const word of WORDS) needs(word, ["on"]);
  else for (const word of ["clear", "edge", "for"] as const) needs(word, ["when"]);
  if (values.for !== null && values.edge === "level") {
    conflict("for", "has no meaning with `edge: level`", "write `edge: rising` or remove `edge`");
  }
  if (values.for !== null) conflict("count", "cannot be used with `for`", "keep one of them");
}

function readReflex(tree: Tree, label: string, report: Report): WrittenReflex | null {
  if (isEmpty(tree)) {
    report.expected("wrong-type", tree, label, "a map such as { sense: cpu-usage, interval: 1s }", null);
    return null;
  }
  const fields = readFields(tree, label, REFLEX, report);
  if (!fields) return null;
  const { values } = fields;
  checkWords(fields, label, report);

  const isWorkflow = fields.placeOf("workflow") !== null;
  const isSense = fields.placeOf("sense") !== null;
  if (isWorkflow && isSense) {
    report.add("conflict", tree.place, `\`${label}\` names both a sense and a workflow`, "make it two reflexes");
  } else if (!isWorkflow && !isSense) {
    const hint = "add `sense: NAME` or `workflow: NAME`";
    report.add(
      "missing-key",
      tree.place,
      `\`${label}\` says neither which sense to run nor which workflow to start`,
      hint,
    );
  }
  if (isWorkflow && !isSense) {
    for (const key of [...TIMED, "align", "jitter", "tz", "catch_up"] as const) {
      const place = fields.placeOf(key);
      const hint = "workflows start on signals: use `on`, or run a sense at that time";
      if (place) report.add("conflict", place, `\`${label}.${key}\` is not allowed in a workflow reflex`, hint);
    }
  }
  const isTriggered = fields.firstOf(["on", "interval", "cron"]) !== null || values.on_start === true;
  const isBad = fields.placeOf("on_start") !== null && values.on_start === null;
  if (!isTriggered && !isBad) {
    const hint = isWorkflow && !isSense ? "add `on: [SENSE]`" : "add `interval`, `cron`, `on_start: true` or `on`";
    report.add("missing-trigger", tree.place, `\`${label}\` has no trigger`, hint);
  }

  const target = values.sense ?? values.workflow;
  if (target === null) return null;
  const config = toConfig(values, values.sense === null);
  const nameTree = fields.treeOf("name");
  const named =
    nameTree === null || values.name === null
      ? null
      : { name: values.name, label: child(label, "name"), tree: nameTree };
  const patterns = (["when", "clear"] as const).flatMap((word) => {
    const definition = values[word];
    const written = fields.treeOf(word);
    return definition === null || !written ? [] : [{ word, label: child(label, word), tree: written, definition }];
  });
  return { place: tree.place, label, name: named, target, on: values.on ?? [], config, patterns };
}

/** `name` is filled in for unnamed reflexes once all are known. */
function toConfig(values: ReflexFields["values"], isWorkflow: boolean): SenseReflexConfig | WorkflowReflexConfig {
  const words = {
    name: values.name ?? "",
    on: (values.on ?? []).map((sense) => sense.name),
    when: values.when,
    clear: values.clear,
    edge: values.edge,
    forMs: values.for,
    count: values.count,
    debounce: values.debounce,
    throttleMs: values.throttle,
    key: values.key,
  };
  if (isWorkflow) return { kind: "workflow", workflow: values.workflow?.name ?? "", ...words };
  return {
    kind: "sense",
    sense: values.sense?.name ?? "",
    ...words,
    intervalMs: values.interval,
    align: values.align,
    jitterMs: values.jitter,
    cron: values.cron,
    tz: values.tz,
    catchUp: values.catch_up,
    onStart: values.on_start,
  };
}

/** Reflexes in file order; those without a usable target are reported and left out. */
export const readReflexes: Reader<readonly WrittenReflex[]> = (tree, label, report) => {
  if (isEmpty(tree)) return [];
  const items = list(readReflex, "a list of reflexes")(tree, label, report);
  return items === null ? null : nameReflexes(items.filter((item) => item !== null));
};

/** An unnamed one is `TARGET#N`, the Nth of that target; `#` is in no given name, so the two never meet. */
function nameReflexes(reflexes: readonly WrittenReflex[]): WrittenReflex[] {
  const counts = new Map<string, number>();
  return reflexes.map((reflex) => {
    const target = reflex.target.name;
    const count = (counts.get(target) ?? 0) + 1;
    counts.set(target, count);
    if (reflex.name !== null) return reflex;
    return { ...reflex, config: { ...reflex.config, name: `${target}#${count}` } };
  });
}
