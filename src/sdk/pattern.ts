/**
 * `nerve/pattern`: the regular expressions of options. Texts come from strangers: an expression takes time linear in the text,
 * and one that cannot is refused where it is written.
 */
import { compileRegex, type Regex } from "../base/regex/regex.ts";
import { type Field, text } from "./options.ts";

/** A regular expression without flags, as in JavaScript. */
export const pattern = (): Field<string> => {
  const inner = text();
  return {
    read(given, path, report) {
      let isRefused = false;
      const source = inner.read(given, path, (at, problem) => {
        isRefused = true;
        report(at, problem);
      });
      if (isRefused) return source;
      const compiled = compileRegex(source);
      if (!compiled.ok) {
        const { message, hint } = compiled.error;
        report(path, `is no regular expression that nerve takes: it ${message}${hint === null ? "" : `; ${hint}`}`);
      }
      return source;
    },
    schema: () => ({ ...inner.schema(), description: "a regular expression, without look-around and back-references" }),
  };
};

const MOST_COMPILED = 100;
const compiled = new Map<string, Regex>();

/** What the option above let through, ready to be used. */
export function patternOf(source: string): Regex {
  const known = compiled.get(source);
  if (known !== undefined) return known;
  const made = compileRegex(source);
  if (!made.ok) throw new Error(`the regular expression ${JSON.stringify(source)} ${made.error.message}`);
  if (compiled.size >= MOST_COMPILED) compiled.clear();
  compiled.set(source, made.value);
  return made.value;
}
