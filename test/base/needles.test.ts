import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { Needles } from "../../src/base/needles.ts";

const few = (from: string, length: { minLength: number; maxLength: number }) =>
  fc.string({ unit: fc.constantFrom(...from), ...length });

describe("words in a text", () => {
  test("are found exactly where one of them stands", () => {
    const alphabet = "ab\u00fc\u4e2d";
    const words = fc.array(few(alphabet, { minLength: 2, maxLength: 6 }), { maxLength: 8 });
    fc.assert(
      fc.property(words, few(alphabet, { minLength: 0, maxLength: 40 }), (words, text) => {
        expect(new Needles(words).isIn(text)).toBe(words.some((word) => text.includes(word)));
      }),
    );
  });

  test("are found at both ends of any text", () => {
    const text = fc.string({ unit: "binary" });
    fc.assert(
      fc.property(fc.array(fc.string({ unit: "binary", minLength: 2 }), { minLength: 1 }), text, (words, around) => {
        const needles = new Needles(words);
        for (const word of words) {
          expect(needles.isIn(`${word}${around}`)).toBe(true);
          expect(needles.isIn(`${around}${word}`)).toBe(true);
        }
      }),
    );
  });

  test("are none where there are none, and of one character are refused", () => {
    expect(new Needles([]).isIn("anything")).toBe(false);
    expect(() => new Needles(["long enough", "x"])).toThrow("two characters");
  });
});
