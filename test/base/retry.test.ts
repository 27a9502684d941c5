/** The wait between two tries, by the table and for whatever is asked for. */
import { expect, test } from "bun:test";
import fc from "fast-check";
import { retryDelayMs, retryPolicy } from "../../src/base/retry.ts";

test("the wait before the next try grows by the backoff up to its limit, and is at least what was asked for", () => {
  const retry = { limit: 4, intervalMs: 10, backoff: 3, maxIntervalMs: 100 };
  expect([1, 2, 3, 4, 5].map((attempt) => retryDelayMs(retry, attempt, 0))).toEqual([10, 30, 90, 100, null]);
  expect([50, 5_000].map((wish) => retryDelayMs(retry, 1, wish))).toEqual([50, 100]);
  expect(retryDelayMs({ ...retry, limit: 5_000 }, 4_000, 0)).toBe(100);
  expect(retryDelayMs(null, 1, 0)).toBeNull();
});

test.each([
  ["no interval", { intervalMs: 0, backoff: 3, maxIntervalMs: 300_000 }, 0],
  ["an interval", { intervalMs: 1, backoff: 3, maxIntervalMs: 300_000 }, 300_000],
  ["no interval and the longest wait", { intervalMs: 0, backoff: 1e300, maxIntervalMs: 3_153_600_000_000 }, 0],
])("the wait is a number when the power of the backoff is infinite: %s", (_, more, expected) => {
  for (const attempt of [648, 1_025, 99_999]) {
    expect(retryDelayMs({ ...more, limit: 100_000 }, attempt, 0)).toBe(expected);
  }
});

test("whatever the policy, the wait is a number between nothing and the longest wait, and never shrinks", () => {
  const ms = fc.nat({ max: 3_153_600_000_000 });
  const optional = fc.option(ms, { nil: null });
  const backoff = fc.option(fc.double({ min: 1, noNaN: true }), { nil: null });
  fc.assert(
    fc.property(
      optional,
      backoff,
      optional,
      fc.integer({ min: 1, max: 5_000 }),
      (interval, growth, longest, attempt) => {
        const policy = retryPolicy(10_000, interval, growth, longest);
        const wait = retryDelayMs(policy, attempt, 0) ?? Number.NaN;
        expect(wait).toBeWithin(0, policy.maxIntervalMs + 1);
        expect(retryDelayMs(policy, attempt + 1, 0) ?? Number.NaN).toBeGreaterThanOrEqual(wait);
      },
    ),
  );
});
