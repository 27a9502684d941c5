/** What the digits of a trace id say of time, of ids of nerve's own and of those that a `traceparent` brings. */
import { expect, test } from "bun:test";
import { bornAt, soughtFrom, traceIds, traceTime } from "../../src/base/trace-id.ts";

const NOW = 1_795_900_000_000;
const HOUR = 3_600_000;
const own = traceIds({ bytes: (count: number) => Buffer.alloc(count, 7) } as never)(NOW);
/** The example of W3C Trace Context, which as a time lies in the year 4617, and one that lies in 1970. */
const LATE = "4bf92f3577b34da6a3ce929d0e0e4736";
const EARLY = "000000000001111111111111111111aa";

test("a trace of nerve began when its id says so, and one from elsewhere with its first row", () => {
  expect(traceTime(own)).toBe(NOW);
  expect(bornAt(own, NOW + HOUR)).toBe(NOW);
  expect(bornAt(LATE, NOW)).toBe(NOW);
  expect(bornAt(EARLY, NOW)).toBe(NOW);
});

test("rows are sought from the time in the id on, and from the first row where that time is still to come", () => {
  expect(soughtFrom(own, NOW + HOUR)).toBe(NOW);
  expect(soughtFrom(LATE, NOW)).toBe(0);
  expect(soughtFrom(EARLY, NOW)).toBe(1);
});
