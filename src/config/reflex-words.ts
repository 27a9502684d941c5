/** Owns the reading of a reflex's words in nerve.yaml: patterns, keys, `each`, `count`, `debounce`. */
import { FORBIDDEN_KEYS, type Json } from "../base/json.ts";
import { nearest } from "../base/nearest.ts";
import { BY_HOST, BY_SENSE, type KeyWord, ONE_STATE } from "../rules/key.ts";
import { integer, list, type Reader, reader, readFields, readText, schemaOf } from "./fields.ts";
import { duration } from "./quantities.ts";
import type { Report } from "./report.ts";
import { child, found, type Place, type Tree } from "./tree.ts";

/** Each end of a pattern is text: an ArkType definition has no other literals. `patterns.ts` checks the text. */
export const readPattern: Reader<Json> = reader({ type: ["string", "object", "array"] }, (tree, label, report) => {
  for (const { tree: end, label: path } of endsOf(tree, label)) {
    if (textOf(end) !== null) continue;
    const isLiteral = end.kind === "scalar" && end.value !== null && end.value !== "" && !end.filled;
    const hint = isLiteral ? `quote it: "${end.written}"` : null;
    report.expected("bad-pattern", end, path, 'text such as "\'critical\'" or "number > 5"', hint);
  }
  return definitionOf(tree);
});

/** Null where there is no text. `readPattern` has reported this, and the rest of the pattern is still checked. */
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

const PATH = "a dotted payload path such as host.name";

const readPath: Reader<string> = reader({ type: "string", minLength: 1 }, (tree, label, report) => {
  const what = PATH;
  const value = readText(what, tree, label, report);
  if (value === null) return null;
  const parts = value.split(".");
  const isForbidden = parts.some((part) => FORBIDDEN_KEYS.has(part));
  if (!isForbidden && !parts.includes("")) return value;
  const without = isForbidden ? ` without ${[...FORBIDDEN_KEYS].map((key) => `\`${key}\``).join(", ")} in it` : "";
  report.expected("bad-value", tree, label, `${what}${without}`, null);
  return null;
});

export const readEach: Reader<string> = reader(readPath.schema, (tree, label, report) => {
  const path = readPath(tree, label, report);
  if (path === null || !path.startsWith("$")) return path;
  report.expected("bad-value", tree, label, "a dotted path to a list of the payload, such as disks", null);
  return null;
});

const BATCH_BY = "`reflex`, `severity`, or a dotted payload path such as host.name";

/** `by` of a workflow's `batch`. */
export const readBatchBy: Reader<string> = reader(readPath.schema, (tree, label, report) => {
  const path = readPath(tree, label, report);
  if (path === null || !path.startsWith("$")) return path;
  report.expected("bad-value", tree, label, BATCH_BY, null);
  return null;
});

/** A person cannot tell more paths apart. */
const MAX_PARTS = 8;

const KEY =
  "a dotted payload path such as host.name, `$sense`, `$host`, `$one`, or a list of paths, `$sense` and `$host`";
const KNOWN: readonly string[] = [BY_SENSE, BY_HOST, ONE_STATE];

/** A part that begins with `$` and is not known is nearly always a typing mistake. */
const readKeyPart: Reader<string> = reader(readPath.schema, (tree, label, report) => {
  const path = readPath(tree, label, report);
  if (path === null || !path.startsWith("$") || KNOWN.includes(path)) return path;
  const meant = tree.kind === "scalar" && !tree.filled ? nearest(path, KNOWN) : null;
  if (meant === null) return path;
  report.expected("bad-value", tree, label, KEY, `did you mean \`${meant}\`?`);
  return null;
});

const KEY_PARTS = list(readKeyPart, KEY);
const KEY_LIST = { ...KEY_PARTS.schema, minItems: 1, maxItems: MAX_PARTS };

export const readKey: Reader<KeyWord> = reader({ anyOf: [readKeyPart.schema, KEY_LIST] }, (tree, label, report) => {
  if (tree.kind !== "list") return readKeyPart(tree, label, report);
  const parts = KEY_PARTS(tree, label, report) ?? [];
  if (parts.length === 0) report.expected("bad-value", tree, label, "a list of at least one path", null);
  if (parts.length > MAX_PARTS) {
    report.expected("bad-value", tree, label, `a list of at most ${MAX_PARTS} paths`, null);
  }
  for (const [index, part] of parts.entries()) {
    const item = tree.items[index];
    if (item === undefined || part === null) continue;
    const at = child(label, index);
    if (part === ONE_STATE) {
      report.add(
        "conflict",
        item.place,
        `\`${at}\` is \`${ONE_STATE}\`, which stands alone`,
        `write \`key: ${ONE_STATE}\``,
      );
    } else if (parts.indexOf(part) < index) {
      report.add("bad-value", item.place, `\`${at}\` is ${found(item)}, which is listed already`, "remove it");
    }
  }
  return parts.every((part) => part !== null) ? parts : null;
});

/** The state of a key holds the times of up to this number of counted signals. */
const MAX_COUNT = 1_000;

const COUNT = { n: integer(1, MAX_COUNT), within: duration };
const COUNT_SCHEMA = { ...schemaOf(COUNT), required: ["n", "within"] };

export const readCount: Reader<{ n: number; withinMs: number }> = reader(COUNT_SCHEMA, (tree, label, report) => {
  const fields = readFields(tree, label, COUNT, report);
  if (!fields) return null;
  requireKeys(fields, tree, label, ["n", "within"], report);
  const { n, within } = fields.values;
  return n === null || within === null ? null : { n, withinMs: within };
});

const DEBOUNCE = { wait: duration, max: duration };
const DEBOUNCE_SCHEMA = { ...schemaOf(DEBOUNCE), required: ["wait"] };

type Debounce = { waitMs: number; maxMs: number | null };

export const readDebounce: Reader<Debounce> = reader(DEBOUNCE_SCHEMA, (tree, label, report) => {
  const fields = readFields(tree, label, DEBOUNCE, report);
  if (!fields) return null;
  requireKeys(fields, tree, label, ["wait"], report);
  const { wait, max } = fields.values;
  const [waitTree, maxTree] = [fields.treeOf("wait"), fields.treeOf("max")];
  if (waitTree && maxTree && wait !== null && max !== null && max <= wait) {
    report.expected("conflict", maxTree, child(label, "max"), `longer than \`wait\` (${found(waitTree)})`, null);
  }
  return wait === null ? null : { waitMs: wait, maxMs: max };
});

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
