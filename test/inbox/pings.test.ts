/** What a ping says by its path, and what is kept of its output. */
import { expect, test } from "bun:test";
import { exceedsBytes } from "../../src/base/json.ts";
import { givenByPing, MAX_OUTPUT_BYTES, outputOf, pingOf, runOf } from "../../src/inbox/pings.ts";
import { MAX_VALUE_BYTES } from "../../src/model/value.ts";

test("the paths of Healthchecks, and no others", () => {
  const paths = ["", "/", "/start", "/start/", "/fail", "/log", "/0", "/1", "/255"];
  expect(paths.map((path) => pingOf(path, "job"))).toEqual([
    { type: "success", exitCode: null },
    { type: "success", exitCode: null },
    { type: "start", exitCode: null },
    { type: "start", exitCode: null },
    { type: "fail", exitCode: null },
    { type: "log", exitCode: null },
    { type: "success", exitCode: 0 },
    { type: "fail", exitCode: 1 },
    { type: "fail", exitCode: 255 },
  ]);
  for (const none of ["/256", "/-1", "/01x", "/Start", "/start//", "/success", "//0", "//"]) {
    expect(pingOf(none, "job")).toBeNull();
  }
});

test("the name of the sense stands where Healthchecks has a slug, and no other name does", () => {
  expect(pingOf("/job", "job")).toEqual({ type: "success", exitCode: null });
  expect(pingOf("/job/", "job")).toEqual({ type: "success", exitCode: null });
  expect(pingOf("/job/start", "job")).toEqual({ type: "start", exitCode: null });
  expect(pingOf("/a%20job/7", "a job")).toEqual({ type: "fail", exitCode: 7 });
  // A word of Healthchecks goes before a name.
  expect(pingOf("/fail", "fail")).toEqual({ type: "fail", exitCode: null });
  expect(pingOf("/fail/start", "fail")).toEqual({ type: "start", exitCode: null });
  for (const none of ["/jobs", "/job/job", "/other", "/start/job"]) expect(pingOf(none, "job")).toBeNull();
});

test("`rid` is the key of the item, as far as it can be one", () => {
  expect(runOf(new URLSearchParams("rid=c0ffee&create=1"))).toBe("c0ffee");
  for (const none of ["", "rid=", `rid=${"x".repeat(256)}`]) expect(runOf(new URLSearchParams(none))).toBeNull();
  expect(givenByPing("start", { exit_code: null, duration_ms: null, output: null }, "run 1", null)).toMatchObject({
    key: "run 1",
    identity: null,
  });
});

test("a ping with an Idempotency-Key is the same ping again, and no ping of another type is", () => {
  const nothing = { exit_code: null, duration_ms: null, output: null };
  const of = (type: "start" | "fail", key: string) => givenByPing(type, nothing, null, key).identity;
  expect(of("fail", "k")).toBe(of("fail", "k"));
  expect(new Set([of("fail", "k"), of("start", "k"), of("fail", "l")]).size).toBe(3);
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
    const [body = ""] = givenByPing("fail", { exit_code: 137, duration_ms: 1e12, output }, null, null).bodies;
    expect(output.length).toBeGreaterThan(0);
    expect(exceedsBytes(body, MAX_VALUE_BYTES)).toBe(false);
  }
});
