/** Owns tables that stay readable on a narrow terminal: the least important columns are left out until the rest fits. */
import { renderLine, type Screen, type Span, span } from "./terminal.ts";

export interface Column<Row> {
  readonly title: string;
  readonly align: "left" | "right";
  /** Without space, columns with the highest number are left out first; columns with 0 always stay. */
  readonly rank: number;
  readonly cell: (row: Row) => Span;
}

const GAP = 2;

export function renderTable<Row>(columns: readonly Column<Row>[], rows: readonly Row[], screen: Screen): string[] {
  const measured = columns.map((column) => {
    const cells = rows.map(column.cell);
    const width = Math.max(column.title.length, ...cells.map(({ text }) => Bun.stringWidth(text)));
    return { column, cells, width };
  });
  let shown = measured;
  const total = (): number => shown.reduce((sum, { width }) => sum + width + GAP, -GAP);
  while (screen.width !== null && total() > screen.width) {
    const last = Math.max(...shown.map(({ column }) => column.rank));
    if (last === 0) break;
    shown = shown.filter(({ column }) => column.rank !== last);
  }
  const line = (cellOf: (index: number) => Span): string =>
    renderLine(
      shown.flatMap(({ column, width }, index) => {
        const { text, style } = cellOf(index);
        const space = " ".repeat(width - Bun.stringWidth(text));
        const gap = span(index === 0 ? "" : " ".repeat(GAP));
        return column.align === "right" ? [gap, span(space), span(text, style)] : [gap, span(text, style), span(space)];
      }),
      screen,
    );
  return [
    line((index) => span(shown[index]?.column.title ?? "", "dim")),
    ...rows.map((_, row) => line((index) => shown[index]?.cells[row] ?? span(""))),
  ];
}
