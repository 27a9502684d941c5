/**
 * Definitions that are read without ArkType: accepted and matched as with it. `NERVE_FUZZ=1000000` compares more,
 * `NERVE_FUZZ_SEED=N` repeats a run.
 */
import { describe, expect, test } from "bun:test";
import type { Json } from "../../src/base/json.ts";
import { nodeOf, readType } from "../../src/rules/arktype.ts";
import type { Check } from "../../src/rules/check.ts";
import { checkOf } from "../../src/rules/check-of.ts";
import { Refusing } from "../../src/rules/definition.ts";
import { compilePattern } from "../../src/rules/pattern.ts";
import { plainPattern } from "../../src/rules/plain-pattern.ts";
import { vetDefinition } from "../../src/rules/vet.ts";
import { timesSlower } from "../helpers/growth.ts";
import { type Below, pick, randomOf, SEED, trials } from "./random.ts";

const TRIALS = trials(4_000);
const LONG_MS = 30 * 60_000;

/** By ArkType's reading. Throws for what is refused. */
function read(definition: Json): Check {
  const refusing = new Refusing();
  const check = checkOf(nodeOf(readType(definition)), refusing);
  if (refusing.all !== null) throw new Error(JSON.stringify(refusing.all));
  return check;
}

const isRefusedEarly = (definition: Json): boolean => {
  const refusing = new Refusing();
  return vetDefinition(definition, refusing) === null || refusing.all !== null;
};

const NUMBERS = ["0", "1", "-1", "5", "90", "1.5", "-0.5", "0.001", "-0", "05", "1.50", "1e3", ".5", "123456789012345"];
const TEXTS = ["'a'", "'critical'", '"b"', "''", "'a|b'", "'it\"s'", "'number > 5'", "'a b'", "'\\\\d'", "' a'", "'5'"];
const REGEXES = [
  "/^a/",
  "/b$/",
  "/[0-9]+/",
  "/^\\d+$/",
  "/a|b/",
  "/^\\s*$/",
  "/./",
  "/\\\\/",
  "/^a{2,3}$/",
  "/[|']/",
  "/^\\/a\\\\/",
];
const WORDS = ["string", "number", "boolean", "unknown", "object", "null", "true", "false", "never", "nope", "integer"];
const SPACES = ["", " ", " ", " ", "  ", "\t", "\n"];

function randomAlternative(below: Below): string {
  const space = (): string => pick(below, SPACES);
  const number = (): string => pick(below, NUMBERS);
  switch (below(8)) {
    case 0:
      return pick(below, TEXTS);
    case 1:
      return pick(below, REGEXES);
    case 2:
      return number();
    case 3:
      return `number${space()}${pick(below, [">", ">=", "<", "<=", "==", "="])}${space()}${number()}`;
    case 4:
      return `${number()}${space()}${pick(below, ["<", "<=", ">"])}${space()}number${space()}${pick(below, ["<", "<=", ">"])}${space()}${number()}`;
    case 5:
      return `number${space()}%${space()}${number()}`;
    default:
      return pick(below, WORDS);
  }
}

/** One in ten has a character too much, or one too few. */
function mutated(below: Below, text: string): string {
  if (below(10) > 0) return text;
  const from = below(text.length + 1);
  const inserted =
    below(2) === 0 ? pick(below, ["|", "'", " ", "?", "[", "]", "(", ")", "&", "\\", "/", "0", "-", "."]) : "";
  return text.slice(0, from) + inserted + text.slice(from + below(2));
}

function randomText(below: Below): string {
  let text = pick(below, SPACES) + randomAlternative(below);
  while (below(3) === 0) text += `${pick(below, SPACES)}|${pick(below, SPACES)}${randomAlternative(below)}`;
  return mutated(below, text + pick(below, SPACES));
}

const KEYS = [
  "a",
  "b",
  "used-percent",
  "length",
  "constructor",
  "toString",
  "0",
  "+",
  "_x",
  "a b",
  "hasOwnProperty",
  "x1",
];

function randomDefinition(below: Below, depth: number): Json {
  if (depth === 0 || below(3) === 0) return randomText(below);
  const fields: Record<string, Json> = {};
  for (let count = below(4); count > 0; count--) {
    const key = pick(below, below(4) === 0 ? KEYS : ["a", "b", "length"]) + pick(below, ["", "", "?"]);
    fields[key] = key.endsWith("?") && below(4) === 0 ? "never" : randomDefinition(below, depth - 1);
  }
  return fields;
}

const LONG = "a".repeat(5_000);
const VALUES: readonly Json[] = [
  ...["", "a", "b", "aa", "critical", "a|b", "number > 5", "5", " ", "\\", "\\\\d", "'", 'it"s', "a b", LONG],
  ...[0, -0, 1, -1, 5, 5.5, 90, 91, 1.5, -0.5, 0.001, 1e300, 2, 3, 123456789012345, null, true, false],
];

/** Fields of the definition with values near it, or anything. */
function randomPayload(below: Below, definition: Json): Json {
  const isMap = typeof definition === "object" && definition !== null && !Array.isArray(definition);
  if (!isMap || below(8) === 0) {
    const others: Json[] = [[], {}, ["a"], [1, 2], { a: "a" }, { length: 1 }, { constructor: "a" }];
    return below(6) === 0 ? pick(below, others) : pick(below, VALUES);
  }
  const fields: Record<string, Json> = {};
  for (const [key, inner] of Object.entries(definition)) {
    if (below(8) > 0) fields[key.replace(/\?$/, "")] = randomPayload(below, inner);
  }
  return fields;
}

test(
  `is what ArkType makes of ${TRIALS} random definitions, thirty payloads each (seed ${SEED})`,
  () => {
    const below = randomOf(SEED);
    let plain = 0;
    let matched = 0;
    let differed = 0;
    for (let trial = 0; trial < TRIALS; trial++) {
      const definition = randomDefinition(below, 2);
      const matches = isRefusedEarly(definition) ? null : plainPattern(definition);
      if (matches === null) continue;
      plain++;
      const check = read(definition);
      for (let count = 0; count < 30; count++) {
        const payload = randomPayload(below, definition);
        const expected = check.matches(payload);
        if (matches(payload) !== expected) {
          throw new Error(`seed ${SEED}: ArkType says ${expected}: ${JSON.stringify({ definition, payload })}`);
        }
        if (expected) matched++;
        else differed++;
      }
    }
    expect(plain).toBeGreaterThan(TRIALS / 5);
    expect(Math.min(matched, differed)).toBeGreaterThan(plain);
  },
  LONG_MS,
);

test("why says the same words as ArkType's reading, in the same order", () => {
  const definition = {
    used: "number > 90",
    "gone?": "never",
    disk: { name: "/^sd/ | 'root'", free: "0 <= number < 5" },
  };
  expect(plainPattern(definition)).not.toBeNull();
  const compiled = compilePattern(definition);
  if (!compiled.ok) throw new Error(compiled.error[0].message);
  for (const payload of [null, {}, { used: 1, gone: 2, disk: {} }, { used: 91, disk: { name: "x", free: 9 } }]) {
    const expected: ReturnType<typeof compiled.value.why>[number][] = [];
    read(definition).explain(payload, "", expected);
    expect(compiled.value.why(payload)).toEqual(expected);
    expect(expected).not.toEqual([]);
  }
});

describe("the definitions of rules as they are written", () => {
  test.each<Json>([
    { used: "number > 90" },
    { status: "'warning' | 'critical'" },
    { disk: { used_percent: "number >= 95.5", mount: "/^\\/data/" } },
    { ok: "false" },
    { "error?": "never", code: "500 <= number < 600" },
    { minute: "number % 5" },
    "string | null",
    {},
  ])("are read without ArkType: %j", (definition) => {
    expect(plainPattern(definition)).not.toBeNull();
  });

  test.each<Json>([
    "never",
    { a: "never" },
    "string[]",
    "number > -0",
    "5 < number < 5",
    "string.ip",
    { "+": "reject", a: "string" },
    { a: "string", "a?": "string" },
    { constructor: "string" },
    { a: ["string", "|", "number"] },
    "'it\\'s'",
    "number?",
  ])("others are left to ArkType: %j", (definition) => {
    expect(plainPattern(definition)).toBeNull();
  });
});

test(
  "three hundred different definitions cost less than thirty that ArkType reads",
  () => {
    let nth = 0;
    const compile = (used: string): void => {
      const definition = { used: used.replace("N", String(++nth)), level: `'critical' | 'level${nth}'` };
      if (!compilePattern(definition).ok) throw new Error(JSON.stringify(definition));
    };
    const many = (): void => {
      for (let count = 0; count < 300; count++) compile("number > N");
    };
    const few = (): void => {
      for (let count = 0; count < 30; count++) compile("number > N & number.integer");
    };
    few();
    expect(timesSlower(many, few, 1, 1)).toBeLessThan(1);
  },
  LONG_MS,
);
