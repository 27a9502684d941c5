/** The patterns of `when` and `clear`: ArkType definitions as they stand in nerve.yaml, as a check of payloads. */
import type { Json } from "../base/json.ts";
import { err, ok, type Result } from "../base/result.ts";
import { describeThrown } from "../base/thrown.ts";
import { nodeOf, readType } from "./arktype.ts";
import { checkOf, type Mismatch } from "./check.ts";
import { type Leaf, type PatternRefusal, tokensOf, vetDefinition } from "./definition.ts";

export interface Pattern {
  /** Takes bounded time, whatever the payload holds. */
  matches(payload: Json): boolean;
  /** Which fields do not match; empty when it matches. */
  why(payload: Json): readonly Mismatch[];
}

export function compilePattern(definition: Json): Result<Pattern, PatternRefusal> {
  const { leaves, refusal } = vetDefinition(definition);
  if (refusal) return err(refusal);
  for (const leaf of leaves) {
    const [word] = wordsOf(leaf.text, isInherited);
    if (word) return err(noType(leaf, word.text));
  }
  const root = read(definition);
  if (!root.ok) return err(firstUnreadable(leaves) ?? { path: "", message: root.error, hint: null });
  const { check, refusal: refused } = checkOf(nodeOf(root.value));
  if (refused) return err(refused);
  return ok({
    matches: check.matches,
    why: (payload) => {
      const mismatches: Mismatch[] = [];
      check.explain(payload, "", mismatches);
      return mismatches;
    },
  });
}

/** The seam to ArkType, which throws. */
function read(definition: unknown): Result<unknown, string> {
  try {
    return ok(readType(definition));
  } catch (error) {
    return err(describeThrown(error).message.replace(/^\w*Error: /, ""));
  }
}

/** ArkType does not say where: the first text that it cannot read by itself either. */
function firstUnreadable(leaves: readonly Leaf[]): PatternRefusal | null {
  for (const leaf of leaves) {
    // As a field, so that `string?` is read as it would be in place.
    const result = read({ value: leaf.text });
    if (result.ok) continue;
    const word = /^'(.*)' is unresolvable/s.exec(result.error)?.[1];
    if (word !== undefined) return noType(leaf, word);
    return { path: leaf.path, message: `this is no type: ${result.error}`, hint: asText(leaf.text) };
  }
  return null;
}

const noType = ({ path, text }: Leaf, word: string): PatternRefusal => ({
  path,
  message: `\`${word}\` is no type`,
  hint: asText(text),
});

interface Word {
  readonly text: string;
  readonly from: number;
}

const wordsOf = (text: string, isMeant: (word: string) => boolean): Word[] =>
  tokensOf(text).flatMap((token) => (token.kind === "word" && isMeant(token.text) ? [token] : []));

/** Names such as `constructor`, which ArkType would take for types of its own. */
const isInherited = (word: string): boolean => word.split(".").some((part) => part in Object.prototype);

/** Rather a slip of ArkType's notation than a text. */
const isExpression = (text: string): boolean =>
  /['/()[\]<>=]/.test(text) || wordsOf(text, (word) => /^[a-z]/i.test(word) && read(word).ok).length > 0;

/** How to write what was meant as text, if it was. */
function asText(text: string): string | null {
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
