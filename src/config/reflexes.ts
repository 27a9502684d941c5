/**
 * Owns the section `reflexes`: keys, types, and the words that go together. The names in a reflex are kept with their places for
 * `references.ts`, since senses and workflows may stand further down or in another file.
 */
import type { Json } from "../base/json.ts";
import { nearest } from "../base/nearest.ts";
import type { ReflexConfig, SenseReflexConfig, WorkflowReflexConfig } from "../model/config.ts";
import { list, type Reader, reader, readFields, schemaOf } from "./fields.ts";
import type { WrittenIncident } from "./incident.ts";
import type { Reference } from "./reference.ts";
import { REFLEX, type ReflexFields, type ReflexKey } from "./reflex-fields.ts";
import type { Report } from "./report.ts";
import { child, isEmpty, type Place, type Tree } from "./tree.ts";
import { checkWords } from "./word-rules.ts";

export interface WrittenPattern {
  readonly word: "when" | "clear";
  readonly label: string;
  readonly tree: Tree;
  readonly definition: Json;
}

/** A reflex as written. The target and the senses in `on` may not exist. */
export interface WrittenReflex {
  /** The patterns `when` and `clear`. Null inside a definition stands for an end that is no text. */
  readonly patterns: readonly WrittenPattern[];
  readonly place: Place;
  readonly label: string;
  readonly name: Reference | null;
  readonly target: Reference;
  readonly on: readonly Reference[];
  readonly incident: WrittenIncident | null;
  readonly config: ReflexConfig;
}

const TIMED = ["interval", "cron", "on_start"] as const satisfies readonly ReflexKey[];
/** True for a workflow reflex. A reflex with neither target or with both is reported once, and counts as no workflow reflex. */
const startsWorkflow = (fields: ReflexFields): boolean =>
  fields.placeOf("workflow") !== null && fields.placeOf("sense") === null;

/** True when one of these keys is present under a misspelt name. The misspelt name has been reported. */
const hasMisspelt = (tree: Tree, keys: readonly ReflexKey[]): boolean =>
  tree.kind === "map" &&
  tree.entries.some(({ key }) => {
    const meant = Object.hasOwn(REFLEX, key) ? null : nearest(key, Object.keys(REFLEX));
    return keys.some((one) => one === meant);
  });

function checkTarget(fields: ReflexFields, tree: Tree, label: string, report: Report): void {
  const isWorkflow = fields.placeOf("workflow") !== null;
  const isSense = fields.placeOf("sense") !== null;
  if (isWorkflow && isSense) {
    report.add("conflict", tree.place, `\`${label}\` names both a sense and a workflow`, "make it two reflexes");
  } else if (!isWorkflow && !isSense && !hasMisspelt(tree, ["sense", "workflow"])) {
    const message = `\`${label}\` says neither which sense to run nor which workflow to start`;
    report.add("missing-key", tree.place, message, "add `sense: NAME` or `workflow: NAME`");
  }
  checkInput(fields, label, report);
  checkWatch(fields, label, report);
  if (!startsWorkflow(fields) || fields.placeOf("on") === null) return;
  for (const key of TIMED) {
    const place = fields.placeOf(key);
    const message = `\`${label}.${key}\` does not go with \`on\` in a workflow reflex`;
    if (place) report.add("conflict", place, message, "make it two reflexes: one with `on`, one with the times");
  }
}

/** `input` is allowed only where the clock starts a workflow: a run for a signal gets the payload, and a sense has options. */
function checkInput(fields: ReflexFields, label: string, report: Report): void {
  const place = fields.placeOf("input");
  if (place === null) return;
  const refuse = (why: string, hint: string): void => report.add("conflict", place, `\`${label}.input\` ${why}`, hint);
  if (!startsWorkflow(fields)) {
    if (fields.placeOf("sense") !== null)
      refuse("is not allowed in a sense reflex", "options of a sense stand under `with`");
  } else if (fields.placeOf("on") !== null) {
    refuse("does not go with `on`", "remove it: the payload of the signal is the input of the run");
  }
}

/** What a sense watches wakes the sense; a workflow looks at the signal that follows. */
function checkWatch(fields: ReflexFields, label: string, report: Report): void {
  const place = fields.placeOf("watch");
  if (place === null || !startsWorkflow(fields)) return;
  const hint = "put it into a reflex of the sense, and start the workflow with `on` that sense";
  report.add("conflict", place, `\`${label}.watch\` is not allowed in a workflow reflex`, hint);
}

function checkTrigger(fields: ReflexFields, tree: Tree, label: string, report: Report): void {
  const { values } = fields;
  const flags = ["on_start", "watch"] as const;
  const isWatched = (values.watch?.length ?? 0) > 0;
  const isTriggered = fields.firstOf(["on", "interval", "cron"]) !== null || values.on_start === true || isWatched;
  const isBad = flags.some((flag) => fields.placeOf(flag) !== null && values[flag] === null);
  if (isTriggered || isBad || hasMisspelt(tree, ["on", "watch", ...TIMED])) return;
  const hint = "add `interval`, `cron`, `on_start: true` or `on`";
  report.add("missing-trigger", tree.place, `\`${label}\` has no trigger`, hint);
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

  checkTarget(fields, tree, label, report);
  checkTrigger(fields, tree, label, report);
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
  const { incident } = values;
  return { place: tree.place, label, name: named, target, on: values.on ?? [], incident, config, patterns };
}

/** The `name` of a reflex without a name is filled in once all reflexes are known. */
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
    host: null,
    each: values.each,
  };
  const clock = {
    intervalMs: values.interval,
    align: values.align,
    jitterMs: values.jitter,
    cron: values.cron,
    tz: values.tz,
    catchUp: values.catch_up,
    onStart: values.on_start,
  };
  if (isWorkflow) {
    const incident = values.incident?.config ?? null;
    return {
      kind: "workflow",
      workflow: values.workflow?.name ?? "",
      ...words,
      ...clock,
      input: values.input,
      incident,
    };
  }
  return {
    kind: "sense",
    sense: values.sense?.name ?? "",
    ...words,
    ...clock,
    watch: values.watch?.length ? values.watch : null,
    deliver: values.deliver === true ? true : null,
  };
}

const REFLEXES = list(reader(schemaOf(REFLEX), readReflex), "a list of reflexes");

/** Reflexes in the order of the file. Reflexes without a usable target are reported and left out. */
export const readReflexes: Reader<readonly WrittenReflex[]> = reader(
  { ...REFLEXES.schema, type: ["array", "null"] },
  (tree, label, report) => {
    if (isEmpty(tree)) return [];
    const items = REFLEXES(tree, label, report);
    return items === null ? null : nameReflexes(items.filter((item) => item !== null));
  },
);

/** An unnamed reflex is `TARGET#N`, the Nth reflex of this target. No given name holds a `#`, so the names never collide. */
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
