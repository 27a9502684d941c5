/** Errors outside any compute are limited like other output (G5). */
import { expect, test } from "bun:test";
import { limitStrays } from "../../src/worker/entry.ts";
import { until } from "../helpers/until.ts";

test("of a flood of errors a hundred a second are described, and the rest are counted without being looked at", async () => {
  const FLOOD = 20_000;
  const reported: { readonly message: string; readonly stack: string | null }[] = [];
  let looked = 0;
  const stray = limitStrays((message, stack) => reported.push({ message, stack }));
  for (let count = 0; count < FLOOD; count++) {
    const error = new Error(`r${count}`);
    Object.defineProperty(error, "stack", { get: () => `at ${++looked}` });
    stray(error);
  }
  const kept = reported.length;
  // Two seconds may have a share in it.
  expect(kept).toBeGreaterThanOrEqual(100);
  expect(kept).toBeLessThanOrEqual(200);
  expect(looked).toBe(kept);
  expect(reported[0]).toEqual({ message: "an error nobody waited for: Error: r0", stack: "at 1" });
  await until("the count is reported", () => reported.length > kept);
  expect(reported.at(-1)).toEqual({
    message: `${FLOOD - kept} more errors nobody waited for were dropped: at most 100 a second are kept`,
    stack: null,
  });
});
