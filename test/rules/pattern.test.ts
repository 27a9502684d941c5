/**
 * Patterns: read as ArkType reads them, with the differences that payloads from anywhere demand; and what is refused.
 * `NERVE_FUZZ=1000000` compares more, `NERVE_FUZZ_SEED=N` repeats a run.
 */
import { describe, expect, test } from "bun:test";
import { type } from "arktype";
import type { Json } from "../../src/base/json.ts";
import { compilePattern, type Pattern } from "../../src/rules/pattern.ts";
import { costGrowth, LINEAR } from "../helpers/growth.ts";
import { type Below, pick, randomOf, SEED, trials } from "./random.ts";

const TRIALS = trials(1_500);
/** Steps are what is bounded; this only tells minutes from milliseconds on a busy machine. */
const LONG_MS = 30 * 60_000;

function compiled(definition: Json): Pattern {
  const result = compilePattern(definition);
  if (!result.ok) throw new Error(JSON.stringify(result.error));
  return result.value;
}
const matches = (definition: Json, payload: Json): boolean => compiled(definition).matches(payload);

const LEAVES = [
  "string",
  "number",
  "boolean",
  "null",
  "unknown",
  "object",
  "'a'",
  "'b' | 'c'",
  "'a' | 1 | true",
  "number > 1",
  "0 <= number < 3",
  "number % 2",
  "number.integer",
  "number.safe",
  "string > 1",
  "string <= 2",
  "string == 1",
  "/^a+$/",
  "/b|c/",
  "string[]",
  "(string | number)[]",
  "number[] >= 1",
  "'a'[] == 2",
  "string | number[]",
  "string & /a/",
  "number > 0 | null",
  "Record<string, number>",
  "string.alpha",
  "string.hex",
  "never",
  "1",
  "-1.5",
  "false",
  "Array",
];
/** ArkType's own check throws for some values where alternatives differ in an item: then it has no opinion, null. */
function allows(reference: { allows(value: unknown): boolean }, payload: Json): boolean | null {
  try {
    return reference.allows(payload);
  } catch {
    return null;
  }
}

/**
 * ArkType tells alternatives apart by an item where it can, and then takes `[...string[], number]` for no alternative to
 * another tuple: what holds by itself is refused beside it. It is no judge of such definitions.
 */
function tellsTuplesApart(definition: Json): boolean {
  let hasTuple = false;
  let hasAlternatives = false;
  const visit = (part: Json): void => {
    if (typeof part === "string") hasAlternatives ||= part.includes("|");
    else if (typeof part === "object" && part !== null) {
      hasTuple ||= Array.isArray(part) && !["|", "&", "[]"].includes(part[1] as string) && part[0] !== "===";
      for (const inner of Object.values(part)) visit(inner);
    }
  };
  visit(definition);
  return hasTuple && hasAlternatives;
}

const KEYS = ["a", "b", "c", "key with space", "0"];

function randomDefinition(below: Below, depth: number): Json {
  if (depth === 0 || below(3) === 0) return pick(below, LEAVES);
  const inner = (): Json => randomDefinition(below, depth - 1);
  switch (below(8)) {
    case 0:
      return [inner(), pick(below, ["|", "&"]), inner()];
    case 1:
      return [inner(), "[]"];
    case 2:
      return pick<() => Json>(below, [
        () => [inner(), inner()],
        () => [inner(), "string?"],
        () => [inner(), "...", "number[]"],
        () => ["...", "string[]", "number"],
        () => ["===", "a", "b"],
        () => ["keyof", { a: "1", b: "2" }],
      ])();
    default: {
      const fields: Record<string, Json> = {};
      for (let count = below(4); count > 0; count--) fields[pick(below, KEYS) + pick(below, ["", "", "?"])] = inner();
      if (below(8) === 0) fields[pick(below, ["[string]", "[/^[ab]/]"])] = inner();
      if (below(8) === 0) fields["+"] = pick(below, ["reject", "ignore"]);
      return fields;
    }
  }
}

const SCALARS: readonly Json[] = [
  "",
  "a",
  "aa",
  "b",
  "c",
  "ab",
  "xyz",
  0,
  1,
  2,
  3,
  -1.5,
  0.5,
  4,
  1e300,
  true,
  false,
  null,
];

function randomPayload(below: Below, depth: number): Json {
  if (depth === 0 || below(3) === 0) return pick(below, SCALARS);
  const inner = (): Json => randomPayload(below, depth - 1);
  if (below(3) === 0) return Array.from({ length: below(4) }, inner);
  const fields: Record<string, Json> = {};
  for (let count = below(5); count > 0; count--) fields[pick(below, KEYS)] = inner();
  return fields;
}

/** A payload that has a chance to match: the definition's own fields, with values near it. */
function likelyPayload(below: Below, definition: Json): Json {
  if (typeof definition === "string") {
    if (below(2) === 0) return pick(below, SCALARS);
    return definition.includes("[]")
      ? Array.from({ length: below(3) }, () => pick(below, SCALARS))
      : pick(below, ["a", 2]);
  }
  if (Array.isArray(definition)) {
    const [first = "unknown", second = "unknown", third = "unknown"] = definition;
    if (second === "|") return likelyPayload(below, pick(below, [first, third]));
    if (second === "&") return likelyPayload(below, first);
    if (second === "[]") return Array.from({ length: below(3) }, () => likelyPayload(below, first));
    return definition.map((item) => likelyPayload(below, item));
  }
  const fields: Record<string, Json> = {};
  for (const [key, value] of Object.entries(definition as Record<string, Json>)) {
    if (key !== "+" && !key.startsWith("[") && below(10) > 0)
      fields[key.replace("?", "")] = likelyPayload(below, value);
  }
  return fields;
}

test(
  `agrees with ArkType on ${TRIALS} random definitions, forty payloads each (seed ${SEED})`,
  () => {
    const below = randomOf(SEED);
    let compared = 0;
    let matched = 0;
    for (let trial = 0; trial < TRIALS; trial++) {
      const definition = randomDefinition(below, 3);
      const result = compilePattern(definition);
      if (!result.ok) {
        if (result.error[0].message === "" || result.error[0].message.includes("undefined is not")) {
          throw new Error(`seed ${SEED}: ${JSON.stringify({ definition, error: result.error })}`);
        }
        continue;
      }
      if (tellsTuplesApart(definition)) continue;
      const reference = type(definition as never) as { allows(value: unknown): boolean };
      for (let count = 0; count < 40; count++) {
        const payload = below(3) > 0 ? likelyPayload(below, definition) : randomPayload(below, 3);
        const expected = allows(reference, payload);
        if (expected === null) continue;
        const mismatches = result.value.why(payload);
        if (result.value.matches(payload) !== expected || (mismatches.length === 0) !== expected) {
          throw new Error(
            `seed ${SEED}: ArkType says ${expected}: ${JSON.stringify({ definition, payload, mismatches })}`,
          );
        }
        compared++;
        if (expected) matched++;
      }
    }
    expect(compared).toBeGreaterThan(TRIALS * 10);
    expect(Math.min(matched, compared - matched)).toBeGreaterThan(compared / 20);
  },
  LONG_MS,
);

describe("a payload is plain data", () => {
  const INHERITED = ["constructor", "toString", "hasOwnProperty", "valueOf", "__defineGetter__"];

  test.each(INHERITED)("an object without its own %s does not have one", (key) => {
    expect(matches({ [key]: "unknown" }, {})).toBe(false);
    expect(matches({ [key]: "unknown" }, [])).toBe(false);
    expect(matches({ [`${key}?`]: "never" }, {})).toBe(true);
    expect(matches({ [key]: "'x'" }, { [key]: "x" })).toBe(true);
    expect(matches({ "+": "reject", "a?": "string" }, { [key]: "x" })).toBe(false);
  });

  test("nor has it a __proto__, unless JSON gave it one", () => {
    const definition = JSON.parse('{"__proto__": "\'x\'"}') as Json;
    const result = compilePattern(definition);
    if (result.ok) {
      expect(result.value.matches({})).toBe(false);
      expect(result.value.matches(JSON.parse('{"__proto__": "x"}') as Json)).toBe(true);
    }
    expect(matches({ a: "'x'" }, JSON.parse('{"__proto__": {"a": "x"}}') as Json)).toBe(false);
    expect(matches({ "+": "reject", "a?": "string" }, JSON.parse('{"__proto__": 1}') as Json)).toBe(false);
    expect(matches({ "[string]": "number" }, JSON.parse('{"__proto__": "x"}') as Json)).toBe(false);
  });

  test("a list has no field `length`", () => {
    expect(matches({ length: "number" }, [1])).toBe(false);
    expect(matches({ "0": "number" }, [1])).toBe(true);
  });

  test.each<[Json, Json, boolean]>([
    ["number > 5", 6, true],
    ["'up'", "up", true],
    ["string[]", ["a"], true],
    ["boolean", true, true],
    [{}, {}, true],
    [{}, "text", false],
    [{ a: "1" }, null, false],
    [{ a: { b: "1" } }, { a: null }, false],
    [{ status: "'critical'" }, { status: "critical", more: [1, 2] }, true],
    [{ "[/^disk/]": "number < 5" }, { disk1: 4, host: "a" }, true],
    [{ "[/^disk/]": "number < 5" }, { disk1: 4, disk2: 5 }, false],
  ])("%j on %j: %p", (definition, payload, expected) => {
    expect(matches(definition, payload)).toBe(expected);
  });
});

describe("a string over 4 KiB", () => {
  const short = "x".repeat(4_096);
  const long = `${short}x`;
  const longInBytes = "é".repeat(2_049);

  test.each<[Json]>([["string"], ["unknown"], ["string >= 1"], ["/x|é/"], ["string | number"], ["'a' | string"]])(
    "does not match %j, one of 4 KiB does",
    (definition) => {
      expect(matches({ a: definition }, { a: short })).toBe(true);
      expect(matches({ a: definition }, { a: long })).toBe(false);
      expect(matches({ a: definition }, { a: longInBytes })).toBe(false);
      expect(matches(definition, long)).toBe(false);
    },
  );

  test("does not matter in a field that is not looked at", () => {
    expect(matches({ a: "string" }, { a: "x", b: long })).toBe(true);
    expect(matches({ "b?": "string" }, { b: long })).toBe(false);
  });

  test("in a list or a key that is looked at matches nothing", () => {
    expect(matches("string[]", ["x", long])).toBe(false);
    expect(matches({ "[string]": "number" }, { [long]: 1 })).toBe(false);
    expect(matches({ a: "number" }, { a: 1, [long]: 1 })).toBe(true);
  });

  test("is what `why` names", () => {
    expect(compiled({ a: "/x/" }).why({ a: long })).toEqual([
      { path: "a", value: long, isMissing: false, expected: "a string of at most 4 KiB" },
    ]);
  });
});

test("no expression in a pattern can be slow, in values and in keys", () => {
  const evil = `${"a".repeat(4_095)}!`;
  const patterns: Json[] = [
    { m: "/a*a*a*a*a*a*b/" },
    { m: "/^(a|aa)+$/" },
    { m: "/^(a|a|a)*$/ | /.*.*.*.*=.*/" },
    { "[/a*a*a*a*b/]": "number" },
  ];
  for (const pattern of patterns) {
    const { matches: isMatch } = compiled(pattern);
    const cost = costGrowth(evil, (text) => {
      isMatch({ m: text, [text]: 1 });
      isMatch({ m: Array.from({ length: 15 }, () => text) });
    });
    expect(cost).toBeLessThan(LINEAR);
  }
});

test.each([
  ["1.2.3.4", true],
  ["256.2.3.4", false],
  ["::1", true],
  ["fe80::1%eth0", true],
  ["2001:db8:0:0:0:0:2:1", true],
  ["1::2::3", false],
  ["", false],
])("%j is an address: %p", (text, expected) => expect(matches({ a: "string.ip" }, { a: text })).toBe(expected));

test("no text is slow to be found no address", () => {
  const { matches: isMatch } = compiled({ a: "string.ip[]" });
  const evil = ["1:", ":", "a:".repeat(6), "::1", "1.", "fe80::1%", "255.255.255.255", "0"].map((piece) =>
    piece.repeat(4_096 / piece.length).padEnd(4_096, "%"),
  );
  for (const text of evil) {
    expect(isMatch({ a: [text] })).toBe(false);
    expect(costGrowth(text, (part) => isMatch({ a: Array.from({ length: 15 }, () => part) }))).toBeLessThan(LINEAR);
  }
});

test("why names every field that fails, with its value and what was expected", () => {
  const { why } = compiled({
    status: "'critical' | 'warning'",
    usage: "number > 90",
    host: { name: "/^web/", zone: "string" },
    tags: "string[]",
  });
  expect(why({ status: "warning", usage: 91, host: { name: "web1", zone: "a" }, tags: [] })).toEqual([]);
  expect(why({ status: "ok", host: { name: "db1" }, tags: ["a", 1] })).toEqual([
    { path: "host.name", value: "db1", isMissing: false, expected: "/^web/" },
    { path: "host.zone", value: null, isMissing: true, expected: "string" },
    { path: "status", value: "ok", isMissing: false, expected: '"critical" | "warning"' },
    { path: "tags[1]", value: 1, isMissing: false, expected: "string" },
    { path: "usage", value: null, isMissing: true, expected: "number > 90" },
  ]);
  expect(why("text")).toEqual([{ path: "", value: "text", isMissing: false, expected: "object" }]);
});

describe("is refused", () => {
  test.each<[Json, path: string, message: string, hint: string | null]>([
    ["critical", "", "`critical` is not a type", `write "'critical'" for the text`],
    [{ status: "critical" }, "status", "`critical` is not a type", `write "'critical'" for the text`],
    [{ a: [{ b: "number" }, "|", { b: "on fire" }] }, "a[2].b", "`on` is not a type", `write "'on fire'" for the text`],
    ["ok | 'up' | warn", "", "`ok` is not a type", `write "'ok' | 'up' | 'warn'" for the text`],
    ["warning.high", "", "`warning.high` is not a type", `write "'warning.high'" for the text`],
    ["50%", "", "this is not a type (% operator must be followed by a non-zero", `write "'50%'" for the text`],
    ["constructor", "", "`constructor` is not a type", `write "'constructor'" for the text`],
    [{ a: "string | toString" }, "a", "`toString` is not a type", `write "string | 'toString'" for the text`],
    [{ a: "valueOf" }, "a", "`valueOf` is not a type", `write "'valueOf'" for the text`],
    ["number >", "", "this is not a type ('>' is not allowed here", null],
    ["'open", "", "this is not a type ('open requires a closing single-quote", null],
    [
      "/a/i",
      "",
      "this is not a type ('i' is not allowed here",
      "expressions have no flags: write [aA] for either case",
    ],
    ["", "", "it is empty", `write "''" for the empty text, or unknown for any value`],
    [5, "", "5 is not text", 'quote it: "5"'],
    ["string.trim", "", "it changes the value", "compare the value as it is"],
    [{ a: { b: "string.json.parse" } }, "a.b", "it changes the value", "compare the value as it is"],
    [{ a: "string.trim | number" }, "a", "it changes the value", "compare the value as it is"],
    [{ a: "string = 'x'" }, "a", "a default changes the value", "compare the value as it is"],
    [{ a: ["string", "=", "x"] }, "a", "`=` changes the value", "a pattern only looks: compare the value as it is"],
    [["string", "=>", "x"], "", "`=>` changes the value", "a pattern only looks: compare the value as it is"],
    [
      ["string", ":", "x"],
      "",
      "`:` changes the value or needs code",
      "a pattern only looks: compare the value as it is",
    ],
    [["instanceof", "Date"], "", "`instanceof` needs code", "say which fields the payload has"],
    [{ "+": "delete", a: "1" }, "+", "what is not declared can only be refused", 'write "+": reject, or leave it out'],
    ["x/a(?<n>b)/", "", "it changes the value", "compare the value as it is"],
    ["string.url", "", "it is checked by code", "compare the text with a regular expression such as /^https?:/"],
    [
      { a: "string.date" },
      "a",
      "it is checked by code",
      "compare the text with a regular expression such as /^https?:/",
    ],
    ["Date", "", "Date is no JSON", "a payload is JSON"],
    [{ a: "bigint" }, "a", "bigint is no JSON", "a payload is JSON"],
    [{ a: "string | undefined" }, "a", "undefined is no JSON", 'for a field that is not there write "NAME?": never'],
    ["number.NaN", "", "NaN is no JSON", "a payload is JSON"],
    [{ "[symbol]": "string" }, "[symbol]", "symbol is no JSON", "a payload is JSON"],
    ["this", "", "it refers to itself", "write out as many levels as there are"],
    ["never", "", "nothing can match this", 'for a field that is not there write "NAME?": never'],
    [{ a: "never" }, "a", "nothing can match this", 'for a field that is not there write "NAME?": never'],
    ["number & string", "", "this is not a type (Intersection of number and string", null],
    [{ a: "/(a+)+$/" }, "a", "the regular expression repeats something that repeats", null],
    [{ a: "'x' | /a(?=b)/" }, "a", "the regular expression looks around", null],
    [{ a: "/(a)\\1/" }, "a", "the regular expression refers back", null],
    [{ "[/(a*)*/]": "string" }, "[/(a*)*/]", "the regular expression repeats something that repeats", null],
    ["string.semver", "", "ArkType's expression for it repeats something that repeats", null],
    [{ a: "string.numeric" }, "a", "ArkType's expression for it looks around", null],
    [{ a: "> 5" }, "a", "this is not a type (Expected an expression before", 'write "number > 5"'],
    [`'${"a".repeat(40)}' | /a*a*a*a*a*a*b/`, "", "the regular expression takes too long to be compared", null],
    [["/a*a*a*a*a*a*b/", "&", ["===", "a".repeat(40)]], "[0]", "the regular expression takes too long", null],
    ["x".repeat(1_025), "", "it is longer than 1024 characters", null],
    [Array.from({ length: 300 }, () => "string"), "", "it has more than 256 entries", null],
    [Array.from({ length: 120 }, (_, index) => index).join(" | "), "", "it has more than 100 alternatives", null],
    [
      Object.fromEntries(["a", "b", "c", "d", "e", "f", "g", "h"].map((key) => [key, `${"0 | ".repeat(80)}1`])),
      "g",
      "it has more than 500 alternatives in all its fields",
      "split the reflex",
    ],
    [{ a: "string[][]", b: `string${"[]".repeat(99)}` }, "b", "it has more than 100 lists", null],
    [Array.from({ length: 8 }, () => "/x{200}/"), "", "its regular expressions are too large together", null],
    [
      JSON.parse(`${'{"a":'.repeat(20)}"string"${"}".repeat(20)}`) as Json,
      "a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a",
      "it is nested",
      null,
    ],
    [{ " arkKind": "root" }, " arkKind", "`root` is not a type", null],
    [{ "~standard": { vendor: "string" } }, "", "it changes the value", null],
  ])("%j at %p: %s", (definition, path, message, hint) => {
    const result = compilePattern(definition);
    if (result.ok) throw new Error("accepted");
    expect(result.error[0].path).toBe(path);
    expect(result.error[0].message).toStartWith(message);
    if (hint !== null) expect(result.error[0].hint).toBe(hint);
    if (message.startsWith("this is no type")) expect(result.error[0].hint).toBe(hint);
  });

  const told = (definition: Json) => {
    const result = compilePattern(definition);
    return result.ok ? [] : result.error.map(({ path, message }) => `${path}: ${message}`);
  };

  test("everything that is wrong with its fields at once, whatever of it is found first", () => {
    expect(told({ a: "crit", b: "/(a+)+/", c: { d: "string.trim", e: 5, f: "number" }, "g?": "string = 'x'" })).toEqual(
      [
        "b: the regular expression repeats something that repeats",
        "c.e: 5 is not text",
        "a: `crit` is not a type",
        "c.d: it changes the value, and a pattern only looks",
        "g?: a default changes the value, and a pattern only looks",
      ],
    );
    expect(told({ a: "string.trim", b: "string.date", c: "never" })).toHaveLength(3);
    expect(told({ a: "toString", b: "valueOf", c: "number >", d: "warn | 'x'" })).toHaveLength(4);
  });

  test("what only two of its parts make wrong where they stand together, and texts where the definition has them", () => {
    expect(told({ a: { b: ["string", "&", "number"] }, c: "crit" })).toEqual([
      "a.b: this is not a type (Intersection of string and number results in an unsatisfiable type)",
      "c: `crit` is not a type",
    ]);
    expect(told(["/^a+$/", "|", ["string", "undefined"]])).toEqual([
      "[2][1]: undefined is no JSON, so no payload has it",
    ]);
    expect(told({ a: { "[crit]": "number" }, "[string]": "warn" })).toEqual([
      "a.[crit]: `crit` is not a type",
      "[string]: `warn` is not a type",
    ]);
  });

  test("but nothing that is fine where it stands, nor a place twice", () => {
    expect(told({ a: "crit", "b?": "never", c: ["never", "|", "string"], d: ["string?"], e: "string" })).toHaveLength(
      1,
    );
    expect(told({ a: "toString | valueOf | /(a+)+/ | /(b+)+/" })).toHaveLength(1);
  });

  test("too much of something once, where it was passed", () => {
    expect(told({ a: `string${"[]".repeat(101)}`, b: "string[]", c: "number[]" })).toEqual([
      "a: it has more than 100 lists",
    ]);
    const many = Array.from({ length: 300 }, (_, index) => [`a${index}`, "crit"]);
    expect(told(Object.fromEntries(many))).toEqual([": it has more than 256 entries"]);
  });

  test.each([
    ["any", `write unknown for any value, or "'any'" for the text`],
    ["any[]", "write unknown for any value"],
    ["any | 'x'", "write unknown for any value"],
  ])("`any` as it is written elsewhere, with what it is called here: %s", (text, hint) => {
    const result = compilePattern({ a: text });
    expect(result.ok ? "accepted" : result.error[0].hint).toBe(hint);
  });

  test("a product of alternatives, before it is multiplied out", () => {
    const either = (index: number): Json => [{ [`a${index}`]: "1" }, "|", { [`b${index}`]: "1" }];
    let definition = either(0);
    for (let index = 1; index < 9; index++) definition = [definition, "&", either(index)];
    const result = compilePattern(definition);
    expect(result.ok ? "accepted" : result.error[0].message).toContain("more than 100 alternatives");
  });

  test(
    `or accepted, but never worse: ${TRIALS} garbled definitions (seed ${SEED})`,
    () => {
      const below = randomOf(SEED);
      const pieces = [
        ...LEAVES,
        "'",
        '"',
        "/",
        "x/",
        "d'",
        "(",
        ")",
        "[",
        "]",
        "|",
        "&",
        "=",
        "=>",
        "<",
        ">",
        "%",
        "?",
        "#",
        "\\",
        "crit",
        "\0",
        "💥",
        "this",
        "keyof ",
        "...",
        "constructor",
      ];
      let accepted = 0;
      for (let trial = 0; trial < TRIALS; trial++) {
        const text = Array.from({ length: 1 + below(5) }, () => pick(below, pieces)).join(pick(below, ["", " "]));
        const result = compilePattern(below(2) === 0 ? text : { [below(4) === 0 ? text : "a"]: text });
        if (!result.ok) expect(result.error[0].message).not.toBe("");
        else {
          accepted++;
          expect(result.value.matches({ a: "x" })).toBe(result.value.why({ a: "x" }).length === 0);
        }
      }
      expect(accepted).toBeGreaterThan(0);
    },
    LONG_MS,
  );
});

test("a definition is compiled once, and another one by itself", () => {
  const definition = { status: "'critical'", used: "number > 90" };
  const first = compilePattern(definition);
  expect(compilePattern(structuredClone(definition))).toBe(first);
  expect(compilePattern({ ...definition, used: "number > 91" })).not.toBe(first);
  expect(compilePattern("nope")).toBe(compilePattern("nope"));
});

test.each([
  ["used_percent > 90", "write { used_percent: number > 90 }"],
  ["used_percent>=90.5", "write { used_percent: number >= 90.5 }"],
  ["disk.used < -1", "write { disk: { used: number < -1 } }"],
  ["status == 'critical'", `write { status: "'critical'" }`],
  ['status = "down"', `write { status: "'down'" }`],
  ["ok == false", 'write { ok: "false" }'],
  ["code == 0", 'write { code: "0" }'],
  ["used > 90 && free < 5", "write { used: number > 90, free: number < 5 }"],
  ["used > 90 and state == 'on'", `write { used: number > 90, state: "'on'" }`],
])("a condition as other tools write it is refused with the map it is meant as: %s", (text, hint) => {
  const refused = compilePattern(text);
  expect(refused.ok ? null : refused.error[0].hint).toBe(hint);
});

test.each(["number > 5", "string > 5", "string == 5", "status > 'a'"])("%s is taken for no such condition", (text) => {
  const result = compilePattern(text);
  expect(result.ok ? "" : (result.error[0].hint ?? "")).not.toContain("{");
});
