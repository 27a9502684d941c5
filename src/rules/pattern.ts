/** Owns the patterns of `when` and `clear`: ArkType definitions in nerve.yaml, made into checks of payloads. */
import type { Json } from "../base/json.ts";
import { err, ok, type Result } from "../base/result.ts";
import { describeThrown } from "../base/thrown.ts";
import { nodeOf, readType } from "./arktype.ts";
import type { Check, Mismatch } from "./check.ts";
import { checkOf } from "./check-of.ts";
import { type Part, type PatternRefusal, type PatternRefusals, Refusing, tokensOf } from "./definition.ts";
import { plainPattern } from "./plain-pattern.ts";
import { vetDefinition } from "./vet.ts";

export interface Pattern {
  /** Takes bounded time for any payload. */
  matches(payload: Json): boolean;
  /** The fields that do not match. Empty when the payload matches. */
  why(payload: Json): readonly Mismatch[];
}

/** One start reads each definition twice, to check the config and to load it, and ArkType takes milliseconds for some. */
const REMEMBERED = 4_096;
const compiled = new Map<string, Result<Pattern, PatternRefusals>>();

/** A definition is compiled once, for any number of reflexes and of reads of a config. */
export function compilePattern(definition: Json): Result<Pattern, PatternRefusals> {
  const text = JSON.stringify(definition);
  const known = compiled.get(text);
  if (known !== undefined) return known;
  const result = compileAnew(definition);
  const [oldest] = compiled.size < REMEMBERED ? [] : compiled.keys();
  if (oldest !== undefined) compiled.delete(oldest);
  compiled.set(text, result);
  return result;
}

function compileAnew(definition: Json): Result<Pattern, PatternRefusals> {
  const checked = checkedWhole(definition);
  if (!checked.ok) return checked;
  const check = checked.value;
  return ok({
    matches: check.matches,
    why: (payload) => {
      const mismatches: Mismatch[] = [];
      check.explain(payload, "", mismatches);
      return mismatches;
    },
  });
}

function checkedWhole(definition: Json): Result<Check, PatternRefusals> {
  const refusing = new Refusing();
  const whole = vetDefinition(definition, refusing);
  if (whole !== null) {
    refuseInherited(whole, refusing);
    if (refusing.all === null) {
      const checked = checkFine(whole);
      if (checked.ok) return checked;
    }
    refuseParts(whole, refusing);
  }
  return err(refusing.all ?? [{ path: "", message: "this is not a type", hint: null }]);
}

/** Checks a definition without objections so far. */
function checkFine(whole: Part): Result<Check, PatternRefusal> {
  const matches = plainPattern(whole.definition);
  if (matches === null) return checkAlone(whole);
  // Only the question why needs ArkType's words.
  let read: Check | null = null;
  const explain: Check["explain"] = (value, path, mismatches) => {
    read ??= readPlain(whole);
    read.explain(value, path, mismatches);
  };
  return ok({ matches, explain });
}

function readPlain(whole: Part): Check {
  const checked = checkAlone(whole);
  if (!checked.ok) throw new Error(`a plain pattern is refused: ${checked.error.message}`);
  return checked.value;
}

function refuseInherited(part: Part, refusing: Refusing): void {
  const [word] = typeof part.definition === "string" ? wordsOf(part.definition, isInherited) : [];
  if (word) refusing.add(noType(part, word.text));
  for (const inner of part.inner) refuseInherited(inner, refusing);
}

/** ArkType stops at the first unreadable place and does not name it. The innermost parts that are refused by themselves are reported. */
function refuseParts(part: Part, refusing: Refusing): void {
  const { path } = part;
  // A part that is refused already must not be read.
  const checked = refusing.hasWithin(path) ? null : checkAlone(part);
  if (checked?.ok) return;
  for (const inner of part.inner) refuseParts(inner, refusing);
  if (checked !== null && !refusing.hasWithin(path)) refusing.add(checked.error);
}

/** The seam to ArkType, which throws. */
function read(definition: unknown): Result<unknown, string> {
  try {
    return ok(readType(definition));
  } catch (error) {
    return err(describeThrown(error).message.replace(/^\w*Error: /, ""));
  }
}

function checkAlone(part: Part): Result<Check, PatternRefusal> {
  const { path, definition } = part;
  // The part is read as a field, so that `string?` means what it means in its place.
  const result = read(path === "" ? definition : { value: definition });
  if (!result.ok) {
    const word = /^'(.*)' is unresolvable/s.exec(result.error)?.[1];
    const message = `this is not a type (${result.error})`;
    return err(word === undefined ? { path, message, hint: asText(definition) } : noType(part, word));
  }
  const own = new Refusing();
  const check = checkOf(nodeOf(result.value), own);
  // An optional field or an alternative may well be of this type.
  const isFine = own.all === null || (definition === "never" && /[?\]]$/.test(path));
  return isFine ? ok(check) : err({ ...(own.all as PatternRefusals)[0], path });
}

const noType = ({ path, definition }: Part, word: string): PatternRefusal => ({
  path,
  message: `\`${word}\` is not a type`,
  hint: asText(definition),
});

interface Word {
  readonly text: string;
  readonly from: number;
}

const wordsOf = (text: string, isMeant: (word: string) => boolean): Word[] =>
  tokensOf(text).flatMap((token) => (token.kind === "word" && isMeant(token.text) ? [token] : []));

/** Names such as `constructor`. ArkType would take them for its own types. */
const isInherited = (word: string): boolean => word.split(".").some((part) => part in Object.prototype);

/** True for a text that is more likely a slip in ArkType's notation than a plain text. */
const isExpression = (text: string): boolean =>
  /['/()[\]<>=]/.test(text) || wordsOf(text, (word) => /^[a-z]/i.test(word) && read(word).ok).length > 0;

const COMPARISON =
  /^([A-Za-z_][\w-]*(?:\.[A-Za-z_][\w-]*)*)\s*(<=|>=|==?|<|>)\s*(-?\d+(?:\.\d+)?|'[^'"]*'|"[^'"]*"|true|false|null)$/;

/** `used > 90` and the like, the notation of other tools: a field of the payload and a comparison. */
function comparisonIn(text: string): string | null {
  const [, path = "", operator = "", value = ""] = COMPARISON.exec(text.trim()) ?? [];
  if (path === "" || read(path).ok) return null;
  const isNumber = /^-?\d/.test(value);
  const isText = /^['"]/.test(value);
  if (!isNumber && !operator.startsWith("=")) return null;
  const literal = isText ? `"'${value.slice(1, -1)}'"` : `"${value}"`;
  const type = operator.startsWith("=") ? literal : `number ${operator} ${value}`;
  return path.split(".").reduceRight((inner, name) => `{ ${name}: ${inner} }`, type);
}

/** Several comparisons joined by `&&` or `and`. Null where one part is no comparison, or two are about one field. */
function comparisonsIn(text: string): string | null {
  const parts = text.split(/\s*&&\s*|\s+and\s+/).map(comparisonIn);
  if (parts.includes(null) || new Set(parts.map((part) => part?.split(":", 1)[0])).size < parts.length) return null;
  return `{ ${parts.map((part) => part?.slice(2, -2)).join(", ")} }`;
}

/** The spelling of a text or a comparison that was most likely meant. Null where none is likely. */
function asText(text: Json): string | null {
  if (typeof text !== "string") return null;
  const comparisons = comparisonsIn(text);
  if (comparisons !== null) return `write ${comparisons}`;
  const anything = "write unknown for any value";
  if (text.trim() === "any") return `${anything}, or "'any'" for the text`;
  if (wordsOf(text, (word) => word === "any").length > 0) return anything;
  if (/^\s*[<>]=?\s*-?[0-9.]+\s*$/.test(text)) return `write "number ${text.trim()}"`;
  if (/^\/.*\/[a-z]+$/.test(text)) return "expressions have no flags: write [aA] for either case";
  if (/[\\"]/.test(text)) return null;
  if (!/[|&]/.test(text)) return isExpression(text) ? null : `write "'${text.trim()}'" for the text`;
  let quoted = text;
  for (const word of wordsOf(text, (one) => isInherited(one) || !read(one).ok).reverse()) {
    quoted = `${quoted.slice(0, word.from)}'${word.text}'${quoted.slice(word.from + word.text.length)}`;
  }
  return quoted === text ? null : `write "${quoted}" for the text`;
}
