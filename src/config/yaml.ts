/**
 * One file's text → a `MapTree`: keys are plain words and unique, values are JSON-like, variables are filled in.
 * What breaks a rule is reported and becomes a `broken` value, so that the rest is still checked.
 */
import { isAlias, isMap, isPair, isScalar, isSeq, type Node, type Pair } from "yaml";
import { FORBIDDEN_KEYS } from "../base/json.ts";
import type { Report } from "./report.ts";
import { child, type Entry, formatPlace, found, isEmpty, type MapTree, type Place, shown, type Tree } from "./tree.ts";
import { fillVariables, plainValue, type Variables } from "./variables.ts";
import {
  composeYaml,
  countLines,
  MASK,
  MAX_DEPTH,
  MAX_NODES,
  maskUnquotedVariables,
  placeFinder,
  TOO_DEEP,
  TOO_MANY,
} from "./yaml-guard.ts";

export const MAX_FILE_BYTES = 256 * 1024;

export interface Reading {
  readonly file: string;
  readonly variables: Variables;
  readonly report: Report;
}

/** The text's map; an empty one for a file of nothing but comments; null when the file as a whole was refused. */
export function readYaml(given: string, { file, variables, report }: Reading): MapTree | null {
  const start: Place = { file, line: 1, column: 1 };
  report.announce(file);
  if (given.length > MAX_FILE_BYTES || Buffer.byteLength(given) > MAX_FILE_BYTES) {
    report.add("too-large", start, `the file is larger than ${MAX_FILE_BYTES / 1024} KiB`, "split it with `include`");
    return null;
  }
  const text = given.startsWith("\ufeff") ? given.slice(1) : given;
  const placeOf = placeFinder(file, countLines(text));
  const masked = maskUnquotedVariables(text, placeOf, report);
  const composed = composeYaml(masked, placeOf, report);
  if (!composed) return null;

  const isMasked = (part: string): boolean => masked !== text && part.includes(MASK);
  const placeOfNode = (node: Node | null, fallback: Place): Place => (node?.range ? placeOf(node.range[0]) : fallback);
  let nodes = 0;

  function toTree(node: unknown, label: string, fallback: Place, depth: number): Tree {
    if (++nodes === MAX_NODES + 1) {
      report.add("too-many-values", fallback, TOO_MANY, null);
    }
    if (node === null || node === undefined) {
      return { kind: "scalar", place: fallback, value: null, text: "", written: "", filled: false };
    }
    const place = placeOfNode(node as Node, fallback);
    if (isScalar(node)) return toScalar(node.value, node.source, place);
    if (depth > MAX_DEPTH) {
      report.add("too-deep", place, TOO_DEEP, null);
      return { kind: "broken", place };
    }
    if (nodes > MAX_NODES || isAlias(node)) return { kind: "broken", place };
    if (isSeq(node)) {
      const items = node.items.map((item, index) =>
        // `[a: 1]` is a list of one map, which `yaml` keeps as a bare pair.
        isPair(item)
          ? toMap([item], child(label, index), place, depth + 1)
          : toTree(item, child(label, index), place, depth + 1),
      );
      return { kind: "list", place, items };
    }
    return isMap(node) ? toMap(node.items, label, place, depth) : { kind: "broken", place };
  }

  function toMap(pairs: readonly Pair[], label: string, place: Place, depth: number): Tree {
    const entries = new Map<string, Entry>();
    for (const pair of pairs) {
      const keyPlace = placeOfNode(pair.key as Node | null, place);
      const key = toKey(pair, label, keyPlace);
      const value = toTree(pair.value, key === null ? label : child(label, key), keyPlace, depth + 1);
      if (key === null) continue;
      const first = entries.get(key);
      if (first) reportDuplicate(report, child(label, key), keyPlace, first.keyPlace);
      else entries.set(key, { key, keyPlace, value });
    }
    return { kind: "map", place, entries: [...entries.values()] };
  }

  function toKey(pair: Pair, label: string, place: Place): string | null {
    const { key } = pair;
    const where = label === "" ? "the file" : `\`${label}\``;
    if (!isScalar(key) || key.value === null) {
      report.add("bad-key", place, `a key in ${where} is not a word`, null);
      return null;
    }
    const text = typeof key.value === "string" ? key.value : (key.source ?? String(key.value));
    if (isMasked(text)) return null;
    if (text === "<<" && key.type === "PLAIN") {
      report.add("merge-key", place, "merge keys (`<<`) are not supported", "write the values out");
      return null;
    }
    if (FORBIDDEN_KEYS.has(text)) {
      report.add("forbidden-key", place, `\`${text}\` is not allowed as a key`, "choose another name");
      return null;
    }
    if (/(?<!\$)\$\{/.test(text)) {
      report.add(
        "variable-in-key",
        place,
        `\`${shown(text)}\` is a key, and variables are only filled in in values`,
        null,
      );
      return null;
    }
    return text;
  }

  function toScalar(value: unknown, source: string | undefined, place: Place): Tree {
    if (typeof value !== "string") {
      const known = typeof value === "number" || typeof value === "boolean" ? value : null;
      return { kind: "scalar", place, value: known, text: source ?? "", written: source ?? "", filled: false };
    }
    if (isMasked(value)) return { kind: "broken", place };
    if (!value.includes("${")) return { kind: "scalar", place, value, text: value, written: value, filled: false };
    const { text: result, filled, whole, faults } = fillVariables(value, variables);
    for (const fault of faults) report.add(fault.kind, place, fault.message, fault.hint);
    if (faults.length > 0) return { kind: "broken", place };
    return { kind: "scalar", place, value: whole ? plainValue(result) : result, text: result, written: value, filled };
  }

  const tree = toTree(composed.contents, "", start, 1);
  if (nodes > MAX_NODES) return null;
  if (tree.kind === "map") return tree;
  if (isEmpty(tree)) return { kind: "map", place: start, entries: [] };
  if (tree.kind !== "broken") {
    const message = `the file must be a map of keys such as \`senses\`, found ${found(tree)}`;
    report.add("wrong-type", tree.place, message, null);
  }
  return null;
}

/** Shared with the merge of included files, where the two places lie in two files. */
export function reportDuplicate(report: Report, label: string, place: Place, first: Place): void {
  report.add("duplicate-key", place, `\`${label}\` is given twice, first at ${formatPlace(first)}`, "keep one of them");
}
