/** What people write in place of a duration or a size, and what they are told to write. */
import { expect, test } from "bun:test";
import { DURATION_UNITS, hintOn, SIZE_UNITS } from "../../src/config/quantities.ts";
import type { Tree } from "../../src/config/tree.ts";

const place = { file: "nerve.yaml", line: 1, column: 1 };
const tree = (text: string, filled = false): Tree => ({
  kind: "scalar",
  place,
  value: text,
  text,
  written: text,
  filled,
});

test.each([
  ["5 minutes", "write `5m`"],
  ["5min", "write `5m`"],
  ["90 sec", "write `90s`"],
  ["1h30m", "write `90m`"],
  ["1h 30min", "write `90m`"],
  ["1.5h", "write `90m`"],
  ["0.5s", "write `500ms`"],
  ["2 weeks", "write `14d`"],
  ["24 Hours", "write `1d`"],
  ["10", "add a unit: ms, s, m, h or d"],
  ["0.1ms", "write a whole number and ms, s, m, h or d"],
  ["soon", "write a whole number and ms, s, m, h or d"],
  ["5m later", "write a whole number and ms, s, m, h or d"],
])("the duration %j: %s", (text, hint) => {
  expect(hintOn(tree(text), DURATION_UNITS)).toBe(hint);
});

test.each([
  ["256Mi", "write `256mb`"],
  ["256 MB", "write `256mb`"],
  ["1.5G", "write `1536mb`"],
  ["1T", "write `1024gb`"],
  ["256", "add a unit: b, kb, mb or gb"],
  ["a lot", "write a whole number and b, kb, mb or gb"],
])("the size %j: %s", (text, hint) => {
  expect(hintOn(tree(text), SIZE_UNITS)).toBe(hint);
});

test("what a variable held is not quoted", () => {
  expect(hintOn(tree("5 minutes", true), DURATION_UNITS)).toBe("write a whole number and ms, s, m, h or d");
});
