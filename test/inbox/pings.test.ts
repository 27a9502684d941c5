/** What a ping says by its path, and what is kept of its output. */
import { expect, test } from "bun:test";
import { exceedsBytes } from "../../src/base/json.ts";
import { givenByPing, MAX_OUTPUT_BYTES, outputOf, pingOf } from "../../src/inbox/pings.ts";
import { MAX_VALUE_BYTES } from "../../src/model/value.ts";

test("the paths of Healthchecks, and no others", () => {
  expect(["", "/", "/start", "/fail", "/log", "/0", "/1", "/255"].map(pingOf)).toEqual([
    { type: "success", exitCode: null },
    { type: "success", exitCode: null },
    { type: "start", exitCode: null },
    { type: "fail", exitCode: null },
    { type: "log", exitCode: null },
    { type: "success", exitCode: 0 },
    { type: "fail", exitCode: 1 },
    { type: "fail", exitCode: 255 },
  ]);
  for (const none of ["/256", "/-1", "/01x", "/Start", "/start/", "/success", "//0"]) expect(pingOf(none)).toBeNull();
});

test("the end of an output is kept, from a whole character on", () => {
  expect(outputOf(new TextEncoder().encode("done\n"))).toBe("done\n");
  expect(outputOf(new TextEncoder().encode(`${"x".repeat(MAX_OUTPUT_BYTES)}end`))).toBe(
    `${"x".repeat(MAX_OUTPUT_BYTES - 3)}end`,
  );
  // A character of three bytes stands across the cut.
  const text = outputOf(new TextEncoder().encode(`€${"x".repeat(MAX_OUTPUT_BYTES - 1)}`));
  expect(text).toBe("x".repeat(MAX_OUTPUT_BYTES - 1));
});

test("the largest output there can be fits into an item", () => {
  for (const byte of [0x00, 0x22, 0x80, 0xff]) {
    const output = outputOf(new Uint8Array(2 * MAX_OUTPUT_BYTES).fill(byte));
    const [body = ""] = givenByPing("fail", { exit_code: 137, duration_ms: 1e12, output }).bodies;
    expect(output.length).toBeGreaterThan(0);
    expect(exceedsBytes(body, MAX_VALUE_BYTES)).toBe(false);
  }
});
