/** Tables drop what matters least until they fit. */
import { expect, test } from "bun:test";
import { type Column, renderTable } from "../../../src/cli/screen/table.ts";
import { PIPE, span } from "../../../src/cli/screen/terminal.ts";

interface Row {
  readonly name: string;
  readonly count: number;
}

const COLUMNS: readonly Column<Row>[] = [
  { title: "NAME", align: "left", rank: 0, cell: ({ name }) => span(name) },
  { title: "COUNT", align: "right", rank: 1, cell: ({ count }) => span(String(count)) },
  { title: "SQUARE", align: "right", rank: 2, cell: ({ count }) => span(String(count ** 2)) },
];
const ROWS: readonly Row[] = [
  { name: "a", count: 3 },
  { name: "longer", count: 12 },
];

const at = (width: number): string[] => renderTable(COLUMNS, ROWS, { ...PIPE, width });

test("columns stand below their titles, numbers to the right", () => {
  expect(renderTable(COLUMNS, ROWS, PIPE)).toEqual([
    "NAME    COUNT  SQUARE",
    "a           3       9",
    "longer     12     144",
  ]);
});

test("the column of the highest rank goes first", () => {
  expect(at(20)).toEqual(["NAME    COUNT", "a           3", "longer     12"]);
  expect(at(10)).toEqual(["NAME", "a", "longer"]);
});

test("what is left is cut when even that is too wide", () => {
  expect(at(4)).toEqual(["NAME", "a", "lon…"].map((line, index) => (index === 2 ? line : expect.any(String))));
  for (const line of at(4)) expect(line.length).toBeLessThanOrEqual(4);
});

test("wide characters keep the columns in line", () => {
  const [, first, second] = renderTable(
    COLUMNS,
    [
      { name: "日本", count: 1 },
      { name: "ab", count: 2 },
    ],
    PIPE,
  );
  expect(Bun.stringWidth(first ?? "")).toBe(Bun.stringWidth(second ?? ""));
});
