/** Which state a signal belongs to. */
import { expect, test } from "bun:test";
import type { Json } from "../../src/base/json.ts";
import { keyOf, ONLY_KEY } from "../../src/rules/key.ts";

test("without a path there is one key", () => {
  expect(keyOf(null, { host: "a" })).toEqual({ key: ONLY_KEY, isMissing: false });
});

test.each<[string, Json, string]>([
  ["host", { host: "a" }, '"a"'],
  ["host", { host: "5" }, '"5"'],
  ["host", { host: 5 }, "5"],
  ["host", { host: -0 }, "0"],
  ["host", { host: true }, "true"],
  ["host", { host: "" }, '""'],
  ["host", { host: "null" }, '"null"'],
  ["host.name", { host: { name: "b" } }, '"b"'],
  ["disks.1.name", { disks: [{ name: "x" }, { name: "y" }] }, '"y"'],
  ["constructor", { constructor: "own" } as unknown as Json, '"own"'],
])("%s of %j is %s", (path, payload, key) => {
  expect(keyOf(path, payload)).toEqual({ key, isMissing: false });
});

test.each<[string, Json]>([
  ["host", {}],
  ["host", { host: null }],
  ["host", { host: {} }],
  ["host", { host: ["a"] }],
  ["host", "text"],
  ["host", null],
  ["host.name", { host: "a" }],
  ["length", "text"],
  ["length", [1]],
  ["host.length", { host: "abc" }],
  ["constructor", {}],
  ["toString.name", {}],
])("%s of %j is missing, and is the one key null", (path, payload) => {
  expect(keyOf(path, payload)).toEqual({ key: "null", isMissing: true });
});

test("a long text is its digest, the same for the same text and for no other", () => {
  const long = (end: string): string => keyOf("a", { a: `${"x".repeat(5_000)}${end}` }).key;
  expect(long("1")).toBe(long("1"));
  expect(long("1")).not.toBe(long("2"));
  expect(long("1")).toMatch(/^sha256:[0-9a-f]{64}$/);
  expect(keyOf("a", { a: long("1") }).key).toBe(`"${long("1")}"`);
});
