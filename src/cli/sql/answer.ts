/** Owns the print of a query's answer: a table once all rows are there, JSON and CSV row by row. */
import { escapeForTerminal } from "../../base/escape.ts";
import type { Cell, Format, Rows } from "../../sql/messages.ts";
import { csvLine } from "../../sql/values.ts";
import { warn } from "../screen/failure.ts";
import { SECRETS } from "../screen/secrets.ts";
import { type Column, renderTable } from "../screen/table.ts";
import { print, type Span, span, stdoutScreen } from "../screen/terminal.ts";

/** A table is laid out as a whole. Nobody reads a longer one. */
const MOST_ROWS = 10_000;

export interface Answer {
  columns(names: readonly string[]): void;
  rows(rows: Rows): void;
  /** No more rows come. */
  finish(): void;
}

export const answerIn = (format: Format): Answer => (format === "table" ? new TableAnswer() : new LineAnswer(format));

class LineAnswer implements Answer {
  readonly #format: "json" | "csv";

  constructor(format: "json" | "csv") {
    this.#format = format;
  }

  columns(names: readonly string[]): void {
    if (this.#format === "csv") print(csvLine(names));
  }

  rows(rows: Rows): void {
    if (rows.format !== "table") print(rows.lines.map((line) => SECRETS.text(line)).join("\n"));
  }

  finish(): void {}
}

const spanOf = ({ text, kind }: Cell): Span => span(SECRETS.text(text), kind === "null" ? "dim" : null);

class TableAnswer implements Answer {
  readonly #rows: (readonly Cell[])[] = [];
  #names: readonly string[] = [];
  #left = 0;

  columns(names: readonly string[]): void {
    this.#names = names;
  }

  rows(rows: Rows): void {
    if (rows.format !== "table") return;
    const room = MOST_ROWS - this.#rows.length;
    this.#rows.push(...rows.cells.slice(0, room));
    this.#left += Math.max(0, rows.cells.length - room);
  }

  finish(): void {
    if (this.#names.length === 0) return;
    const columns = this.#names.map((name, at) => this.#column(name, at));
    print(renderTable(columns, this.#rows, stdoutScreen()).join("\n"));
    if (this.#left > 0) warn(`${this.#left} more rows are not shown: --json and --csv print all, LIMIT fewer`, false);
  }

  #column(name: string, at: number): Column<readonly Cell[]> {
    const isNumber = this.#rows.every((row) => row[at]?.kind !== "text") && this.#rows.length > 0;
    const cell = (row: readonly Cell[]): Span => spanOf(row[at] as Cell);
    return { title: escapeForTerminal(name), align: isNumber ? "right" : "left", rank: 0, cell };
  }
}
