/**
 * Regular expressions in linear time: the same answers as JavaScript's engine, and none that can be slow.
 * `NERVE_FUZZ=1000000` compares more, `NERVE_FUZZ_SEED=N` repeats a run.
 */
import { describe, expect, test } from "bun:test";
import { literalIn, parseRegex } from "../../src/base/regex/parts.ts";
import { compileRegex, MAX_STATES } from "../../src/base/regex/regex.ts";
import { costGrowth, LINEAR, timesSlower } from "../helpers/growth.ts";
import { pick, randomOf, SEED, trials } from "../rules/random.ts";

const TRIALS = trials(20_000);
/** Steps are what is bounded; this only tells minutes from milliseconds on a busy machine. */

const compiled = (source: string) => {
  const result = compileRegex(source);
  if (!result.ok) throw new Error(`${source}: ${result.error.message}`);
  return result.value;
};

const ATOMS = [
  "a", "b", "ab", ".", "\\d", "\\w", "\\W", "\\s", "[ab]", "[^a]", "[a-c1]", "[]", "[^]", "[\\w-]", "[\\]]", "\\.", "\\n", "\\x61",
  "\\u0062", "\\b", "\\B", "^", "$", "-", "]", "}", "{", "é", "💥", "\\cJ", "\\0", "(?:)", "()", "[\\b]",
]; // biome-ignore format: one line a handful
const QUANTIFIERS = ["", "", "", "", "*", "+", "?", "*?", "+?", "??", "{2}", "{1,3}", "{0,2}?", "{2,}", "{0}"];

function randomSource(below: (limit: number) => number, depth: number): string {
  let source = "";
  for (let count = below(4); count >= 0; count--) {
    const isGroup = depth > 0 && below(3) === 0;
    const inner = isGroup
      ? `${pick(below, ["(", "(?:", `(?<n${depth}${below(1_000_000)}>`])}${randomSource(below, depth - 1)})`
      : pick(below, ATOMS);
    source += inner + pick(below, QUANTIFIERS);
    if (below(6) === 0) source += "|";
  }
  return source;
}

const CHARS = [
  "a",
  "b",
  "c",
  "1",
  " ",
  "-",
  ".",
  "_",
  "\n",
  "\r",
  "\u2028",
  "é",
  "💥",
  "\ud800",
  "]",
  "{",
  "}",
  "\0",
  "\b",
  "A",
];
const randomText = (below: (limit: number) => number): string =>
  Array.from({ length: below(8) }, () => pick(below, CHARS)).join("");

test(`agrees with JavaScript on ${TRIALS} random expressions, five texts each (seed ${SEED})`, () => {
  const below = randomOf(SEED);
  let compared = 0;
  let matched = 0;
  for (let trial = 0; trial < TRIALS; trial++) {
    const source = randomSource(below, 2);
    const result = compileRegex(source);
    if (!result.ok) continue;
    const native = new RegExp(source);
    for (let count = 0; count < 5; count++) {
      const text = randomText(below);
      const expected = native.test(text);
      if (result.value.test(text) !== expected) {
        throw new Error(`seed ${SEED}: /${source}/ on ${JSON.stringify(text)} is ${expected} in JavaScript`);
      }
      compared++;
      if (expected) matched++;
    }
  }
  expect(compared).toBeGreaterThan(TRIALS);
  expect(Math.min(matched, compared - matched)).toBeGreaterThan(compared / 20);
}, 600_000);

describe("is refused", () => {
  test.each([
    ["a(?=b)", "looks around"],
    ["a(?!b)", "looks around"],
    ["(?<=a)b", "looks around"],
    ["(?<!a)b", "looks around"],
    ["(a)\\1", "refers back"],
    ["(?<x>a)\\k<x>", "refers back"],
    ["(a+)+", "repeats something that repeats"],
    ["(a*)*", "repeats something that repeats"],
    ["([a-z]+-?)*$", "repeats something that repeats"],
    ["((a|b+)c){2,}", "repeats something that repeats"],
    ["(.*a){20}", "repeats something that repeats"],
    ["(a{1,3})*", "repeats something that repeats"],
    ["a{251}", "is too large"],
    ["(a{1,40}){1,40}", "is too large"],
    ["(?:){1000000000,}", "is too large"],
    ["a{999999999999999999999}", "cannot be read"],
    ["(?i:a)", "a group of a kind that is not known"],
    ["\\p{L}", "an escape that means nothing"],
    ["\\u{61}", "an escape that means nothing"],
    ["\\07", "an escape that means nothing"],
    ["a".repeat(1_025), "is longer than 1024"],
    ["(", "cannot be read"],
    ["a**", "cannot be read"],
  ])("%s", (source, why) => {
    const result = compileRegex(source);
    expect(result.ok ? "accepted" : result.error.message).toContain(why);
  });
});

test.each([["(\\d{3})+"], ["([0-9]{1,3}[.]){3}[0-9]{1,3}"], ["(ab?)*"], ["^\\d+\\.\\d+\\.\\d+$"], ["a*a*a*a*b"]])(
  "%s is accepted",
  (source) => {
    expect(compileRegex(source).ok).toBe(true);
  },
);

describe("4 KiB that would keep a backtracking engine busy for ages cost what reading them does", () => {
  const HOSTILE: readonly (readonly [source: string, text: string])[] = [
    ["^(a|a)*$", `${"a".repeat(4_095)}!`],
    ["^(a|aa)+$", `${"a".repeat(4_095)}!`],
    ["a*a*a*a*a*a*a*a*b", "a".repeat(4_096)],
    [".*.*.*.*.*.*=.*;", "=".repeat(4_096)],
    ["(?:a?){80}a{80}b$", "a".repeat(4_096)],
    ["^(?:[a-z]|[a-f]|\\w)*\\.$", "abcdef".repeat(682)],
    ["\\s+$", `${" ".repeat(4_095)}x`],
    ["(x|y)*(x|y)(x|y)(x|y)(x|y)(x|y)(x|y)(x|y)(x|y)(x|y)(x|y)(x|y)(x|y)z", randomBits(4_096)],
    ["[xy]*x[xy]{240}z", randomBits(4_096)],
    ["(x[xy]{0,60}y|y[xy]{0,60}x)z", randomBits(4_096)],
    ["(?:x?y?){49}z", randomBits(4_096)],
  ];
  function randomBits(length: number): string {
    const below = randomOf(SEED);
    return Array.from({ length }, () => (below(2) === 0 ? "x" : "y")).join("");
  }

  test.each(HOSTILE)("%s", (source, text) => {
    const { test: matches, states } = compiled(source);
    expect(states).toBeLessThanOrEqual(MAX_STATES);
    expect(matches(text)).toBe(false);
    expect(costGrowth(text, matches)).toBeLessThan(LINEAR);
  });

  test(`and so do ${TRIALS / 100} random expressions on texts made of their own characters (seed ${SEED})`, () => {
    const below = randomOf(SEED);
    let worst = { cost: 0, source: "" };
    for (let trial = 0; trial < TRIALS / 100; trial++) {
      const source = randomSource(below, 3);
      const result = compileRegex(source);
      if (!result.ok) continue;
      const piece = Array.from({ length: 1 + below(4) }, () => pick(below, ["a", "b", "ab", "1", " ", "-"])).join("");
      const end = pick(below, ["!", "a", "\n"]);
      const { test: matches } = result.value;
      // Both end alike: a text without the literal of the expression is not tried at all.
      const [long = "", short = ""] = [4_096, 410].map((length) => piece.repeat(length).slice(0, length - 1) + end);
      const cost = timesSlower(
        () => matches(long),
        () => matches(short),
        10,
      );
      if (cost > worst.cost) worst = { cost, source };
    }
    console.log(JSON.stringify({ test: "regex-hostile", seed: SEED, worst }));
    expect(worst.cost).toBeLessThan(LINEAR);
  });
});

test("what was learnt from one text is forgotten before it grows without bound, and answers stay right", () => {
  const { test: matches } = compiled("[^a]b$");
  for (let code = 0; code < 0x10000; code += 7) {
    const char = String.fromCharCode(code);
    if (matches(`${char}b`) !== (char !== "a")) throw new Error(`wrong for code ${code}`);
  }
  expect(matches("ab")).toBe(false);
});

test.each([
  ["Failed password for (?<user>\\S+) from", "Failed password for "],
  ["a[.]bc\\.d(?:ef)g?h", "bc.def"],
  ["abc|d", ""],
  ["(abc)+", ""],
  ["^ab$cd", "ab"],
  [".\\d", ""],
])("what stands in every match of %s is %j", (source, literal) => {
  const parsed = parseRegex(source);
  expect(parsed.ok && literalIn(parsed.value)).toBe(literal);
});
