/**
 * YAML text → one composed document, refusing on the way what a configuration has no use for: anchors, aliases, tags,
 * directives, further documents, deep nesting, masses of values. Works on the lexer's stream, so that a hostile file is
 * given up while it is read and not after. Foreign code (`yaml`) is caught here and nowhere else.
 */
import { Composer, CST, type Document, Lexer, LineCounter, Parser, type YAMLError } from "yaml";
import type { Report } from "./report.ts";
import { type Place, shown } from "./tree.ts";

export const MAX_DEPTH = 20;
export const MAX_NODES = 20_000;
/** Every value takes at most four of the counted lexemes, so more of them are more than `MAX_NODES` values. */
const MAX_LEXEMES = MAX_NODES * 4;
const UNCOUNTED: ReadonlySet<string | null> = new Set(["space", "newline", "comment", "doc-mode", "byte-order-mark"]);

export const TOO_MANY = `the file holds more than ${MAX_NODES} values`;
export const TOO_DEEP = `values are nested deeper than ${MAX_DEPTH} levels`;

export interface Composed {
  /** Null when the file holds nothing but comments. */
  readonly contents: Document.Parsed["contents"];
}

interface Lexeme {
  readonly text: string;
  /** A token type of `yaml`, or `plain` for the text of a plain or block scalar. */
  readonly type: string | null;
  readonly offset: number;
}

/** The lexer marks the text of a scalar by a lexeme of its own before it. */
function* lexemes(text: string): Generator<Lexeme> {
  let offset = 0;
  let isScalarText = false;
  for (const lexeme of new Lexer().lex(text)) {
    const type: string | null = isScalarText ? "plain" : CST.tokenType(lexeme);
    yield { text: lexeme, type, offset };
    isScalarText = type === "scalar";
    // Marks stand for no text of the file.
    if (type !== "scalar" && type !== "doc-mode" && type !== "flow-error-end") offset += lexeme.length;
  }
}

/** What a variable that YAML cannot see as one is overwritten with, so that the rest of the file can still be checked. */
export const MASK = "\ue000";

/**
 * Inside `{ }` and `[ ]` YAML reads an unquoted `${X}` as a `$` with a map behind it. Reports each and returns the text
 * with them masked, every other character in its place.
 */
export function maskUnquotedVariables(text: string, placeOf: (offset: number) => Place, report: Report): string {
  if (!text.includes("${")) return text;
  const masked: string[] = [];
  let end = 0;
  let count = 0;
  let previous: Lexeme | null = null;
  for (const lexeme of lexemes(text)) {
    if (count++ > MAX_LEXEMES || report.isFull()) break;
    if (lexeme.offset >= end && lexeme.type === "flow-map-start" && previous?.text.endsWith("$") === true) {
      const close = text.indexOf("}", lexeme.offset);
      const newline = text.indexOf("\n", lexeme.offset);
      if (close !== -1 && (newline === -1 || close < newline)) {
        const start = lexeme.offset - 1;
        const message = `\`${shown(text.slice(start, close + 1))}\` stands unquoted inside { } or [ ], where YAML takes its braces for a map`;
        report.add("unquoted-variable", placeOf(start), message, `quote it: "${shown(text.slice(start, close + 1))}"`);
        masked.push(text.slice(end, start), MASK.repeat(close + 1 - start));
        end = close + 1;
      }
    }
    if (lexeme.type !== "scalar") previous = lexeme.type === "plain" ? lexeme : null;
  }
  return end === 0 ? text : masked.join("") + text.slice(end);
}

const REFUSED: Readonly<Record<string, { kind: string; thing: string; hint: string }>> = {
  anchor: { kind: "anchor", thing: "the anchor", hint: "anchors are not supported, write the value out" },
  alias: { kind: "alias", thing: "the alias", hint: "aliases are not supported, write the value out" },
  tag: { kind: "tag", thing: "the tag", hint: "tags are not supported, remove it" },
  "directive-line": { kind: "directive", thing: "the directive", hint: "directives are not supported, remove it" },
};

/** Messages for mistakes people make; anything else is told in the parser's own words. */
const PLAIN_WORDS: Readonly<Record<string, string>> = {
  TAB_AS_INDENT: "a tab indents this line; use spaces",
  BLOCK_AS_IMPLICIT_KEY: "a second `key: value` on one line; quote the text, or put the map on lines of its own",
  BAD_INDENT: "the indentation does not fit what is above, or a bracket is not closed",
  UNEXPECTED_TOKEN: "nothing fits here; a quote, comma, bracket or `:` further up may be missing or one too many",
  MULTILINE_IMPLICIT_KEY: "a `:` is missing, or text runs over several lines without quotes",
};

/** `'critical' | 'warning'`, as it stands in TypeScript: to YAML the text ends with its second quote. */
const QUOTED_ALTERNATIVES = /['"]\s*[|&]\s*$/;
const LOOKED_BACK = 80;

function ownWords(error: YAMLError, text: string): string {
  const before = text.slice(Math.max(0, error.pos[0] - LOOKED_BACK), error.pos[0] + 1);
  if (error.code === "UNEXPECTED_TOKEN" && QUOTED_ALTERNATIVES.test(before)) {
    return "the text ends at the quote before `|`; quote the whole pattern, as in \"'critical' | 'warning'\"";
  }
  const known = PLAIN_WORDS[error.code];
  if (known !== undefined) return known;
  const words = error.message.replace(/flow map(?:ping)?/g, "{ }").replace(/flow (?:sequence|collection)/g, "[ ]");
  return shown(words.charAt(0).toLowerCase() + words.slice(1));
}

export const placeFinder = (file: string, lines: LineCounter) => {
  return (offset: number): Place => {
    const { line, col } = lines.linePos(offset);
    return { file, line: Math.max(1, line), column: Math.max(1, col) };
  };
};

/** Fills `lines` for the whole text, so that places are known before it is parsed. */
export function countLines(text: string): LineCounter {
  const lines = new LineCounter();
  lines.addNewLine(0);
  for (let at = text.indexOf("\n"); at !== -1; at = text.indexOf("\n", at + 1)) lines.addNewLine(at + 1);
  return lines;
}

/**
 * The one document of `text`, as far as it can be used: null when it is malformed, or was given up. Anchors, aliases and
 * tags are reported and passed over, so that the rest is checked as well.
 */
export function composeYaml(text: string, placeOf: (offset: number) => Place, report: Report): Composed | null {
  let isGivenUp = false;
  let hasRefused = false;
  const giveUp = (kind: string, offset: number, message: string): void => {
    isGivenUp = true;
    report.add(kind, placeOf(offset), message, null);
  };

  function* tokens(): Generator<CST.Token> {
    const parser = new Parser();
    let counted = 0;
    let hasStarted = false;
    let hasEnded = false;
    for (const lexeme of lexemes(text)) {
      const { type, offset } = lexeme;
      if (!UNCOUNTED.has(type)) {
        if (hasStarted && (type === "doc-start" || (hasEnded && type !== "doc-end"))) {
          hasRefused = true;
          const hint = "put everything into one document";
          report.add("second-document", placeOf(offset), "a second document begins here", hint);
          break;
        }
        hasEnded ||= type === "doc-end";
        hasStarted ||= type !== "directive-line";
        if (++counted > MAX_LEXEMES) return giveUp("too-many-values", offset, TOO_MANY);
      }
      const refused = type === null ? undefined : REFUSED[type];
      if (refused) {
        hasRefused = true;
        const message = `${refused.thing} \`${shown(lexeme.text)}\` is not allowed`;
        report.add(refused.kind, placeOf(offset), message, refused.hint);
        if (report.isFull()) {
          isGivenUp = true;
          return;
        }
      }
      let isBroken = false;
      for (const token of parser.next(lexeme.text)) {
        isBroken ||= token.type === "error";
        yield token;
      }
      if (isTooDeep(parser)) return giveUp("too-deep", offset, TOO_DEEP);
      // What follows an error is mostly its echo; the document so far is composed for errors further up.
      if (isBroken) break;
    }
    yield* parser.end();
  }

  const composer = new Composer({
    version: "1.2",
    schema: "core",
    uniqueKeys: false,
    merge: false,
    logLevel: "silent",
  });
  let document: Document.Parsed | undefined;
  try {
    document = composer.compose(tokens(), true, text.length).next().value ?? undefined;
  } catch {
    giveUp("bad-yaml", 0, "this is not valid YAML, and the parser cannot say where");
  }
  if (!document || isGivenUp) return null;
  const first = document.errors.toSorted((a, b) => a.pos[0] - b.pos[0])[0];
  if (first === undefined) return { contents: document.contents };
  // The parser stumbles over several tags or anchors in a row, which is told already.
  if (!hasRefused) giveUp("bad-yaml", first.pos[0], `this is not valid YAML: ${ownWords(first, text)}`);
  return null;
}

/** A cheap look first: the parser keeps every open value on its stack, and this is asked after each lexeme. */
const isTooDeep = (parser: Parser): boolean =>
  parser.stack.length > MAX_DEPTH && parser.stack.filter((token) => CST.isCollection(token)).length > MAX_DEPTH;
