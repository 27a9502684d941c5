/** The kernel reaches outside through its world alone. */
import { expect, test } from "bun:test";
import { dirname } from "node:path";
import { allWaysOut, waysOut } from "../../scripts/outside.ts";

const ROOT = dirname(dirname(import.meta.dir));

test("nothing in the kernel goes around its world", () => {
  expect(allWaysOut(ROOT)).toEqual([]);
});

test.each([
  "setTimeout(act, 5);",
  "const now = Date.now();",
  "const share = Math.random();",
  "await Bun.sleep(5);",
  "queueMicrotask(act);",
  'import { readFileSync } from "node:fs";',
  "const started = performance.now();",
  "const { pid } = process.report;",
  'import { randomBytes } from "node:crypto";',
])("%p is named where the kernel says it, and allowed in its host", (line) => {
  expect(waysOut("src/kernel/senses/x.ts", `const a = 1;\n${line}`)).toHaveLength(1);
  expect(waysOut("src/kernel/host/x.ts", line)).toEqual([]);
});

test("a type, a comment and what is pure go through", () => {
  const pure =
    'import type { Dirent } from "node:fs";\n// Date.now\nBun.deepEquals(a, b);\nimport { join } from "node:path";';
  expect(waysOut("src/kernel/senses/x.ts", pure)).toEqual([]);
});
