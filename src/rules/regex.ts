/**
 * Regular expressions that cannot hang: JavaScript's syntax, matched in time linear in the text.
 *
 * A backtracking engine may need exponential time for a text somebody else wrote. Here an expression becomes a
 * nondeterministic automaton of at most MAX_STATES states, which reads each character once and keeps the set of states it
 * can be in: at most states × characters steps, whatever the expression and the text are. Sets that were met are
 * remembered with where they lead, so that the usual character costs one look-up.
 *
 * What no such automaton can do is refused: look-around and back-references. Nested quantifiers could be matched, but are
 * refused as well: they are nearly always a mistake. Which characters a class such as `[^\w-]` holds is asked of
 * JavaScript's own engine, one character at a time, so its rules are the only ones.
 */
import { err, ok, type Result } from "../base/result.ts";
import { automaton, RegexMatcher } from "./regex-automaton.ts";
import { parseRegex, type RegexRefusal, size, ways } from "./regex-parts.ts";

export interface Regex {
  /** States of the automaton: what a character can cost at most. */
  readonly states: number;
  readonly test: (text: string) => boolean;
  /** At most how many steps a backtracking engine could need for a text of this length; may be Infinity. */
  readonly backtracks: (length: number) => number;
}

export const MAX_STATES = 250;
const MAX_SOURCE = 1_024;

/** A regular expression without flags. */
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
  return ok({
    states: count,
    test: (text) => matcher.test(text),
    backtracks: (length) => ways(parsed.value, length) * (length + count) * (length + 1),
  });
}
