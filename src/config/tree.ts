/**
 * Owns the shape between YAML text and configuration: maps, lists and scalars, each with its place in a file.
 * Owns also the name of a value in a message. A value from a variable is named by the text in the file, never by itself.
 */
export interface Place {
  readonly file: string;
  /** 1-based. */
  readonly line: number;
  readonly column: number;
}

export type Tree = MapTree | ListTree | ScalarTree | BrokenTree;

export interface MapTree {
  readonly kind: "map";
  readonly place: Place;
  readonly entries: readonly Entry[];
}

export interface Entry {
  readonly key: string;
  readonly keyPlace: Place;
  readonly value: Tree;
}

export interface ListTree {
  readonly kind: "list";
  readonly place: Place;
  readonly items: readonly Tree[];
}

export interface ScalarTree {
  readonly kind: "scalar";
  readonly place: Place;
  readonly value: string | number | boolean | null;
  /** The value as text, before YAML gave the value a type. A secret when `filled` is true. */
  readonly text: string;
  /** The text in the file, safe to print. */
  readonly written: string;
  /** True when a variable or credential is part of the value. */
  readonly filled: boolean;
}

/** A value with a problem that is already reported: readers report nothing more about it. */
export interface BrokenTree {
  readonly kind: "broken";
  readonly place: Place;
}

/** True when a part of the tree comes from outside the file. */
export const isFilled = (tree: Tree): boolean =>
  tree.kind === "map"
    ? tree.entries.some(({ value }) => isFilled(value))
    : tree.kind === "list"
      ? tree.items.some(isFilled)
      : tree.kind === "scalar" && tree.filled;

/** True when a part of the tree has been reported, so that the tree is incomplete. */
export const isBroken = (tree: Tree): boolean =>
  tree.kind === "map"
    ? tree.entries.some(({ value }) => isBroken(value))
    : tree.kind === "list"
      ? tree.items.some(isBroken)
      : tree.kind === "broken";

export const isEmpty = (tree: Tree): boolean => tree.kind === "scalar" && tree.value === null && !tree.filled;

/** The value of a key; null where the tree is no map, or has no such key. */
export const entryOf = (tree: Tree | null, key: string): Tree | null =>
  tree?.kind === "map" ? (tree.entries.find((entry) => entry.key === key)?.value ?? null) : null;

export const formatPlace = (place: Place): string => `${place.file}:${place.line}:${place.column}`;

const SHOWN_LENGTH = 60;
// All characters that a terminal acts on or that reorder text: C0, C1, bidirectional marks, line separators.
// biome-ignore lint/suspicious/noControlCharactersInRegex: finding them is the purpose
const UNPRINTABLE = /[\u0000-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g;

/** Makes `text` from a file fit for one line of a message. */
export function shown(text: string): string {
  const short = text.length > SHOWN_LENGTH ? `${text.slice(0, SHOWN_LENGTH)}…` : text;
  return short.replace(UNPRINTABLE, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

/** The remedy for `memory:{}`, which YAML reads as one word; null for any other tree. */
export const hintOfMissingSpace = (tree: Tree): string | null =>
  tree.kind === "scalar" && !tree.filled && /^[\w-]+:\S/.test(tree.written) ? "write a space after the `:`" : null;

/** The name of an unexpected value in a message. */
export function found(tree: Tree): string {
  if (tree.kind === "map") return tree.entries.length === 0 ? "an empty map" : "a map";
  if (tree.kind === "list") return tree.items.length === 0 ? "an empty list" : "a list";
  if (tree.kind === "broken") return "something broken";
  if (tree.filled) return `the value of \`${shown(tree.written)}\``;
  if (tree.value === null) return "nothing";
  return typeof tree.value === "string" ? `"${shown(tree.value)}"` : `the ${typeof tree.value} ${shown(tree.written)}`;
}

/** `senses` + `load` → `senses.load`: the name of a place in the tree in messages. */
export const child = (label: string, key: string | number): string => {
  if (typeof key === "number") return `${label}[${key}]`;
  const name = PLAIN_KEY.test(key) ? key : shown(key);
  return label === "" ? name : `${label}.${name}`;
};

/** Nothing in it is shown otherwise than it is written. */
const PLAIN_KEY = /^[\w-]{1,60}$/;
