/** The small pure things: durations, sizes, JSON, nearest words, escaping, back-off. */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { backoffMs, RESTART_BACKOFF } from "../../src/base/backoff.ts";
import { formatDuration, parseDuration } from "../../src/base/duration.ts";
import { escapeForTerminal, safeJson } from "../../src/base/escape.ts";
import { exceedsBytes, type NotJson, toJson } from "../../src/base/json.ts";
import { nearest } from "../../src/base/nearest.ts";
import { formatSize, parseSize } from "../../src/base/size.ts";
import { describeFailure, describeThrown } from "../../src/base/thrown.ts";

describe("durations", () => {
  test.each([
    ["250ms", 250],
    ["5s", 5_000],
    ["10m", 600_000],
    ["1h", 3_600_000],
    ["7d", 604_800_000],
    ["0s", 0],
    ["007s", 7_000],
  ])("%s is %d ms", (text, ms) => expect(parseDuration(text)).toBe(ms));

  test.each(["", "5", "s", "5 s", "-5s", "+5s", "1.5s", "5S", "5sec", "1h30m", "5s\n", "٥s", "999999999999d", "1e3s"])(
    "%j is none",
    (text) => expect(parseDuration(text)).toBeNull(),
  );

  test("what is formatted parses to the same time", () => {
    fc.assert(fc.property(fc.nat(10 ** 12), (ms) => parseDuration(formatDuration(ms)) === ms));
  });

  test("the largest unit that divides evenly is used", () => {
    expect([0, 999, 1_000, 90_000, 60_000, 3_600_000, 86_400_000].map(formatDuration)).toEqual([
      "0ms",
      "999ms",
      "1s",
      "90s",
      "1m",
      "1h",
      "1d",
    ]);
  });
});

describe("sizes", () => {
  test.each([
    ["0b", 0],
    ["64kb", 65_536],
    ["256MB", 268_435_456],
    ["2gb", 2_147_483_648],
  ])("%s is %d bytes", (text, bytes) => expect(parseSize(text)).toBe(bytes));

  test.each(["", "64", "kb", "64 kb", "1.5mb", "-1kb", "64k", "64tb", "999999999999gb"])("%j is none", (text) =>
    expect(parseSize(text)).toBeNull(),
  );

  test("are shown with three digits at most before the unit", () => {
    expect([0, 1023, 1024, 43_122_688, 1024 ** 3 * 250].map(formatSize)).toEqual([
      "0 B",
      "1023 B",
      "1.0 KB",
      "41.1 MB",
      "250 GB",
    ]);
  });
});

describe("toJson", () => {
  const cycle: unknown[] = [];
  cycle.push({ a: cycle });
  let deep: unknown = 1;
  for (let level = 0; level < 70; level++) deep = [deep];
  const path = (levels: number): string => "[0]".repeat(levels);

  const REFUSED: readonly (readonly [name: string, value: unknown, problem: NotJson])[] = [
    ["undefined", undefined, { path: "", reason: "undefined is not a JSON value" }],
    ["NaN", { a: [1, Number.NaN] }, { path: "a[1]", reason: "NaN is not a JSON number" }],
    ["Infinity", { a: { b: Infinity } }, { path: "a.b", reason: "Infinity is not a JSON number" }],
    ["-Infinity", [-Infinity], { path: "[0]", reason: "-Infinity is not a JSON number" }],
    ["a Date", { at: new Date(0) }, { path: "at", reason: "Date is not a JSON value" }],
    ["a Map", { m: new Map() }, { path: "m", reason: "Map is not a JSON value" }],
    ["a Set", [[new Set()]], { path: "[0][0]", reason: "Set is not a JSON value" }],
    ["bytes", { b: new Uint8Array(2) }, { path: "b", reason: "Uint8Array is not a JSON value" }],
    ["a function", { f: () => 1 }, { path: "f", reason: "a function is not a JSON value" }],
    ["a symbol", { s: Symbol("x") }, { path: "s", reason: "a symbol is not a JSON value" }],
    ["a bigint", { n: 1n }, { path: "n", reason: "a bigint is not a JSON value" }],
    ["a boxed number", { n: Object(1) }, { path: "n", reason: "Number is not a JSON value" }],
    ["an instance", { e: new Error("x") }, { path: "e", reason: "Error is not a JSON value" }],
    ["a hole", { a: new Array(2) }, { path: "a[0]", reason: "undefined is not a JSON value" }],
    ["a missing field", { a: undefined }, { path: "a", reason: "undefined is not a JSON value" }],
    ["a cycle", cycle, { path: "[0].a", reason: "the value contains itself" }],
    ["depth", deep, { path: path(64), reason: "nested deeper than 64 levels" }],
    ["__proto__", JSON.parse('{"a":{"__proto__":1}}'), { path: "a.__proto__", reason: "the key __proto__ is refused" }],
    ["toJSON", { a: { toJSON: () => 1 } }, { path: "a.toJSON", reason: "a function is not a JSON value" }],
    [
      "an array that says it is something else",
      Object.assign([1], { toJSON: () => 2 }),
      { path: "", reason: "an array with toJSON is not a JSON value" },
    ],
  ];
  test.each(REFUSED)("refuses %s with its path", (_, value, problem) => {
    expect(toJson(value)).toEqual({ ok: false, error: problem });
  });

  test("accepts whatever JSON can say, shared parts and bare objects too", () => {
    const shared = { a: 1 };
    expect(toJson([shared, shared, Object.create(null), null, "", -0, 1e308]).ok).toBe(true);
    fc.assert(
      fc.property(fc.json(), (text) => {
        const value = JSON.parse(text);
        return text.includes("__proto__") || toJson(value).ok;
      }),
    );
  });

  test("what it accepts survives a round trip, whatever it is made of", () => {
    const anything = fc.anything({
      withBigInt: true,
      withDate: true,
      withMap: true,
      withNullPrototype: true,
      withSparseArray: true,
    });
    fc.assert(
      fc.property(anything, (value) => {
        if (!toJson(value).ok) return;
        // -0 and bare objects are the two things a round trip makes plain.
        const plain = (text: string): unknown => JSON.parse(text);
        expect(plain(JSON.stringify(plain(JSON.stringify(value))))).toEqual(plain(JSON.stringify(value)));
      }),
      { numRuns: 500 },
    );
  });
});

test("exceedsBytes counts UTF-8, exactly at the limit", () => {
  for (const character of ["a", "ä", "€", "💥"]) {
    const bytes = Buffer.byteLength(character);
    for (const count of [99, 100, 101]) expect(exceedsBytes(character.repeat(count), 100 * bytes)).toBe(count > 100);
  }
});

describe("nearest", () => {
  const KEYS = ["interval", "cron", "on_start", "throttle", "cpu-usage"];
  test.each([
    ["intervall", "interval"],
    ["itnerval", "interval"],
    ["INTERVAL", "interval"],
    ["corn", "cron"],
    ["throtle", "throttle"],
    ["cpu_usage", "cpu-usage"],
    ["xyz", null],
    ["", null],
    ["completely-else", null],
  ])("%j is %j", (word, meant) => expect(nearest(word, KEYS)).toBe(meant));

  test("never answers with what was not offered, and finds what was", () => {
    fc.assert(
      fc.property(fc.array(fc.string()), fc.string({ minLength: 1 }), (words, word) => {
        const found = nearest(word, words);
        return (
          (found === null || words.includes(found)) &&
          nearest(word, [...words, word])?.toLowerCase() === word.toLowerCase()
        );
      }),
    );
  });
});

describe("escapeForTerminal", () => {
  test("no control character reaches a terminal but the tab", () => {
    for (let code = 0; code <= 0x9f; code++) {
      const text = escapeForTerminal(`a${String.fromCharCode(code)}b`);
      const harmless = code === 9 || (code >= 0x20 && code < 0x7f);
      expect(text).toBe(harmless ? `a${String.fromCharCode(code)}b` : `a\\u{${code.toString(16)}}b`);
    }
  });

  test.each([
    ["a window title", "\x1b]0;owned\x07", "\\u{1b}]0;owned\\u{7}"],
    ["a link", "\x1b]8;;http://evil\x1b\\click", "\\u{1b}]8;;http://evil\\u{1b}\\click"],
    ["colours", "\x1b[31mred", "\\u{1b}[31mred"],
    ["C1", "\x9b31m", "\\u{9b}31m"],
    ["bidi", "abc\u202edef\u2066", "abc\\u{202e}def\\u{2066}"],
    ["invisible", "a\u200b\u00ad\ufeffb", "a\\u{200b}\\u{ad}\\u{feff}b"],
    ["tags", "x\u{e0041}", "x\\u{e0041}"],
    ["line separators", "a\u2028b\u2029c\r\n", "a\\u{2028}b\\u{2029}c\\u{d}\\u{a}"],
    ["half a character", "\ud800x", "\\u{d800}x"],
    ["the harmless", "Grüße 💥 日本 é", "Grüße 💥 日本 é"],
  ])("escapes %s", (_, given, shown) => expect(escapeForTerminal(given)).toBe(shown));

  test("escaping twice changes nothing more", () => {
    fc.assert(
      fc.property(
        fc.string({ unit: "binary" }),
        (text) => escapeForTerminal(escapeForTerminal(text)) === escapeForTerminal(text),
      ),
    );
  });
});

test("restarts come at once, then after 1 s, 2 s, 4 s … 60 s, each within a fifth", () => {
  const middle = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 1_000].map((failures) => backoffMs(failures, RESTART_BACKOFF, 0.5));
  expect(middle).toEqual([0, 0, 1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000, 60_000]);
  expect([0, 0.999_999].map((random) => backoffMs(20, RESTART_BACKOFF, random))).toEqual([48_000, 72_000]);
});

describe("a program that Bun.$ ran and that failed", () => {
  const failure = (script: string) =>
    Bun.$`sh -c ${script}`.quiet().then(
      () => "no failure",
      (error: unknown) => describeFailure(error).message,
    );

  test("is described with its exit code and the end of its stderr", async () => {
    expect(await failure("echo out; echo 'no such host' >&2; exit 3")).toBe(
      "ShellError: Failed with exit code 3: no such host",
    );
    expect(await failure("exit 1")).toBe("ShellError: Failed with exit code 1");
  });

  test("shows 2 KiB of a long stderr, from the begin of a character", async () => {
    const message = await failure("yes é | tr -d '\\n' | head -c 5001 >&2; exit 9");
    expect(message).toStartWith("ShellError: Failed with exit code 9: …é");
    expect(Buffer.byteLength(message)).toBeLessThan(2200);
  });

  test("is described within the error that wraps it", async () => {
    const wrapped = await Bun.$`sh -c "echo why >&2; false"`
      .quiet()
      .catch((error) => new Error("backup failed", { cause: error }));
    expect(describeFailure(wrapped).message).toBe("Error: backup failed; ShellError: Failed with exit code 1: why");
  });
});

test("whatever was thrown can be told", () => {
  const hostile = {
    get message() {
      throw new Error("no");
    },
    get name() {
      throw new Error("no");
    },
  };
  const oddStack = Object.assign(new Error("odd"), { stack: { not: "text" } });
  expect(describeThrown(oddStack)).toEqual({ message: "Error: odd", stack: null });
  expect(describeThrown(Object.create(null))).toEqual({ message: "[Object: null prototype] {}", stack: null });
  expect(describeFailure({ a: 1, [Symbol.for("nodejs.util.inspect.custom")]: () => "b" }).message).toStartWith(
    "threw { a: 1, ",
  );
  expect(describeFailure('a "text"\n').message).toBe('threw "a \\"text\\"\\n"');
  expect(describeFailure(new Error("x")).message).toBe("Error: x");
  for (const long of ["x".repeat(10_000), { long: "x".repeat(10_000) }, Array(10_000).fill("x".repeat(99))])
    expect(describeThrown(long).message.length).toBeLessThan(520);
  expect(describeThrown(Object.setPrototypeOf(hostile, Error.prototype)).message).toBe(
    "something that cannot be shown",
  );
  for (const value of [
    null,
    undefined,
    1,
    "x",
    Symbol("s"),
    new Proxy(
      {},
      {
        get() {
          throw 1;
        },
        getPrototypeOf() {
          throw 1;
        },
      },
    ),
  ]) {
    expect(typeof describeThrown(value).message).toBe("string");
  }
});

describe("safeJson", () => {
  test("means what JSON means, and holds nothing a terminal obeys", () => {
    fc.assert(
      fc.property(fc.jsonValue({ stringUnit: "binary" }), fc.constantFrom(0, 2), (value, indent) => {
        const text = safeJson(value, indent);
        expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(value)));
        expect(escapeForTerminal(text.replaceAll("\n", ""))).toBe(text.replaceAll("\n", ""));
      }),
    );
  });

  test("writes a character beyond 16 bits as JSON does", () => {
    expect(safeJson("a\u009b\u202e\u{e0041}é")).toBe('"a\\u009b\\u202e\\udb40\\udc41é"');
  });
});
