/**
 * Owns the reading of typed values out of a tree. A `Reader` returns the value, or null after it has reported the
 * problem. `readFields` reads a map by a table of readers. The known keys, their types and the suggestion for a mistyped
 * key come from this one table.
 */
import { type Json, type JsonObject, toJson } from "../base/json.ts";
import { choiceSchema, type JsonSchema, mapSchema, rangeSchema } from "../base/json-schema.ts";
import { meantOr, nearest } from "../base/nearest.ts";
import { isName, NAME_SCHEMA } from "../model/name.ts";
import type { Report } from "./report.ts";
import {
  child,
  type Entry,
  found,
  hintOfMissingSpace,
  isBroken,
  isEmpty,
  type Place,
  shown,
  type Tree,
} from "./tree.ts";

type Read<T> = (tree: Tree, label: string, report: Report) => T | null;

/** Reads a value, and carries the schema of the values that may stand there. */
export type Reader<T> = Read<T> & { readonly schema: JsonSchema };

export const reader = <T>(schema: JsonSchema, read: Read<T>): Reader<T> => Object.assign(read, { schema });

export type Shape = Readonly<Record<string, Reader<unknown>>>;

/** A key of a section: the reader of its value, and its line in docs/config.md. */
export interface Key<T> {
  readonly read: Reader<T>;
  /** The value that applies where the key is absent, as Markdown. */
  readonly default: string;
  readonly doc: string;
}

export type Keys = Readonly<Record<string, Key<unknown>>>;

export const key = <T>(read: Reader<T>, fallback: string, doc: string): Key<T> => ({ read, default: fallback, doc });

/** The shape that the keys of a section make. An editor shows the same text for a key as the docs. */
export const shapeOf = <K extends Keys>(keys: K) =>
  Object.fromEntries(
    Object.entries(keys).map(([name, { read, doc, default: fallback }]) => {
      const schema = { ...read.schema, description: `${doc} (default: ${fallback})` };
      return [name, reader<unknown>(schema, (...place) => read(...place))];
    }),
  ) as {
    readonly [N in keyof K]: K[N]["read"];
  };

export const schemaOf = (shape: Shape): JsonSchema =>
  mapSchema(Object.fromEntries(Object.entries(shape).map(([name, { schema }]) => [name, schema])));

export interface Fields<S extends Shape> {
  readonly values: { readonly [K in keyof S]: S[K] extends Reader<infer T> ? T | null : never };
  /** The place of a key, or null when the key is absent. */
  readonly placeOf: (key: keyof S & string) => Place | null;
  /** The tree under a key, or null when the key is absent. */
  readonly treeOf: (key: keyof S & string) => Tree | null;
  /** The first of these keys that is present, or null. */
  readonly firstOf: (keys: readonly (keyof S & string)[]) => { readonly key: string; readonly place: Place } | null;
}

/** The remedy for a key that belongs elsewhere, or null. */
type Elsewhere = (key: string) => string | null;

/** Returns null when `tree` is no map. An empty value is a map without keys: `cpu-usage:` is a sense with defaults. */
export function readFields<S extends Shape>(
  tree: Tree,
  label: string,
  shape: S,
  report: Report,
  elsewhere: Elsewhere = () => null,
): Fields<S> | null {
  const absent = absentOf(shape);
  const keys = absent.keys;
  const entries = entriesOf(tree, label, report, keys.length > FEW_KEYS ? null : keys);
  if (entries === null) return null;
  const values: Record<string, unknown> = { ...absent.values };
  for (const entry of entries) {
    const { key, keyPlace, value } = entry;
    const path = child(label, key);
    const read = Object.hasOwn(shape, key) ? shape[key] : undefined;
    if (read === undefined) {
      const hint = elsewhere(key) ?? meantOr(key, keys, `valid here: ${keys.join(", ")}`);
      report.add("unknown-key", keyPlace, `\`${path}\` is not a known key`, hint);
    } else {
      values[key] = read(value, path, report);
    }
  }
  // A map has few keys, and each of them once.
  const find = (wanted: string): Entry | undefined => entries.find(({ key }) => key === wanted);
  return {
    values: values as Fields<S>["values"],
    placeOf: (key) => find(key)?.keyPlace ?? null,
    treeOf: (key) => find(key)?.value ?? null,
    firstOf: (wanted) => {
      for (const key of wanted) {
        const place = find(key)?.keyPlace;
        if (place) return { key, place };
      }
      return null;
    },
  };
}

interface Absent {
  readonly keys: readonly string[];
  /** Null for every key. */
  readonly values: Readonly<Record<string, null>>;
}

const ABSENT = new WeakMap<Shape, Absent>();

function absentOf(shape: Shape): Absent {
  const known = ABSENT.get(shape);
  if (known !== undefined) return known;
  const keys = Object.keys(shape);
  const absent = { keys, values: Object.fromEntries(keys.map((key) => [key, null])) };
  ABSENT.set(shape, absent);
  return absent;
}

/** A remedy lists all keys of a map up to this number. */
const FEW_KEYS = 4;

function entriesOf(tree: Tree, label: string, report: Report, keys: readonly string[] | null): readonly Entry[] | null {
  if (tree.kind === "map") return tree.entries;
  if (isEmpty(tree)) return [];
  const hint = keys === null ? hintOfNames(tree, label) : hintOfKeys(tree, label, keys);
  report.expected("wrong-type", tree, label, "a map", hintOfMissingSpace(tree) ?? hint);
  return null;
}

/** A number alone is most likely meant for the first key. */
function hintOfKeys(tree: Tree, label: string, keys: readonly string[]): string {
  const listed = `its keys are ${keys.join(", ")}`;
  if (tree.kind !== "scalar" || tree.filled || typeof tree.value !== "number") return listed;
  return `write \`${label.split(".").at(-1)}: { ${keys[0]}: ${shown(tree.written)}, … }\`; ${listed}`;
}

/** A list stands where a map is wanted: each entry needs a name. */
const hintOfNames = (tree: Tree, label: string): string | null =>
  tree.kind === "list" ? `give each a name: \`${label}: { NAME: { … } }\`` : null;

const NAME_RULE = "a name (at most 63 of a-z, 0-9 and -, and no - at its beginning)";

/** Reads a map whose keys are names; `read` also gets the name. The value of an entry that `read` refused is null. */
export function named<T>(
  schema: JsonSchema,
  read: (name: string, tree: Tree, label: string, report: Report) => T | null,
): Reader<Map<string, { readonly value: T | null }>> {
  const map = { type: ["object", "null"], propertyNames: NAME_SCHEMA, additionalProperties: schema };
  return reader(map, (tree, label, report) => {
    const entries = entriesOf(tree, label, report, null);
    if (entries === null) return null;
    const result = new Map<string, { readonly value: T | null }>();
    for (const { key, keyPlace, value } of entries) {
      if (!isName(key)) {
        const meant = key.toLowerCase().replace(/[\s_.]/g, "-");
        const hint = isName(meant) ? `write \`${meant}\`` : null;
        const message = `\`${child(label, key)}\` must be ${NAME_RULE}, found "${shown(key)}"`;
        report.add("bad-name", keyPlace, message, hint);
      }
      result.set(key, { value: read(key, value, child(label, key), report) });
    }
    return result;
  });
}

/** The result holds null for each item that `read` refused. */
export function list<T>(read: Reader<T>, what: string): Reader<readonly (T | null)[]> {
  return reader({ type: "array", items: read.schema }, (tree, label, report) => {
    if (tree.kind === "list") return tree.items.map((item, index) => read(item, child(label, index), report));
    report.expected("wrong-type", tree, label, what, hintOfNoList(tree));
    return null;
  });
}

function hintOfNoList(tree: Tree): string | null {
  if (tree.kind === "map") return "begin each item of the list with `- `";
  if (tree.kind !== "scalar" || isEmpty(tree)) return null;
  return `put it in brackets: [${shown(tree.written)}]`;
}

/** Text as it stands in the file. The value of a variable counts as text even where YAML reads a number. */
export const text = (what: string): Reader<string> =>
  reader({ type: "string", minLength: 1 }, (tree, label, report) => readText(what, tree, label, report));

/** What `text` reads, for a reader that has more to ask of it. */
export function readText(what: string, tree: Tree, label: string, report: Report): string | null {
  if (tree.kind === "scalar" && tree.text !== "" && (typeof tree.value === "string" || tree.filled)) return tree.text;
  const isNumber = tree.kind === "scalar" && !tree.filled && tree.value !== null && tree.value !== "";
  report.expected("wrong-type", tree, label, what, isNumber ? `quote it: "${shown(tree.written)}"` : null);
  return null;
}

export const name: Reader<string> = reader(NAME_SCHEMA, (tree, label, report) => {
  const value = readText(NAME_RULE, tree, label, report);
  if (value === null || isName(value)) return value;
  report.expected("bad-name", tree, label, NAME_RULE, null);
  return null;
});

/** Words that YAML 1.1 and people take for true and false. */
const SWITCHED_ON = /^(yes|on|y|1|true)$/i;
const SWITCHED_OFF = /^(no|off|n|0|false)$/i;

export const flag: Reader<boolean> = reader({ type: "boolean" }, (tree, label, report) => {
  if (tree.kind === "scalar" && typeof tree.value === "boolean") return tree.value;
  const given = tree.kind === "scalar" && !tree.filled ? tree.text : "";
  const meant = SWITCHED_ON.test(given) ? "write `true`" : SWITCHED_OFF.test(given) ? "write `false`" : null;
  report.expected("wrong-type", tree, label, "true or false", meant);
  return null;
});

export function oneOf<const T extends string>(...choices: readonly T[]): Reader<T> {
  const what = `${choices.slice(0, -1).join(", ")} or ${choices.at(-1)}`;
  return reader(choiceSchema(choices), (tree, label, report) => {
    const value = tree.kind === "scalar" ? tree.text : null;
    const choice = choices.find((known) => known === value);
    if (choice !== undefined) return choice;
    const meant = tree.kind === "scalar" && !tree.filled ? nearest(tree.text, choices) : null;
    report.expected("bad-value", tree, label, what, meant === null ? null : `did you mean \`${meant}\`?`);
    return null;
  });
}

export const integer = (least: number, most: number = Number.MAX_SAFE_INTEGER): Reader<number> =>
  reader(rangeSchema("integer", least, most), (tree, label, report) => {
    const value = tree.kind === "scalar" ? tree.value : null;
    const isWhole = typeof value === "number" && Number.isSafeInteger(value);
    if (isWhole && value >= least && value <= most) return value;
    const limits = most === Number.MAX_SAFE_INTEGER ? `at least ${least}` : `from ${least} to ${most}`;
    report.expected("bad-number", tree, label, `a whole number, ${limits}`, null);
    return null;
  });

export const decimal = (least: number): Reader<number> =>
  reader(rangeSchema("number", least, Number.MAX_SAFE_INTEGER), (tree, label, report) => {
    const value = tree.kind === "scalar" ? tree.value : null;
    if (typeof value === "number" && Number.isFinite(value) && value >= least) return value;
    report.expected("bad-number", tree, label, `a number, at least ${least}`, null);
    return null;
  });

/** Any JSON value, as `with` passes it on. An empty value is JSON's null, so the result wraps the value. */
export const json: Read<{ readonly value: Json }> = (tree, label, report) => {
  if (tree.kind === "broken") return null;
  if (tree.kind === "scalar") {
    const isExact = typeof tree.value !== "number" || !Number.isInteger(tree.value) || Number.isSafeInteger(tree.value);
    if (isExact && toJson(tree.value).ok) return { value: tree.value };
    const message = `\`${label}\` is ${found(tree)}, which no JSON number holds exactly`;
    report.add("bad-number", tree.place, message, "quote it to pass it as text");
    return null;
  }
  if (tree.kind === "list") {
    const items = tree.items.map((item, index) => json(item, child(label, index), report));
    return { value: items.map((item) => item?.value ?? null) };
  }
  const object: JsonObject = {};
  for (const { key, value } of tree.entries) object[key] = json(value, child(label, key), report)?.value ?? null;
  return { value: object };
};

/** The JSON value before variables are filled in: text as it stands in the file. */
export function writtenJson(tree: Tree): Json {
  if (tree.kind === "map") return Object.fromEntries(tree.entries.map(({ key, value }) => [key, writtenJson(value)]));
  if (tree.kind === "list") return tree.items.map(writtenJson);
  if (tree.kind === "broken") return null;
  return tree.filled ? tree.written : tree.value;
}

export const jsonMap: Reader<JsonObject> = reader({ type: ["object", "null"] }, (tree, label, report) => {
  if (isEmpty(tree)) return {};
  const result = tree.kind === "map" ? json(tree, label, report) : null;
  if (tree.kind !== "map") report.expected("wrong-type", tree, label, "a map of options", null);
  return result === null ? null : (result.value as JsonObject);
});

/**
 * True when a problem in `with` has been reported. The module must then not judge the remaining options: the module would
 * report faults that the file does not have.
 */
export const hasBrokenOptions = ({ treeOf }: { readonly treeOf: (key: "with") => Tree | null }): boolean => {
  const options = treeOf("with");
  return options !== null && isBroken(options);
};
