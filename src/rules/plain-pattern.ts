/**
 * Owns the frequent definitions, read without ArkType, which takes half a millisecond for each definition and 100 ms to
 * load: maps of plain fields, and alternatives of words, texts, numbers, ranges and regular expressions. ArkType reads
 * every other definition. A property test compares the two readings.
 */
import type { Json } from "../base/json.ts";
import { compileRegex } from "../base/regex/regex.ts";
import { ANYTHING, CONSTRAINTS, DOMAINS } from "./check.ts";
import { fieldOf } from "./field.ts";

type Matches = (value: Json) => boolean;

/**
 * True when a payload matches `definition`, which has no objections so far. Null for a definition that ArkType has to read.
 */
export function plainPattern(definition: Json): Matches | null {
  if (typeof definition === "string") return alternativesOf(definition);
  if (typeof definition !== "object" || definition === null || Array.isArray(definition)) return null;
  return mapOf(definition);
}

const KEY = /^[A-Za-z][\w-]*\??$/;

const isObject = DOMAINS.object as Matches;

function mapOf(definition: { readonly [key: string]: Json }): Matches | null {
  const fields = new Map<string, Matches>();
  for (const [key, inner] of Object.entries(definition)) {
    const name = key.replace(/\?$/, "");
    if (!KEY.test(key) || name in Object.prototype || fields.has(name)) return null;
    const field = name === key ? requiredOf(name, inner) : optionalOf(name, inner);
    if (field === null) return null;
    fields.set(name, field);
  }
  return all([isObject, ...fields.values()]);
}

function requiredOf(name: string, definition: Json): Matches | null {
  const matches = plainPattern(definition);
  if (matches === null) return null;
  return (value) => {
    const field = fieldOf(value, name);
    return field !== undefined && matches(field);
  };
}

function optionalOf(name: string, definition: Json): Matches | null {
  const matches = definition === "never" ? () => false : plainPattern(definition);
  if (matches === null) return null;
  return (value) => {
    const field = fieldOf(value, name);
    return field === undefined || matches(field);
  };
}

const all =
  (checks: readonly Matches[]): Matches =>
  (value) => {
    for (const matches of checks) if (!matches(value)) return false;
    return true;
  };

// ── texts ──────────────────────────────────────────────────────────────

const isNumber = DOMAINS.number as Matches;
const isString = DOMAINS.string as Matches;

const WORDS: ReadonlyMap<string, Matches> = new Map<string, Matches>([
  ["string", isString],
  ["number", isNumber],
  ["boolean", (value) => typeof value === "boolean"],
  ["object", isObject],
  ["unknown", ANYTHING.matches],
  ["null", (value) => value === null],
  ["true", (value) => value === true],
  ["false", (value) => value === false],
]);

/** A number as ArkType writes numbers: no zeroes without meaning, and not more digits than a number holds. */
const NUMBER = String.raw`-?(?:0|[1-9]\d{0,14})(?:\.\d{0,14}[1-9])?`;
const ALTERNATIVE = new RegExp(
  [
    "\\s*(?:",
    [
      `'(?<single>[^'\\\\]*)'`,
      `"(?<double>[^"\\\\]*)"`,
      `/(?<regex>(?:[^/\\\\]|\\\\[^])+)/`,
      `(?<from>${NUMBER}) *(?<above><=?) *number *(?<below><=?) *(?<to>${NUMBER})`,
      `number *(?<operator>[<>]=?) *(?<limit>${NUMBER})`,
      `number *% *(?<divisor>[1-9]\\d{0,14})`,
      `(?<number>${NUMBER})`,
      `(?<word>[a-z]+)`,
    ].join("|"),
    ") *(?:(?<or>\\|)|$)",
  ].join(""),
  "y",
);

function alternativesOf(text: string): Matches | null {
  const alternatives: Matches[] = [];
  ALTERNATIVE.lastIndex = 0;
  for (;;) {
    const found = ALTERNATIVE.exec(text)?.groups;
    const matches = found === undefined ? null : alternativeOf(found);
    if (found === undefined || matches === null) return null;
    alternatives.push(matches);
    if (found.or === undefined) break;
  }
  const [only, ...others] = alternatives;
  if (only !== undefined && others.length === 0) return only;
  return (value) => {
    for (const matches of alternatives) if (matches(value)) return true;
    return false;
  };
}

type Groups = Readonly<Record<string, string | undefined>>;

function alternativeOf({ single, double, regex, number, word, ...range }: Groups): Matches | null {
  const text = single ?? double;
  if (text !== undefined) return (value) => value === text;
  if (regex !== undefined) return regexOf(regex);
  if (word !== undefined) return WORDS.get(word) ?? null;
  if (number === undefined) return rangeOf(range);
  const expected = numberOf(number);
  return expected === null ? null : (value) => value === expected;
}

function regexOf(written: string): Matches | null {
  const regex = compileRegex(written.replace(/\\(.)/gs, (escaped, char) => (char === "/" ? char : escaped)));
  return regex.ok ? (value) => isString(value) && regex.value.test(value as string) : null;
}

function rangeOf({ from, above = "", below = "", to, operator = "", limit, divisor }: Groups): Matches | null {
  if (divisor !== undefined) return constrained("divisor", divisor, "");
  if (limit !== undefined) return constrained(operator.startsWith(">") ? "min" : "max", limit, operator);
  // ArkType refuses an empty range in its own words.
  if (from === undefined || to === undefined || Number(from) >= Number(to)) return null;
  const [min, max] = [constrained("min", from, above), constrained("max", to, below)];
  return min === null || max === null ? null : all([min, max]);
}

function constrained(kind: "min" | "max" | "divisor", written: string, operator: string): Matches | null {
  const limit = numberOf(written);
  const holds = limit === null ? undefined : CONSTRAINTS[kind]?.(limit, operator.length === 1);
  return holds === undefined ? null : (value) => isNumber(value) && holds(value);
}

/** ArkType does not take `-0` for a number. */
const numberOf = (text: string): number | null => (text === "-0" ? null : Number(text));
