import { expect, test } from "bun:test";
import { Histogram } from "../../src/base/histogram.ts";

test("a value is counted at the lowest bound that it does not pass, and beyond all bounds at the end", () => {
  const histogram = new Histogram([1, 5]);
  for (const value of [0, 1, 1.5, 5, 6, Number.POSITIVE_INFINITY]) histogram.observe(value);
  expect(histogram.counts.counts).toEqual([2, 2, 2]);
});

test("what was read does not change with later values", () => {
  const histogram = new Histogram([1]);
  const before = histogram.counts;
  histogram.observe(2);
  expect(before).toEqual({ bounds: [1], counts: [0, 0], sum: 0 });
  expect(histogram.counts).toEqual({ bounds: [1], counts: [0, 1], sum: 2 });
});
