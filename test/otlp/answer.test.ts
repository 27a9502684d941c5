/** What a receiver answers to a request that it has taken. */
import { expect, test } from "bun:test";
import { answerIn } from "../../src/otlp/answer.ts";

const bytes = (...all: number[]): Uint8Array => Uint8Array.from(all);
const json = (text: string) => answerIn(Buffer.from(text), true);

test("nothing, an empty partial success and unknown fields are a success", () => {
  const whole = { refused: 0, message: "" };
  expect(answerIn(bytes(), false)).toEqual(whole);
  expect(answerIn(bytes(0x0a, 0), false)).toEqual(whole);
  expect(answerIn(bytes(0x52, 1, 7, 0x58, 3), false)).toEqual(whole);
  expect(json("{}")).toEqual(whole);
});

test("a partial success says how many were refused, and why", () => {
  const partial = bytes(0x0a, 7, 0x08, 0xac, 0x02, 0x12, 2, 0x6e, 0x6f);
  expect(answerIn(partial, false)).toEqual({ refused: 300, message: "no" });
  expect(json('{"partialSuccess":{"rejectedSpans":"2","errorMessage":"late"}}')).toEqual({
    refused: 2,
    message: "late",
  });
});

test("whatever else answers is no receiver of OTLP", () => {
  for (const text of ["<html>", "OK", "{}", "\xff\xff\xff"]) expect(answerIn(Buffer.from(text), false)).toBeNull();
  expect(answerIn(bytes(0x0a, 9, 0), false)).toBeNull();
  expect(answerIn(bytes(0x0a, 2, 0x12, 9), false)).toBeNull();
  for (const text of ["[]", "<html>", '{"partialSuccess":7}']) expect(json(text)).toBeNull();
});
