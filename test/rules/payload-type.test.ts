/** A pattern held against the payload type that a sense exports. */
import { expect, test } from "bun:test";
import { type } from "arktype";
import type { Json } from "../../src/base/json.ts";
import { patternOnType } from "../../src/rules/payload-type.ts";

const payload = type({ status: "'ok' | 'critical'", usage: "0 <= number <= 100", "host?": { name: "string" } });

test.each<[Json, boolean, string[]]>([
  [{ status: "'critical'" }, false, []],
  [{ status: "'crit'" }, true, []],
  [{ usage: "number > 90" }, false, []],
  [{ usage: "number > 100" }, true, []],
  [{ usage: "string" }, true, []],
  [{ host: { name: "/^web/" } }, false, []],
  [{ host: "string" }, true, []],
  [{ "host?": "string" }, false, []],
  [{ state: "'critical'" }, false, ["state"]],
  ["number", true, []],
  [{ host: { nmae: "string" } }, false, ["host.nmae"]],
  [{ host: { "nmae?": "never", name: "string" } }, false, []],
])("%j never matches: %p; it asks for %j, which is not declared", (definition, isNever, unknownFields) => {
  expect(patternOnType(payload, definition)).toEqual({
    isNever,
    fields: ["host", "host.name", "status", "usage"],
    unknownFields,
  });
});

test.each<[Json, string[]]>([
  [{ disk: { used: "number" } }, []],
  [{ disk: { usd: "number" } }, ["disk.usd"]],
  [{ devices: { sda: { busy: "number > 9" } } }, []],
  [{ devices: { sda: { bsy: "number" } } }, ["devices.sda.bsy"]],
  [{ list: { a: "1" } }, []],
])("%j asks for %j: null beside an object, and a field of any name, are looked into", (definition, unknownFields) => {
  const nested = type({
    disk: type({ used: "number" }).or("null"),
    devices: { "[string]": { busy: "number" } },
    list: "string[] | null",
  });
  expect(patternOnType(nested, definition)).toMatchObject({
    fields: ["devices", "disk", "disk.used", "list"],
    unknownFields,
  });
});

test("a type that allows no further fields has no payload with one", () => {
  const closed = type({ "+": "reject", status: "string" });
  expect(patternOnType(closed, { state: "string" })?.isNever).toBe(true);
});

test("fields of all alternatives are known; a type that leaves them open declares none", () => {
  const either = type({ kind: "'a'", a: "number" }).or({ kind: "'b'", b: "number" });
  expect(patternOnType(either, { b: "1" })).toEqual({ isNever: false, fields: ["a", "b", "kind"], unknownFields: [] });
  expect(patternOnType(either, { kind: "'c'" })?.isNever).toBe(true);
  expect(patternOnType(type("Record<string, number>"), { a: "number" })?.fields).toBeNull();
  expect(patternOnType(type("unknown"), { a: "number" })).toEqual({ isNever: false, fields: null, unknownFields: [] });
});

test("a payload type that changes values is held against what it takes: a payload is kept as it was returned", () => {
  const parsed = type({ at: "string.integer.parse" });
  expect(patternOnType(parsed, { at: "string" })?.isNever).toBe(false);
  expect(patternOnType(parsed, { at: "number > 5" })?.isNever).toBe(true);
});

test("a type whose own check throws says nothing", () => {
  const throwing = type("string").narrow(() => {
    throw new Error("no");
  });
  expect(patternOnType(throwing, "'text'")).toBeNull();
});

test("what is no ArkType type says nothing", () => {
  for (const other of [null, undefined, {}, () => 1, { "~standard": { validate: () => ({ value: 1 }) } }]) {
    expect(patternOnType(other, { a: "number" })).toBeNull();
  }
});
