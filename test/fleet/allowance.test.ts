/** Who asks again and again is refused, and nobody else is. */
import { expect, test } from "bun:test";
import { Allowance } from "../../src/fleet/allowance.ts";

test("so many at once, one more after each span, and each name for itself", () => {
  let now = 0;
  const allowance = new Allowance(3, 100, () => now);
  const taken = (name: string, times: number): boolean[] => Array.from({ length: times }, () => allowance.take(name));
  expect(taken("a", 5)).toEqual([true, true, true, false, false]);
  expect(taken("b", 1)).toEqual([true]);
  now = 99;
  expect(taken("a", 1)).toEqual([false]);
  now = 250;
  expect(taken("a", 3)).toEqual([true, true, false]);
  now = 10_000;
  expect(taken("a", 4)).toEqual([true, true, true, false]);
});
