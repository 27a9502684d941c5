/** The least time between the starts of two computes, and who is woken at its end. */
import { expect, test } from "bun:test";
import { momentOf } from "../../../src/base/clock.ts";
import { unwrittenSense } from "../../../src/config/senses.ts";
import { Sense } from "../../../src/kernel/memory/sense.ts";
import { Throttles } from "../../../src/kernel/senses/throttles.ts";
import { Ticker } from "../../../src/kernel/time/ticker.ts";
import { HandClock } from "../../helpers/hand-clock.ts";

function setting(throttleMs: number | null) {
  const clock = new HandClock();
  const ticker = new Ticker(clock, () => {}, clock.alarm);
  const woken: string[] = [];
  const throttles = new Throttles(clock, ticker, ({ name }) => woken.push(name));
  const sense = new Sense({ ...unwrittenSense("a"), throttleMs }, null, null);
  ticker.start();
  return { clock, throttles, woken, sense };
}

test("a sense without a throttle, or that never computed, waits for nothing", () => {
  const { clock, throttles, sense } = setting(null);
  sense.keepStarted(momentOf(clock));
  expect([throttles.holds(sense), throttles.delays(sense)]).toEqual([false, false]);
  const { throttles: others, sense: fresh } = setting(10_000);
  expect([others.holds(fresh), others.delays(fresh)]).toEqual([false, false]);
});

test("one that asks too early is woken once when its time has come, however often it asked", () => {
  const { clock, throttles, woken, sense } = setting(10_000);
  sense.keepStarted(momentOf(clock));
  clock.pass(4_000);
  expect([throttles.delays(sense), throttles.delays(sense)]).toEqual([true, true]);
  clock.pass(5_999);
  expect([throttles.holds(sense), woken]).toEqual([true, []]);
  clock.pass(1);
  expect([throttles.holds(sense), throttles.delays(sense), woken]).toEqual([false, false, ["a"]]);
  clock.pass(60_000);
  expect(woken).toEqual(["a"]);
});

test("to look whether it is held back wakes nobody, and neither does what is forgotten", () => {
  const { clock, throttles, woken, sense } = setting(10_000);
  sense.keepStarted(momentOf(clock));
  expect(throttles.holds(sense)).toBe(true);
  clock.pass(20_000);
  sense.keepStarted(momentOf(clock));
  expect(throttles.delays(sense)).toBe(true);
  throttles.forget(sense);
  clock.pass(20_000);
  expect(woken).toEqual([]);
});

test("a wall clock that is set neither shortens nor lengthens it", () => {
  const { clock, throttles, sense } = setting(10_000);
  sense.keepStarted(momentOf(clock));
  clock.step(3_600_000);
  expect(throttles.holds(sense)).toBe(true);
  clock.step(-7_200_000);
  clock.pass(10_000);
  expect(throttles.holds(sense)).toBe(false);
});
