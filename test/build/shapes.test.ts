/** Shapes of our own say `T | null`; what is somebody else's may leave out what it likes. */
import { expect, test } from "bun:test";
import { looseShapes } from "../../scripts/shapes.ts";

test.each([
  ["interface A {\n  readonly b?: number;\n}", [2]],
  ["type A = { b?: number; c: { d?: string } };", [1, 1]],
  ['const f = (a: { "b"?: number }): void => {};', [1]],
  ["class A {\n  b?: number;\n}", [2]],
  ["type A = Partial<B>;", [1]],
  ["const f = (a: Readonly<Partial<B>> = {}): void => {};", [1]],
])("%j is refused", (source, lines) => {
  const found = looseShapes("src/base/x.ts", source);
  expect(found.map((problem) => Number(problem.split(":")[1]))).toEqual(lines);
});

test.each([
  ["const code = (error as { code?: string }).code;"],
  ["const { code } = error as Error & { readonly code?: unknown };"],
  ["const at = (type as { get(path: string): { expression?: unknown } }).get(path);"],
  ["const id = (JSON.parse(line) as Partial<Log> | null)?.id;"],
  ["const f = (a: number, b?: number): number => (b ? a : 0);"],
  ['// { a?: number }\nconst pattern = "{ a?: number } Partial<";'],
  ["const a = { b: c ? d : e };"],
])("%j is fine", (source) => {
  expect(looseShapes("src/base/x.ts", source)).toEqual([]);
});

test("StepOptions may leave out properties: authors write them beside each step", () => {
  const source =
    "export interface StepOptions {\n  readonly retry?: { readonly limit: number; readonly backoff?: number };\n}\n";
  expect(looseShapes("src/sdk/index.ts", source)).toEqual([]);
  expect(looseShapes("src/sdk/index.ts", source.replace("StepOptions", "Others"))).toHaveLength(2);
});
