/**
 * Owns the output of text and its style. Lines are made of spans. A line is cut to the terminal's width before it gets
 * colours, so that no colour is cut in half. The code that makes a span of text from outside escapes this text.
 */
import { writeSync } from "node:fs";
import { escapeForTerminal } from "../../base/escape.ts";
import { type Problem, problem } from "../../model/problem.ts";

export type Style = "bold" | "dim" | "red" | "green" | "yellow" | "cyan";

export interface Span {
  readonly text: string;
  readonly style: Style | null;
}

/** The abilities of a stream. Output to a pipe or a file is neither coloured nor cut. */
export interface Screen {
  readonly terminal: boolean;
  readonly colours: boolean;
  /** The number of columns; null when lines may have any length. */
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

/** Keeps the line breaks of a text, and escapes everything else that is unsafe. */
export const escapeLines = (text: string): string => text.trimEnd().split(/\r?\n/).map(escapeForTerminal).join("\n");

/** The beginning of `text` that fits into `width` columns. */
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

/** The margin of all lines below the first line of a text. */
const CONTINUED = "    ";

/** One line for each line of the text in `spans`. All lines after the first are indented. */
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

/** Like `renderLines`, but a line that is too wide continues below. `margin` stands before every line but the first. */
export function wrapLines(spans: readonly Span[], margin: readonly Span[], screen: Screen): string[] {
  const free: Screen = { ...screen, width: null };
  const marginWidth = margin.reduce((sum, { text }) => sum + Bun.stringWidth(text), 0);
  // A terminal that is too narrow for the margin wraps lines by itself.
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

/** Breaks at spaces where possible. The first piece is at most `first` columns wide, the others at most `others`. */
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

/** The place of the result has no space, or the device is gone. */
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
        // The reader has closed the pipe (`| head`): this is a normal end.
        process.exit(0);
      }
      // Another process made the descriptor non-blocking, and its reader is slow.
      if (code === "EAGAIN") Bun.sleepSync(5);
      else if (descriptor === STDERR) return;
      else throw new OutputError(error as Error);
    }
  }
}

/** Writes before it returns, so that nothing is lost when the process ends right after. */
export const print = (line: string): void => writeAll(STDOUT, `${line}\n`);
export const printError = (line: string): void => writeAll(STDERR, `${line}\n`);
export const printLine = (spans: readonly Span[]): void => print(renderLine(spans, stdoutScreen()));
