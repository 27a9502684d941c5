/**
 * Owns the step from one file's text to a `MapTree`: keys are plain words and unique, values are JSON-like, variables are
 * filled in. A value that breaks a rule is reported and becomes `broken`, so that the rest is still checked.
 */
import { FORBIDDEN_KEYS } from "../base/json.ts";
import type { Secret } from "../base/secrets.ts";
import type { Report } from "./report.ts";
import {
  child,
  type Entry,
  formatPlace,
  found,
  hintOfMissingSpace,
  isEmpty,
  type MapTree,
  type Place,
  shown,
  type Tree,
} from "./tree.ts";
import { fillVariables, plainValue, type Variables } from "./variables.ts";
import type { Composed } from "./yaml-guard.ts";
import { MASK, MAX_DEPTH, MAX_NODES, TOO_DEEP, TOO_MANY, type YamlNode, type YamlPair } from "./yaml-node.ts";
import { readPlainYaml } from "./yaml-plain.ts";

const FEW_PAIRS = 8;
export const MAX_FILE_BYTES = 256 * 1024;

export interface Reading {
  readonly file: string;
  readonly variables: Variables;
  readonly report: Report;
  /** Receives the values that were filled in, each with the text that a message shows instead. */
  readonly secrets: Secret[];
}

/** The map of the text. The map is empty for a file that holds only comments. Null when the whole file was refused. */
export function readYaml(given: string, { file, variables, report, secrets }: Reading): MapTree | null {
  const start: Place = { file, line: 1, column: 1 };
  report.announce(file);
  if (given.length > MAX_FILE_BYTES || Buffer.byteLength(given) > MAX_FILE_BYTES) {
    report.add("too-large", start, `the file is larger than ${MAX_FILE_BYTES / 1024} KiB`, "split it with `include`");
    return null;
  }
  const text = given.startsWith("\ufeff") ? given.slice(1) : given;
  const placeOf = placeFinder(file, text);
  const composed = compose(text, placeOf, report);
  if (!composed) return null;
  const reading = new TreeReading(placeOf, variables, report, secrets, composed.hasMask);
  const tree = reading.tree(composed.contents, "", start, 1);
  if (reading.isTooLarge) return null;
  if (tree.kind === "map") return tree;
  if (isEmpty(tree)) return { kind: "map", place: start, entries: [] };
  if (tree.kind !== "broken") {
    const message = `the file must be a map of keys such as \`senses\`, found ${found(tree)}`;
    report.add("wrong-type", tree.place, message, hintOfMissingSpace(tree) ?? "write keys, as in `senses: { load: }`");
  }
  return null;
}

/** The parser is loaded, which costs a start 10 ms, only for a text that is not plain. */
function compose(text: string, placeOf: (offset: number) => Place, report: Report): Composed | null {
  const plain = readPlainYaml(text);
  if (plain !== null) return { contents: plain, hasMask: false };
  return (require("./yaml-guard.ts") as typeof import("./yaml-guard.ts")).composeYaml(text, placeOf, report);
}

function placeFinder(file: string, text: string): (offset: number) => Place {
  const starts = [0];
  for (let at = text.indexOf("\n"); at !== -1; at = text.indexOf("\n", at + 1)) starts.push(at + 1);
  return (offset) => {
    let [low, high] = [0, starts.length];
    // The last line that begins at `offset` or before.
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if ((starts[middle] as number) <= offset) low = middle;
      else high = middle;
    }
    return { file, line: low + 1, column: offset - (starts[low] as number) + 1 };
  };
}

/** Turns the nodes of one document into a `Tree`. */
class TreeReading {
  readonly #placeOf: (offset: number) => Place;
  readonly #variables: Variables;
  readonly #report: Report;
  readonly #secrets: Secret[];
  /** True when a part of the text is overwritten with `MASK`. */
  readonly #hasMask: boolean;
  #nodes = 0;

  constructor(
    placeOf: (offset: number) => Place,
    variables: Variables,
    report: Report,
    secrets: Secret[],
    hasMask: boolean,
  ) {
    this.#secrets = secrets;
    this.#placeOf = placeOf;
    this.#variables = variables;
    this.#report = report;
    this.#hasMask = hasMask;
  }

  get isTooLarge(): boolean {
    return this.#nodes > MAX_NODES;
  }

  tree(node: YamlNode | null, label: string, fallback: Place, depth: number): Tree {
    if (++this.#nodes === MAX_NODES + 1) this.#report.add("too-many-values", fallback, TOO_MANY, null);
    if (node === null) {
      return { kind: "scalar", place: fallback, value: null, text: "", written: "", filled: false };
    }
    const place = this.#placeOf(node.offset);
    if (node.kind === "scalar") return this.#scalar(node.value, node.source, place);
    if (depth > MAX_DEPTH) {
      this.#report.add("too-deep", place, TOO_DEEP, null);
      return { kind: "broken", place };
    }
    if (this.isTooLarge || node.kind === "alias") return { kind: "broken", place };
    if (node.kind === "map") return this.#map(node.pairs, label, place, depth);
    const items = node.items.map((item, index) =>
      item?.kind === "pair"
        ? this.#map([item], child(label, index), place, depth + 1)
        : this.tree(item, child(label, index), place, depth + 1),
    );
    return { kind: "list", place, items };
  }

  #isMasked(part: string): boolean {
    return this.#hasMask && part.includes(MASK);
  }

  #map(pairs: readonly YamlPair[], label: string, place: Place, depth: number): Tree {
    const entries: Entry[] = [];
    // Few keys are compared with one another sooner than they are put into a map.
    const known = pairs.length > FEW_PAIRS ? new Map<string, Entry>() : null;
    for (const pair of pairs) {
      const keyPlace = pair.key === null ? place : this.#placeOf(pair.key.offset);
      const key = this.#key(pair, label, keyPlace);
      const value = this.tree(pair.value, key === null ? label : child(label, key), keyPlace, depth + 1);
      if (key === null) continue;
      const first = known === null ? entries.find((entry) => entry.key === key) : known.get(key);
      if (first) {
        reportDuplicate(this.#report, child(label, key), keyPlace, first.keyPlace);
        continue;
      }
      const entry = { key, keyPlace, value };
      entries.push(entry);
      known?.set(key, entry);
    }
    return { kind: "map", place, entries };
  }

  #key({ key }: YamlPair, label: string, place: Place): string | null {
    const where = label === "" ? "the file" : `\`${label}\``;
    const refuse = (kind: string, message: string, hint: string | null): null => {
      this.#report.add(kind, place, message, hint);
      return null;
    };
    if (key?.kind !== "scalar" || key.value === null) return refuse("bad-key", `a key in ${where} is not a word`, null);
    const text = typeof key.value === "string" ? key.value : key.source;
    if (this.#isMasked(text)) return null;
    if (text === "<<" && key.isPlain) {
      return refuse("merge-key", "merge keys (`<<`) are not supported", "write the values out");
    }
    if (FORBIDDEN_KEYS.has(text)) {
      return refuse("forbidden-key", `\`${text}\` is not allowed as a key`, "choose another name");
    }
    if (!/(?<!\$)\$\{/.test(text)) return text;
    const message = `\`${shown(text)}\` is a key, and variables are only filled in in values`;
    return refuse("variable-in-key", message, null);
  }

  #scalar(value: unknown, source: string, place: Place): Tree {
    if (typeof value !== "string") {
      const known = typeof value === "number" || typeof value === "boolean" ? value : null;
      return { kind: "scalar", place, value: known, text: source, written: source, filled: false };
    }
    if (this.#isMasked(value)) return { kind: "broken", place };
    if (!value.includes("${")) return { kind: "scalar", place, value, text: value, written: value, filled: false };
    const { text, filled, whole, secrets, faults } = fillVariables(value, this.#variables);
    this.#secrets.push(...secrets);
    for (const fault of faults) this.#report.add(fault.kind, place, fault.message, fault.hint);
    if (faults.length > 0) return { kind: "broken", place };
    return { kind: "scalar", place, value: whole ? plainValue(text) : text, text, written: value, filled };
  }
}

/** The merge of included files uses this too: the two places then lie in two files. */
export function reportDuplicate(report: Report, label: string, place: Place, first: Place): void {
  report.add("duplicate-key", place, `\`${label}\` is given twice, first at ${formatPlace(first)}`, "keep one of them");
}
