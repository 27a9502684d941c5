/**
 * Owns the handling of two texts that people write without quotes and that YAML reads as something else: a `${X}` inside
 * `{ }` or `[ ]`, and a cron expression that begins with `*` or `@`. Each is reported once, with the quotes to add, and
 * then overwritten in the text, so that the rest of the file is still checked.
 */
import { type Lexeme, lexemes } from "./lexemes.ts";
import type { Report } from "./report.ts";
import { type Place, shown } from "./tree.ts";
import { MASK, MAX_LEXEMES } from "./yaml-node.ts";

interface Span {
  readonly start: number;
  readonly end: number;
}

/** Returns the text with the reported parts masked. Every other character keeps its place. */
export function maskUnquoted(text: string, placeOf: (offset: number) => Place, report: Report): string {
  if (!text.includes("${") && !/cron["']?\s*:\s*[*@]/.test(text)) return text;
  const masked: string[] = [];
  let end = 0;
  for (const span of unquoted(text, placeOf, report)) {
    masked.push(text.slice(end, span.start), MASK.repeat(span.end - span.start));
    end = span.end;
  }
  return end === 0 ? text : masked.join("") + text.slice(end);
}

/** Spans in the order of the text. */
function* unquoted(text: string, placeOf: (offset: number) => Place, report: Report): Generator<Span> {
  let end = 0;
  let count = 0;
  /** `previous`: the lexeme of text before the present one, for `${`. `cron`: how far a key `cron:` has been read. */
  let previous: Lexeme | null = null;
  let cron: "key" | "colon" | null = null;
  let depth = 0;
  for (const lexeme of lexemes(text)) {
    if (count++ > MAX_LEXEMES || report.isFull()) return;
    const { type, offset } = lexeme;
    if (offset < end) continue;
    if (type === "flow-map-start" || type === "flow-seq-start") depth++;
    else if (type === "flow-map-end" || type === "flow-seq-end") depth--;
    const found = isVariable(lexeme, previous)
      ? variableAt(text, offset, placeOf, report)
      : cron === "colon" && isCron(lexeme)
        ? cronAt(text, offset, depth > 0, placeOf, report)
        : null;
    if (found !== null) {
      yield found;
      end = found.end;
      if (type === "flow-map-start") depth--;
    }
    if (type !== "scalar") previous = type === "plain" ? lexeme : null;
    cron = nextOfCron(cron, lexeme);
  }
}

const isVariable = ({ type }: Lexeme, previous: Lexeme | null): boolean =>
  type === "flow-map-start" && previous?.text.endsWith("$") === true;

function variableAt(text: string, offset: number, placeOf: (offset: number) => Place, report: Report): Span | null {
  const close = text.indexOf("}", offset);
  const newline = text.indexOf("\n", offset);
  if (close === -1 || (newline !== -1 && close > newline)) return null;
  const start = offset - 1;
  const written = shown(text.slice(start, close + 1));
  const message = `\`${written}\` stands unquoted inside { } or [ ], where YAML takes its braces for a map`;
  report.add("unquoted-variable", placeOf(start), message, `quote it: "${written}"`);
  return { start, end: close + 1 };
}

const isCron = ({ type, text }: Lexeme): boolean =>
  (type === "alias" && /^\*(?:[/,]|$)/.test(text)) || (type === "plain" && text.startsWith("@"));

function nextOfCron(cron: "key" | "colon" | null, { type, text }: Lexeme): "key" | "colon" | null {
  if (type === "space" || type === "scalar") return cron;
  if (cron === "key") return type === "map-value-ind" ? "colon" : null;
  return (type === "plain" && text === "cron") || /^["']cron["']$/.test(text) ? "key" : null;
}

/** In a block the expression ends with the line. Inside `{ }` it ends with the bracket or the next key. */
const CRON_IN_BLOCK = /[^\n#]*/y;
const CRON_IN_FLOW = /(?:(?!,\s*["']?[A-Za-z_]+["']?\s*:|\s#)[^}\]\n])*/y;

function cronAt(
  text: string,
  start: number,
  isFlow: boolean,
  placeOf: (offset: number) => Place,
  report: Report,
): Span {
  const pattern = isFlow ? CRON_IN_FLOW : CRON_IN_BLOCK;
  pattern.lastIndex = start;
  const written = (pattern.exec(text)?.[0] ?? "").trimEnd();
  const message = `the cron expression \`${shown(written)}\` stands unquoted, where YAML takes its ${written.charAt(0)} for something else`;
  report.add("unquoted-cron", placeOf(start), message, `quote it: "${shown(written)}"`);
  return { start, end: start + written.length };
}
