/** A group's memory limit: two samples in a row, and only who took the memory answers for it. */
import { expect, test } from "bun:test";
import { Ticker } from "../../../src/kernel/time/ticker.ts";
import { MemoryWatch, tookMost } from "../../../src/kernel/workers/memory.ts";
import { HandClock } from "../../helpers/hand-clock.ts";

test("a single sample over the limit is a peak, the second in a row ends the worker, once", () => {
  const clock = new HandClock();
  const ticker = new Ticker(clock, () => {}, clock.alarm);
  ticker.start();
  const samples = [50, 150, 90, 120, 130, 140];
  const over: number[] = [];
  const held = (): number => samples.shift() ?? 999;
  const watch = new MemoryWatch(ticker, 100, held, (bytes) => over.push(bytes));
  watch.isReady();
  expect(watch.samples).toEqual({ newest: 50, atReady: 50 });
  clock.pass(1_600);
  expect([over, watch.samples.newest]).toEqual([[], 120]);
  clock.pass(10_000);
  expect([over, watch.samples]).toEqual([[130], { newest: 130, atReady: 50 }]);
});

test("a stopped watch samples no longer", () => {
  const clock = new HandClock();
  const ticker = new Ticker(clock, () => {}, clock.alarm);
  ticker.start();
  let asked = 0;
  const watch = new MemoryWatch(
    ticker,
    100,
    () => ++asked,
    () => {},
  );
  watch.stop();
  clock.pass(10_000);
  expect(asked).toBe(0);
});

const table: readonly (readonly [string, number | null, number, boolean])[] = [
  ["who ran beside another proves nothing", null, 300, false],
  ["who took all there was", 100, 300, true],
  ["who took half of what there was", 200, 300, true],
  ["who came last, when most was taken already", 250, 300, false],
];
for (const [claim, heldBefore, killedAt, answers] of table) {
  test(`${claim} ${answers ? "answers" : "does not answer"} for a death by memory`, () => {
    expect(tookMost(heldBefore, killedAt, 300, 100)).toBe(answers);
  });
}
