/** Which state a signal belongs to. */
import { expect, test } from "bun:test";
import type { Json } from "../../src/base/json.ts";
import { isKeyed, isKeyOfSense, isNamedKey, keyOf, ONLY_KEY } from "../../src/rules/key.ts";

test("without a path there is one key", () => {
  expect(keyOf(null, "s", { host: "a" })).toEqual({ key: ONLY_KEY, isMissing: false });
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
  expect(keyOf(path, "s", payload)).toEqual({ key, isMissing: false });
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
  expect(keyOf(path, "s", payload)).toEqual({ key: "null", isMissing: true });
});

test("a long text is its digest, the same for the same text and for no other", () => {
  const long = (end: string): string => keyOf("a", "s", { a: `${"x".repeat(5_000)}${end}` }).key;
  expect(long("1")).toBe(long("1"));
  expect(long("1")).not.toBe(long("2"));
  expect(long("1")).toMatch(/^sha256:[0-9a-f]{64}$/);
  expect(keyOf("a", "s", { a: long("1") }).key).toBe(`"${long("1")}"`);
});

test.each<[string, Json]>([
  ["$sense", { host: "a" }],
  ["$sense", null],
])("%s of %j is the sense", (word, payload) => {
  expect(keyOf(word, "disk-root", payload)).toEqual({ key: '"disk-root"', isMissing: false });
});

test("$one is one key, as if there were no word", () => {
  expect(keyOf("$one", "s", { $one: "a" })).toEqual({ key: ONLY_KEY, isMissing: false });
  expect([isKeyed("$one"), isKeyed(null), isKeyed("$sense"), isKeyed(["a"])]).toEqual([false, false, true, true]);
});

test.each<[readonly string[], Json, string, boolean]>([
  [["host", "disk.path"], { host: "a", disk: { path: "/" } }, '["a","/"]', false],
  [["host", "disk"], { host: "a" }, '["a",null]', true],
  [["host", "disk"], { host: 5, disk: true }, "[5,true]", false],
  [["$sense", "host"], { host: "a" }, '["s","a"]', false],
  [["host"], { host: "a" }, '["a"]', false],
  [["a", "b"], null, "[null,null]", true],
])("%j of %j is %s: one key a combination, with null where a part is missing", (word, payload, key, isMissing) => {
  expect(keyOf(word, "s", payload)).toEqual({ key, isMissing });
});

test("a list tells combinations apart that would be the same text side by side", () => {
  const keys = [{ a: "x,", b: "y" }, { a: "x", b: ",y" }, { a: "x" }, { a: "x", b: "null" }].map(
    (payload) => keyOf(["a", "b"], "s", payload as Json).key,
  );
  expect(new Set(keys).size).toBe(4);
});

test("a long part of a list is its digest, and the key still says its sense", () => {
  const { key } = keyOf(["$sense", "a"], "s", { a: "x".repeat(5_000) });
  expect(key).toMatch(/^\["s","sha256:[0-9a-f]{64}"\]$/);
  const isOf = (sense: string): boolean => isKeyOfSense(["$sense", "a"], key, sense, null);
  expect([isOf("s"), isOf("other"), isKeyOfSense("$sense", '"s"', "other", null)]).toEqual([true, false, false]);
  expect(isKeyOfSense("a", '"s"', "other", null)).toBe(true);
});

test("$host is the host that a signal came from, and this host for its own signals", () => {
  expect(keyOf("$host", "web1/load", {}, "hub").key).toBe('"web1"');
  expect(keyOf("$host", "load", {}, "hub").key).toBe('"hub"');
  expect(keyOf(["$host", "$sense", "disk"], "web1/disks", { disk: "/" }, "hub").key).toBe('["web1","web1/disks","/"]');
  const isOf = (sense: string): boolean => isKeyOfSense(["$host", "disk"], '["web1","/"]', sense, "hub");
  expect([isOf("web1/disks"), isOf("web2/disks"), isOf("disks")]).toEqual([true, false, false]);
  expect(isKeyOfSense("$host", '"hub"', "disks", "hub")).toBe(true);
});

test("a person names a key by its value, its JSON, or the values of a list with commas between", () => {
  expect([isNamedKey('"web"', "web"), isNamedKey('"web"', '"web"'), isNamedKey("5", "5")]).toEqual([true, true, true]);
  expect([isNamedKey('["web",null]', "web, null"), isNamedKey('["web",null]', '["web",null]')]).toEqual([true, true]);
  expect([isNamedKey('"web"', "we"), isNamedKey('["web","/"]', "web")]).toEqual([false, false]);
});
