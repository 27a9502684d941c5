/** Owns what a query names: senses, the archive, and the likely meaning of a name that nothing has. */
import { nearest } from "../base/nearest.ts";
import { type Token, tokensOf } from "../sqlite/statements.ts";

/** SQLite attaches ten databases; the archive needs one of them. */
export const MOST_SENSES = 9;
export const ARCHIVE = "archive";
/** `"sense:archive"` is the sense of this name, whatever else has the name. */
const PREFIX = "sense:";

const QUOTES: Readonly<Record<string, string>> = { '"': '"', "`": "`", "[": "]" };

/** The name in a token, without its quotes; null for a token that is no name. */
function nameIn({ text }: Token): string | null {
  const close = QUOTES[text[0] ?? ""];
  if (close === undefined) return /^[A-Za-z_\u0080-\uffff]/.test(text) ? text : null;
  const inner = text.slice(1, text.endsWith(close) && text.length > 1 ? -1 : undefined);
  return close === "]" ? inner : inner.replaceAll(close + close, close);
}

/** Every `A.B` of the query as [A, B]. */
function dotted(tokens: readonly Token[]): [string, string][] {
  return tokens.flatMap((token, at): [string, string][] => {
    const [dot, after] = [tokens[at + 1], tokens[at + 2]];
    if (dot?.text !== "." || after === undefined) return [];
    const [first, second] = [nameIn(token), nameIn(after)];
    return first === null || second === null ? [] : [[first, second]];
  });
}

export interface Named {
  /** The name in the query, and the sense that the name means. */
  readonly senses: ReadonlyMap<string, string>;
  readonly archive: boolean;
}

/** What `sql` names of `known` senses. Names of SQLite are not case-sensitive. */
export function namedIn(sql: string, known: readonly string[]): Named {
  const senses = new Map<string, string>();
  let archive = false;
  for (const [first, second] of dotted(tokensOf(sql))) {
    const name = first.toLowerCase();
    if (name === ARCHIVE && second.toLowerCase() === "logs") archive = true;
    const bare = name.startsWith(PREFIX) ? name.slice(PREFIX.length) : name;
    const isTaken = name === ARCHIVE || name === "main" || name === "temp";
    if (!isTaken && known.includes(bare)) senses.set(name, bare);
  }
  return { senses, archive };
}

/** `sense` as a query must write the name. */
export const quoted = (sense: string): string => (/^[a-z_][a-z0-9_]*$/.test(sense) ? sense : `"${sense}"`);

/** A sense that the query names without the quotes that the name needs: `cpu-usage.samples`. */
export function unquotedIn(sql: string, known: readonly string[]): string | null {
  const spaceless = tokensOf(sql)
    .map(({ text }) => (/^['"`[]/.test(text) ? " " : text))
    .join("\n");
  const runs = spaceless.replaceAll(/\n?([-.])\n?/g, "$1").split("\n");
  const before = runs.flatMap((run) => {
    const dot = run.indexOf(".");
    return dot > 0 ? run.slice(0, dot).toLowerCase() : [];
  });
  return known.find((name) => quoted(name) !== name && before.includes(name)) ?? null;
}

/** The name before the dot in `no such table: cpu-usge.samples`, where it is nearly that of a sense. */
export function nearlyNamed(table: string, known: readonly string[]): string | null {
  const dot = table.lastIndexOf(".");
  return dot < 0 ? null : nearest(table.slice(0, dot).replace(PREFIX, ""), known);
}
