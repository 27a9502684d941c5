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

/** The names of its groups. */
export const groupsIn = (source: string): readonly string[] =>
  Object.keys(new RegExp(`${source}|`).exec("")?.groups ?? {});

/** JavaScript's own engine finds groups, and may go back and forth in a long text. */
const LONGEST_WITH_GROUPS = 2_048;

/** What these groups hold in a text that matches; null for one that took no part. Of a text the first 2 KiB are looked through. */
export function fieldsOf(
  source: string | null,
  groups: readonly string[],
  text: string,
): Readonly<Record<string, string | null>> {
  if (source === null || groups.length === 0) return {};
  const found = new RegExp(source).exec(text.slice(0, LONGEST_WITH_GROUPS))?.groups ?? {};
  return Object.fromEntries(groups.map((name) => [name, found[name] ?? null]));
}
