/**
 * Owns the step from YAML text to one composed document. On the way it refuses everything that a configuration does not
 * need: anchors, aliases, tags, directives, further documents, deep nesting, too many values. The guard works on the
 * lexer's stream: it stops at a hostile file while it reads, not afterwards. Only this file catches errors of `yaml`.
 */
import {
  Composer,
  CST,
  type Document,
  isMap,
  isPair,
  isScalar,
  isSeq,
  type Node,
  type Pair,
  Parser,
  type YAMLError,
} from "yaml";
import { type Lexeme, lexemes } from "./lexemes.ts";
import type { Report } from "./report.ts";
import { type Place, shown } from "./tree.ts";
import { maskUnquoted } from "./yaml-mask.ts";
import { MAX_DEPTH, MAX_LEXEMES, TOO_DEEP, TOO_MANY, type YamlNode, type YamlPair } from "./yaml-node.ts";

const UNCOUNTED: ReadonlySet<string | null> = new Set(["space", "newline", "comment", "doc-mode", "byte-order-mark"]);

export interface Composed {
  /** Null when the file holds only comments. */
  readonly contents: YamlNode | null;
  /** True when a part of the text is overwritten with `MASK`. */
  readonly hasMask: boolean;
}

const REFUSED: Readonly<Record<string, { kind: string; thing: string; hint: string }>> = {
  anchor: { kind: "anchor", thing: "the anchor", hint: "anchors are not supported, write the value out" },
  alias: { kind: "alias", thing: "the alias", hint: "aliases are not supported, write the value out" },
  tag: { kind: "tag", thing: "the tag", hint: "tags are not supported, remove it" },
  "directive-line": { kind: "directive", thing: "the directive", hint: "directives are not supported, remove it" },
};

/** Messages for common mistakes. All other mistakes keep the parser's own message. */
const PLAIN_WORDS: Readonly<Record<string, string>> = {
  TAB_AS_INDENT: "a tab indents this line; use spaces",
  BLOCK_AS_IMPLICIT_KEY: "a second `key: value` on one line; quote the text, or put the map on lines of its own",
  BAD_INDENT: "the indentation does not fit what is above, or a bracket is not closed",
  UNEXPECTED_TOKEN: "nothing fits here; a quote, comma, bracket or `:` further up may be missing or one too many",
  MULTILINE_IMPLICIT_KEY: "a `:` is missing, or text runs over several lines without quotes",
};

/** `'critical' | 'warning'` as in TypeScript. For YAML the text ends at its second quote. */
const QUOTED_ALTERNATIVES = /['"]\s*[|&]\s*$/;
const LOOKED_BACK = 80;

function ownWords(error: YAMLError, text: string): string {
  const before = text.slice(Math.max(0, error.pos[0] - LOOKED_BACK), error.pos[0] + 1);
  if (error.code === "UNEXPECTED_TOKEN" && QUOTED_ALTERNATIVES.test(before)) {
    return "the text ends at the quote before `|`; quote the whole pattern, as in \"'critical' | 'warning'\"";
  }
  const quote = closingQuote(error);
  if (quote !== null) return `the text that begins with ${quote} here has no closing ${quote}`;
  const open = error.code === "BAD_INDENT" ? openBracket(text) : null;
  if (open !== null) return `the ${open.bracket} in line ${open.line} is not closed`;
  const known = PLAIN_WORDS[error.code];
  if (known !== undefined) return known;
  const words = error.message.replace(/flow map(?:ping)?/g, "{ }").replace(/flow (?:sequence|collection)/g, "[ ]");
  return shown(words.charAt(0).toLowerCase() + words.slice(1));
}

/**
 * The one document of `written`, as far as it can be used. Null when the text is malformed, or when the guard gave up. Anchors,
 * aliases and tags are reported and skipped, so that the rest is checked as well.
 */
export function composeYaml(written: string, placeOf: (offset: number) => Place, report: Report): Composed | null {
  const text = maskUnquoted(written, placeOf, report);
  const reading = new TokenReading(text, placeOf, report);
  const composer = new Composer({
    version: "1.2",
    schema: "core",
    uniqueKeys: false,
    merge: false,
    logLevel: "silent",
  });
  let document: Document.Parsed | undefined;
  try {
    document = composer.compose(reading.tokens(), true, text.length).next().value ?? undefined;
  } catch {
    reading.giveUp("bad-yaml", 0, "this is not valid YAML, and the parser cannot say where");
  }
  if (!document || reading.isGivenUp) return null;
  const first = document.errors.toSorted((a, b) => a.pos[0] - b.pos[0])[0];
  if (first === undefined) return { contents: nodeOf(document.contents), hasMask: text !== written };
  // The parser fails on several tags or anchors in a row. The guard has already reported them.
  if (!reading.hasRefused) {
    const offset = openingQuote(first, text) ?? first.pos[0];
    reading.giveUp("bad-yaml", offset, `this is not valid YAML: ${ownWords(first, text)}`);
  }
  return null;
}

/** The parser's node in the shape of `yaml-node.ts`. The guard has bounded the depth. */
function nodeOf(node: Node | null | undefined): YamlNode | null {
  if (node === null || node === undefined) return null;
  const offset = node.range?.[0] ?? 0;
  if (isScalar(node)) {
    return { kind: "scalar", offset, value: node.value, source: node.source ?? "", isPlain: node.type === "PLAIN" };
  }
  if (isSeq(node)) {
    const items = node.items.map((item) => (isPair(item) ? pairOf(item) : nodeOf(item as Node | null)));
    return { kind: "list", offset, items };
  }
  return isMap(node) ? { kind: "map", offset, pairs: node.items.map(pairOf) } : { kind: "alias", offset };
}

const pairOf = ({ key, value }: Pair): YamlPair => ({
  kind: "pair",
  key: nodeOf(key as Node | null),
  value: nodeOf(value as Node | null),
});

/** The parser's tokens. The guard examines each lexeme before the parser receives it. */
class TokenReading {
  /** True when the rest of the text was not read. */
  isGivenUp = false;
  /** True when the guard reported something that the parser would report again in its own words. */
  hasRefused = false;
  readonly #text: string;
  readonly #placeOf: (offset: number) => Place;
  readonly #report: Report;
  readonly #parser = new Parser();
  #counted = 0;
  #hasStarted = false;
  #hasEnded = false;

  constructor(text: string, placeOf: (offset: number) => Place, report: Report) {
    this.#text = text;
    this.#placeOf = placeOf;
    this.#report = report;
  }

  giveUp(kind: string, offset: number, message: string): void {
    this.isGivenUp = true;
    this.#report.add(kind, this.#placeOf(offset), message, null);
  }

  *tokens(): Generator<CST.Token> {
    for (const lexeme of lexemes(this.#text)) {
      if (this.#beginsAnother(lexeme)) break;
      if (this.#counted > MAX_LEXEMES) return this.giveUp("too-many-values", lexeme.offset, TOO_MANY);
      this.#refuse(lexeme);
      if (this.isGivenUp) return;
      let isBroken = false;
      for (const token of this.#parser.next(lexeme.text)) {
        isBroken ||= token.type === "error";
        yield token;
      }
      if (isTooDeep(this.#parser)) return this.giveUp("too-deep", lexeme.offset, TOO_DEEP);
      // Problems after an error mostly repeat it. The document so far is still composed, for errors further up.
      if (isBroken) break;
    }
    yield* this.#parser.end();
  }

  /** Counts the lexeme. Returns true, and reports it, when a second document begins with the lexeme. */
  #beginsAnother({ type, offset }: Lexeme): boolean {
    if (UNCOUNTED.has(type)) return false;
    if (this.#hasStarted && (type === "doc-start" || (this.#hasEnded && type !== "doc-end"))) {
      this.hasRefused = true;
      const message = "a second document begins here";
      this.#report.add("second-document", this.#placeOf(offset), message, "put everything into one document");
      return true;
    }
    this.#hasEnded ||= type === "doc-end";
    this.#hasStarted ||= type !== "directive-line";
    this.#counted++;
    return false;
  }

  #refuse({ type, text, offset }: Lexeme): void {
    const refused = type === null ? undefined : REFUSED[type];
    if (!refused) return;
    this.hasRefused = true;
    const message = `${refused.thing} \`${shown(text)}\` is not allowed`;
    this.#report.add(refused.kind, this.#placeOf(offset), message, refused.hint);
    this.isGivenUp ||= this.#report.isFull();
  }
}

const closingQuote = (error: YAMLError): string | null =>
  error.code === "MISSING_CHAR" ? (/closing (["'])quote/.exec(error.message)?.[1] ?? null) : null;

const OPENING: Readonly<Record<string, string>> = { "flow-map-start": "{", "flow-seq-start": "[" };

/** The innermost bracket that is still open where the text ends; null when every bracket is closed. */
function openBracket(text: string): { readonly bracket: string; readonly line: number } | null {
  const open: { readonly bracket: string; readonly offset: number }[] = [];
  for (const { type, offset } of lexemes(text)) {
    const bracket = type === null ? undefined : OPENING[type];
    if (bracket !== undefined) open.push({ bracket, offset });
    else if (type === "flow-map-end" || type === "flow-seq-end") open.pop();
  }
  const last = open.at(-1);
  return last === undefined ? null : { bracket: last.bracket, line: text.slice(0, last.offset).split("\n").length };
}

/** The start of the text whose closing quote is missing; null when the error is another. */
function openingQuote(error: YAMLError, text: string): number | null {
  const quote = closingQuote(error);
  if (quote === null) return null;
  let open: number | null = null;
  for (const { type, text: lexeme, offset } of lexemes(text)) {
    if (type === "double-quoted-scalar" || type === "single-quoted-scalar") {
      if (lexeme.length < 2 || !lexeme.endsWith(quote)) open = offset;
      else if (open === null && offset + lexeme.length > error.pos[0]) open = offset;
    }
  }
  return open;
}

/** This runs after each lexeme, so the cheap test comes first: the parser's stack holds every open value. */
const isTooDeep = (parser: Parser): boolean =>
  parser.stack.length > MAX_DEPTH && parser.stack.filter((token) => CST.isCollection(token)).length > MAX_DEPTH;
