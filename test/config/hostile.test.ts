// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the braces are the syntax under test
/** Files made to be expensive are given up early, and cost a bounded answer. */
import { describe, expect, test } from "bun:test";
import { parseNerveConfig } from "../../src/config/parse.ts";
import { costGrowth, LINEAR } from "../helpers/growth.ts";

const bomb = ["a: &a [x, x]", ...Array.from({ length: 40 }, (_, index) => `b${index}: &b${index} [*a, *a, *a]`)].join(
  "\n",
);

const FILES: Readonly<Record<string, readonly [text: string, kind: string]>> = {
  "brackets 200,000 deep": ["[".repeat(200_000), "too-deep"],
  "braces 50,000 deep": [`a: ${"{a: ".repeat(50_000)}`, "too-deep"],
  "indented 700 deep": [Array.from({ length: 700 }, (_, depth) => `${" ".repeat(depth)}a:`).join("\n"), "too-deep"],
  "lists in lists": ["- ".repeat(130_000), "too-deep"],
  "keys as keys": ["? ".repeat(130_000), "too-deep"],
  "pairs in lists": [`a: ${"[b: ".repeat(15)}1${"]".repeat(15)}`, "too-deep"],
  "an alias bomb": [bomb, "alias"],
  "masses of anchors": ["&a ".repeat(87_000), "too-many-problems"],
  "masses of tags": ["!a ".repeat(60_000), "too-many-problems"],
  "masses of keys": [Array.from({ length: 20_000 }, (_, index) => `a${index}: 1`).join("\n"), "too-many-values"],
  "masses of the same key": ["a:\n".repeat(60_000), "too-many-values"],
  "masses of items": [`[${"a,".repeat(100_000)}]`, "too-many-values"],
  "masses of quotes": ['"'.repeat(260_000), "too-many-values"],
  "masses of colons": [":\n".repeat(130_000), "too-many-values"],
  "masses of documents": ["---\n".repeat(60_000), "second-document"],
  "masses of directives": ["%a\n".repeat(80_000), "too-many-problems"],
  "masses of closing brackets": ["]".repeat(260_000), "bad-yaml"],
  "masses of unquoted variables": [`a: [${"${X},".repeat(40_000)}`, "too-many-problems"],
  "unquoted variables in one another": [`a: {${"a: ${".repeat(40_000)}`, "too-deep"],
  "one long word": ["x".repeat(260_000), "wrong-type"],
  "a file too large": ["x".repeat(300_000), "too-large"],
};

describe("a hostile file is refused for what reading it costs", () => {
  for (const [name, [text, kind]] of Object.entries(FILES)) {
    test(name, () => {
      const result = parseNerveConfig(text);
      expect(result.ok ? [] : result.error.map((problem) => problem.kind)).toContain(kind);
      expect(result.ok ? 0 : result.error.length).toBeLessThanOrEqual(201);
      expect(costGrowth(text.slice(0, 5_000), parseNerveConfig)).toBeLessThan(LINEAR);
    });
  }
});

test("the largest file there may be, all comments, is read and found empty", () => {
  const result = parseNerveConfig("#\n".repeat(131_000));
  expect(result.ok ? [] : result.error.map(({ kind }) => kind)).toEqual(["empty"]);
});

test("twenty levels are fine, twenty-one are not", () => {
  // The file, `senses`, `load` and `with` are the first four; a list in a list adds one.
  const nested = (levels: number) => `senses: { load: { with: { a: ${"[".repeat(levels)}${"]".repeat(levels)} } } }`;
  expect(parseNerveConfig(nested(16)).ok).toBe(true);
  const result = parseNerveConfig(nested(17));
  expect(result.ok ? [] : result.error.map(({ kind }) => kind)).toEqual(["too-deep"]);
});

test("nothing in a configuration reaches a prototype", () => {
  for (const key of ["__proto__", "constructor", "prototype"]) {
    for (const text of [`${key}: { x: 1 }`, `senses: { ${key}: }`, `senses: { a: { with: { b: [{ ${key}: 1 }] } } }`]) {
      const result = parseNerveConfig(text);
      expect(result.ok ? [] : result.error.map(({ kind }) => kind)).toContain("forbidden-key");
    }
  }
  expect(({} as Record<string, unknown>).x).toBeUndefined();
});
