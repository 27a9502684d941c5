/** What an answer over HTTP is made of. */
import { expect, test } from "bun:test";
import { json } from "../../src/http/answers.ts";

test("text of others in an answer means the same to a program, and nothing to a terminal or a browser that shows it as it came", () => {
  const value = { message: "a\u202eb\u2066c\u009b31m\u2028 ä – 日", host: "\u200fweb\u0000" };
  const { body } = json(value);
  expect(JSON.parse(String(body))).toEqual(value);
  expect(String(body)).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
  expect(String(body)).toContain("ä – 日");
});
