/** G5: the log names the culprit, and only the culprit. */
import { expect, test } from "bun:test";
import { SenseStats } from "../../../src/kernel/memory/sense-stats.ts";
import { judge, quarantineMs, STRIKES } from "../../../src/kernel/workers/blame.ts";

test("who was alone at a death gets a strike, several become suspects, none is blamed for nothing", () => {
  expect(judge([])).toEqual({ suspects: [], strike: null });
  expect(judge(["a"])).toEqual({ suspects: ["a"], strike: "a" });
  expect(judge(["a", "b", "c"])).toEqual({ suspects: ["a", "b", "c"], strike: null });
});

test("three strikes are a quarantine of a minute, which doubles up to an hour", () => {
  expect(STRIKES).toBe(3);
  const minutes = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 1_000].map((strikes) => {
    const ms = quarantineMs(strikes);
    return ms === null ? null : ms / 60_000;
  });
  expect(minutes).toEqual([null, null, null, 1, 2, 4, 8, 16, 32, 60, 60, 60]);
});

test("percentiles are of the newest durations, and null before the first", () => {
  const stats = new SenseStats();
  expect(stats.percentile(0.5)).toBeNull();
  for (let ms = 1; ms <= 1_000; ms++) stats.took(ms);
  expect([stats.percentile(0), stats.percentile(0.5), stats.percentile(0.99), stats.percentile(1)]).toEqual([
    873, 937, 999, 1_000,
  ]);
});
