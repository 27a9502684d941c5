/** Owns the text of a library page for people. */
import { type Column, renderTable } from "../screen/table.ts";
import { renderLine, type Screen, type Span, type Style, span, wrapLines } from "../screen/terminal.ts";
import type { FieldLine, OptionLine, Page } from "./page.ts";

const INDENT = "  ";

/** A longer type is shown only in `--json`. */
const MAX_TYPE = 40;

const short = (text: string): string => (text.length > MAX_TYPE ? `${text.slice(0, MAX_TYPE - 1)}…` : text);

interface Cells {
  readonly left: readonly Span[];
  readonly about: string;
}

/** Columns, and below each row its wrapped description. */
function rows(lines: readonly Cells[], screen: Screen): string[] {
  const widths: number[] = [];
  for (const { left } of lines) {
    for (const [at, { text }] of left.entries()) widths[at] = Math.max(widths[at] ?? 0, Bun.stringWidth(text));
  }
  return lines.flatMap(({ left, about }) => {
    const head = left.map(({ text, style }, at) => span(text.padEnd((widths[at] ?? 0) + 2), style));
    const said = about === "" ? [] : wrapLines([span(`${INDENT}    ${about}`, "dim")], [span(`${INDENT}    `)], screen);
    return [renderLine([span(INDENT), ...head], screen), ...said];
  });
}

const optionCells = ({ name, type, default: fallback, about }: OptionLine): Cells => ({
  left: [span(name, "cyan"), span(type), span(fallback === null ? "required" : `default ${fallback}`, "dim")],
  about,
});

const fieldCells = ({ name, type, unit, about }: FieldLine): Cells => ({
  left: [span(name, "cyan"), span(short(type)), span(unit ?? "", "dim")],
  about,
});

const column = (title: string, at: number): Column<readonly string[]> => ({
  title,
  align: "left",
  rank: 0,
  cell: (cells) => span(cells[at] ?? ""),
});

function tableLines([head = [], ...body]: readonly (readonly string[])[], screen: Screen): string[] {
  return renderTable(head.map(column), body, screen).map((line) => INDENT + line);
}

export function renderPage(page: Page, screen: Screen): string {
  const { kind, name, summary, options, payload, needs, notes, tables, example } = page;
  const title = (text: string, style: Style = "bold"): string => renderLine([span(text, style)], screen);
  const section = (heading: string, lines: readonly string[]): string[] =>
    lines.length === 0 ? [] : ["", title(heading), ...lines];
  const reference = `${kind}:${name}`;
  return [
    ...wrapLines([span(reference, "bold"), span(`  ${summary}.`)], [], screen),
    ...section("Options, under `with`", rows(options.map(optionCells), screen)),
    ...section("Payload", rows((payload ?? []).map(fieldCells), screen)),
    ...tables.flatMap((table) => ["", ...tableLines(table, screen)]),
    "",
    needs === null
      ? "Needs: nothing that the unit of `nerve unit` does not leave open."
      : `Needs: ${needs.kinds.join(" and ")}, as ${needs.because} says; \`nerve unit\` opens them, \`nerve check --host\` says what is missing.`,
    ...notes.flatMap((note) => ["", ...wrapLines([span(note)], [], screen)]),
    ...section(
      "Example, for nerve.yaml",
      example.split("\n").map((line) => INDENT + line),
    ),
    "",
    `nerve add ${reference}           puts it into nerve.yaml`,
    `nerve add ${reference} --copy    copies it out, to be changed`,
  ].join("\n");
}
