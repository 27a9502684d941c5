/**
 * Where text goes and how it is dressed. Lines are made of spans, so that they are cut to a terminal's width before they
 * are coloured and a colour is never cut in half. Text from outside is escaped by whoever makes a span of it.
 */
import { writeSync } from "node:fs";
import { escapeForTerminal } from "../../base/escape.ts";
import { type Problem, problem } from "../../model/problem.ts";

export type Style = "bold" | "dim" | "red" | "green" | "yellow" | "cyan";

export interface Span {
  readonly text: string;
  readonly style: Style | null;
}

/** What a stream can show. Neither a pipe nor a file is coloured or cut. */
export interface Screen {
  readonly terminal: boolean;
  readonly colours: boolean;
  /** Columns, or null when lines may be of any length. */
  readonly width: number | null;
}

const CODES: Readonly<Record<Style, number>> = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33, cyan: 36 };
const STDOUT = 1;
const STDERR = 2;

export const PIPE: Screen = { terminal: false, colours: false, width: null };

export const span = (text: string, style: Style | null = null): Span => ({ text, style });

function screenOf(stream: NodeJS.WriteStream): Screen {
  if (stream.isTTY !== true) return PIPE;
  const { NO_COLOR = "", TERM } = process.env;
  return { terminal: true, colours: NO_COLOR === "" && TERM !== "dumb", width: stream.columns || null };
}

export const stdoutScreen = (): Screen => screenOf(process.stdout);
export const stderrScreen = (): Screen => screenOf(process.stderr);

/** Lines of a text keep their ends; everything else unsafe is escaped. */
export const escapeLines = (text: string): string => text.trimEnd().split(/\r?\n/).map(escapeForTerminal).join("\n");

/** As much of `text` as `width` columns hold. */
export function cut(text: string, width: number): string {
  let kept = "";
  let used = 0;
  for (const { segment } of new Intl.Segmenter().segment(text)) {
    used += Bun.stringWidth(segment);
    if (used > width) break;
    kept += segment;
  }
  return kept;
}

export const paint = (text: string, style: Style | null, colours: boolean): string =>
  style === null || !colours || text === "" ? text : `\x1b[${CODES[style]}m${text}\x1b[0m`;

export function renderLine(spans: readonly Span[], screen: Screen): string {
  const painted = ({ text, style }: Span): string => paint(text, style, screen.colours);
  const widths = spans.map(({ text }) => Bun.stringWidth(text));
  const overflows = screen.width !== null && widths.reduce((sum, width) => sum + width, 0) > screen.width;
  if (!overflows) return spans.map(painted).join("").trimEnd();
  let left = (screen.width ?? 0) - 1;
  let line = "";
  for (const [index, { text, style }] of spans.entries()) {
    const width = widths[index] ?? 0;
    line += painted(span(width > left ? cut(text, left) : text, style));
    left -= width;
    if (left < 0) break;
  }
  return line.trimEnd() + paint("…", "dim", screen.colours);
}

/** Below the first line of a text of several. */
const CONTINUED = "    ";

/** A line for each line of the text in `spans`; those after the first are indented. */
export function renderLines(spans: readonly Span[], screen: Screen): string[] {
  return splitLines(spans).map((line, at) => renderLine(at === 0 ? line : [span(CONTINUED), ...line], screen));
}

function splitLines(spans: readonly Span[]): Span[][] {
  let line: Span[] = [];
  const lines = [line];
  for (const { text, style } of spans) {
    for (const [at, part] of text.split("\n").entries()) {
      if (at > 0) {
        line = [];
        lines.push(line);
      }
      line.push(span(part, style));
    }
  }
  return lines;
}

/** The same, and a line that is too wide goes on below. `margin` stands before every line but the first. */
export function wrapLines(spans: readonly Span[], margin: readonly Span[], screen: Screen): string[] {
  const free: Screen = { ...screen, width: null };
  const marginWidth = margin.reduce((sum, { text }) => sum + Bun.stringWidth(text), 0);
  // A terminal too narrow for the margin wraps for itself.
  const width = screen.width === null || screen.width < marginWidth + MIN_WRAPPED ? null : screen.width;
  const lines: string[] = [];
  for (const line of splitLines(spans)) {
    for (const piece of width === null ? [line] : wrapped(line, width, width - marginWidth)) {
      lines.push(renderLine(lines.length === 0 ? piece : [...margin, ...piece], free));
    }
  }
  return lines;
}

const MIN_WRAPPED = 20;

/** At spaces where there are any: the first piece up to `first` columns wide, the others up to `others`. */
function wrapped(line: readonly Span[], first: number, others: number): Span[][] {
  const pieces: Span[][] = [];
  let piece: Span[] = [];
  let left = first;
  const begin = (): void => {
    pieces.push(piece);
    piece = [];
    left = others;
  };
  for (const { text, style } of line) {
    for (let word of text.match(/ *[^ ]+| +/g) ?? []) {
      if (Bun.stringWidth(word) > left && piece.length > 0) {
        begin();
        word = word.trimStart();
      }
      while (Bun.stringWidth(word) > left) {
        const part = cut(word, left);
        piece.push(span(part, style));
        word = word.slice(part.length);
        begin();
      }
      if (word === "") continue;
      piece.push(span(word, style));
      left -= Bun.stringWidth(word);
    }
  }
  if (piece.length > 0 || pieces.length === 0) pieces.push(piece);
  return pieces;
}

/** Where the result was to go there is no room, or no device. */
class OutputError extends Error {
  readonly problem: Problem;

  constructor({ message }: Error) {
    super(`stdout cannot be written: ${message}`);
    this.problem = problem("output", this.message);
  }
}

function writeAll(descriptor: number, text: string): void {
  const bytes = Buffer.from(text);
  for (let written = 0; written < bytes.length; ) {
    try {
      written += writeSync(descriptor, bytes, written);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === "EPIPE" && descriptor === STDOUT) {
        // Whoever read has seen enough (`| head`): an end like any other.
        process.exit(0);
      }
      // Somebody else made the descriptor non-blocking, and its reader is slow.
      if (code === "EAGAIN") Bun.sleepSync(5);
      else if (descriptor === STDERR) return;
      else throw new OutputError(error as Error);
    }
  }
}

/** Written before it returns, so that nothing is lost when the process ends right after. */
export const print = (line: string): void => writeAll(STDOUT, `${line}\n`);
export const printError = (line: string): void => writeAll(STDERR, `${line}\n`);
export const printLine = (spans: readonly Span[]): void => print(renderLine(spans, stdoutScreen()));
