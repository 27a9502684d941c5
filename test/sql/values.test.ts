import { expect, test } from "bun:test";
import { cellOf, csvLine, distinct, jsonLine } from "../../src/sql/values.ts";

test("a line of JSON has every digit, JSON columns as values, and nothing that a terminal obeys", () => {
  const names = ["id", "payload", "message", "n", "x", "b", "__proto__"];
  const row = [
    9223372036854775807n,
    '{"a":1}',
    '{"a":1}',
    null,
    Number.POSITIVE_INFINITY,
    new Uint8Array([0, 255]),
    "\u009b",
  ];
  expect(jsonLine(names, row)).toBe(
    `{"id":9223372036854775807,"payload":{"a":1},"message":"{\\"a\\":1}","n":null,"x":9e999,"b":"x'00ff'","__proto__":"\\u009b"}`,
  );
});

test("a JSON column that holds no JSON is a text", () => {
  expect(jsonLine(["payload"], ["{broken"])).toBe('{"payload":"{broken"}');
});

test("columns with one name get names of their own", () => {
  expect(distinct(["id", "id", "id_2", "id"])).toEqual(["id", "id_3", "id_2", "id_4"]);
});

test("CSV tells NULL from an empty text, and quotes what would end a field", () => {
  expect(csvLine(["a,b", 'q"q', "", null, 1.5, "line\nline"])).toBe('"a,b","q""q","",,1.5,"line\nline"');
});

test("a cell of a table is one line without controls, and is cut where it is long", () => {
  expect(cellOf("a\nb\u001b[31m").text).toBe("a\\u{a}b\\u{1b}[31m");
  expect(cellOf("x".repeat(5_000)).text).toHaveLength(1_001);
  expect([cellOf(1n).kind, cellOf(null).kind, cellOf("1").kind]).toEqual(["number", "null", "text"]);
});
