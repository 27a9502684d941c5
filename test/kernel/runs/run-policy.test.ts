/** How long a run waits for its next attempt, by the table. */
import { expect, test } from "bun:test";
import { attemptDelayMs } from "../../../src/kernel/runs/run-policy.ts";
import type { RetryConfig } from "../../../src/model/config.ts";

const delays = (retry: RetryConfig): (number | null)[] => [1, 2, 3, 4, 50].map((after) => attemptDelayMs(after, retry));
const MINUTE = 60_000;

test("the wait before the next attempt grows by the backoff up to its limit, and is never less than the interval", () => {
  const unsaid = { intervalMs: null, backoff: null, maxIntervalMs: null };
  expect(delays({ ...unsaid, limit: 3 })).toEqual([5_000, 10_000, 20_000, null, null]);
  expect(delays({ ...unsaid, limit: 100 })).toEqual([5_000, 10_000, 20_000, 40_000, 5 * MINUTE]);
  expect(delays({ ...unsaid, limit: 2, intervalMs: 60 * MINUTE })).toEqual([
    60 * MINUTE,
    60 * MINUTE,
    null,
    null,
    null,
  ]);
  expect(delays({ limit: 9, intervalMs: 100, backoff: 3, maxIntervalMs: 500 })).toEqual([100, 300, 500, 500, null]);
  expect(delays({ ...unsaid, limit: 0 })).toEqual([null, null, null, null, null]);
  expect(attemptDelayMs(1, null)).toBeNull();
});
