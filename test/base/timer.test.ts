/** Timers of any length: never early, and not at once because they are long. */
import { expect, test } from "bun:test";
import { elapsedMs, startTimer } from "../../src/base/timer.ts";
import { until } from "../helpers/until.ts";

test("a timer fires once its time has passed, not before, and not when it was stopped", async () => {
  const startedAt = performance.now();
  const fired: [string, number][] = [];
  const start = (name: string, ms: number) => startTimer(ms, () => fired.push([name, elapsedMs(startedAt)]));
  start("long", 40);
  start("short", 10.5);
  start("now", 0);
  start("past", -5);
  start("stopped", 5).stop();
  const distant = [2 ** 31, 2 ** 40, Number.MAX_SAFE_INTEGER].map((ms) => start("distant", ms));
  await until("the timer has fired four times", () => fired.length >= 4);
  for (const timer of distant) timer.stop();
  expect(fired.map(([name]) => name)).toEqual(["now", "past", "short", "long"]);
  const at = new Map(fired);
  expect(at.get("short")).toBeGreaterThanOrEqual(10.5);
  expect(at.get("long")).toBeGreaterThanOrEqual(40);
});

test("a timer for no number of milliseconds is refused: it would never fire", () => {
  expect(() => startTimer(Number.NaN, () => {})).toThrow("a timer needs a number of milliseconds");
});
