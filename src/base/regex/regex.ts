/**
 * Owns regular expressions that cannot hang: JavaScript's syntax, matched in time linear in the text.
 *
 * A backtracking engine may need exponential time for a text that somebody else wrote. Here an expression becomes a
 * nondeterministic automaton of at most MAX_STATES states. The automaton reads each character once and keeps the set of its
 * possible states: at most states × characters steps, for any expression and any text. A set that was met is remembered
 * with its successors, so the usual character costs one look-up.
 *
 * Look-around and back-references are refused, because no such automaton can match them. Nested quantifiers are refused
 * too, because they are nearly always a mistake. JavaScript's own engine decides, one character at a time, which characters
 * a class such as `[^\w-]` holds, so its rules are the only rules.
 */
import { err, ok, type Result } from "../result.ts";
import { automaton, RegexMatcher } from "./automaton.ts";
import { literalIn, parseRegex, type RegexRefusal, size, ways } from "./parts.ts";

export interface Regex {
  /** States of the automaton: the highest cost of one character. */
  readonly states: number;
  readonly test: (text: string) => boolean;
  /** The highest number of steps of a backtracking engine for a text of this length. May be Infinity. */
  readonly backtracks: (length: number) => number;
}

export const MAX_STATES = 250;
const MAX_SOURCE = 1_024;

/** Compiles a regular expression without flags. */
export function compileRegex(source: string): Result<Regex, RegexRefusal> {
  if (source.length > MAX_SOURCE) return err({ message: `is longer than ${MAX_SOURCE} characters`, hint: null });
  try {
    new RegExp(source);
  } catch (error) {
    return err({
      message: `cannot be read: ${(error as Error).message.replace(/^Invalid regular expression: /, "")}`,
      hint: null,
    });
  }
  const parsed = parseRegex(source);
  if (!parsed.ok) return parsed;
  const count = size(parsed.value) + 1;
  if (count > MAX_STATES) {
    return err({
      message: `is too large: written out without counts it has ${count} parts, and ${MAX_STATES} is the limit`,
      hint: "use smaller counts, or * and +",
    });
  }
  const matcher = new RegexMatcher(automaton(parsed.value));
  // Most texts lack it, and searching for it is faster by far.
  const literal = literalIn(parsed.value);
  return ok({
    states: count,
    test: (text) => text.includes(literal) && matcher.test(text),
    backtracks: (length) => ways(parsed.value, length) * (length + count) * (length + 1),
  });
}
