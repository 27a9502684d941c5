/** The kernel in simulated worlds: a few hours of some of them. `bun run sim --seeds N` runs many, for days. */
import { expect, setDefaultTimeout, test } from "bun:test";
import { simulated } from "./simulate.ts";
import { HOUR, sizeOf } from "./words.ts";

// A busy machine takes its time.
setDefaultTimeout(600_000);

const isFull = process.env.NERVE_SIM === "full";
const SEEDS = isFull ? [1, 2, 3, 4, 5, 8, 10] : [1, 2, 3, 4, 10];
const HOURS = isFull ? 8 : 2;
const SIZE = sizeOf({ lengthMs: HOURS * HOUR });

test.each(SEEDS)("nothing is wrong in the world of seed %p", async (seed) => {
  const { found, signals, starts } = await simulated(seed, SIZE);
  const again = `bun run sim --seed ${seed} --hours ${HOURS} --trace`;
  expect(found === null ? null : `${found.stack}\nagain: ${again}`).toBeNull();
  expect(signals).toBeGreaterThan(100);
  expect(starts).toBeGreaterThan(0);
});

test("a seed is one history, however often it runs", async () => {
  const small = sizeOf({ lengthMs: HOUR, senses: 6, reflexes: 8 });
  const [once, again] = [await simulated(7, small), await simulated(7, small)];
  expect(once?.digest).toBe(again?.digest as string);
  expect(once?.commits).toBe(again?.commits as number);
});
