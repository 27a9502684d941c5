/** What is known of the signals that an earlier kernel committed: the newest of each sense, read from a real store in bounded pieces. */
import { expect, test } from "bun:test";
import { unwrittenSense } from "../../../src/config/senses.ts";
import { Sense } from "../../../src/kernel/memory/sense.ts";
import { EarlierSignals } from "../../../src/kernel/senses/earlier-signals.ts";
import { KernelBench } from "../../helpers/kernel-bench.ts";

const newSense = (name: string): Sense => new Sense(unwrittenSense(name), null, null);

/** The signal of each name is stamped with its place in the list. */
function holding(...names: readonly string[]): KernelBench {
  const bench = new KernelBench();
  bench.store.commit(() => {
    for (const [nth, sense] of names.entries()) {
      bench.store.signals.append({ sense, at: nth + 1, payload: "{}", cause: null, trace: "0".repeat(32) });
    }
  });
  return bench;
}

const ROWS = 30_000;

test("the newest signal of each sense is known at once, and it counts for nothing of this kernel", () => {
  using bench = holding("a", "b", "a", "b", "b", "gone");
  const [a, b, none] = ["a", "b", "none"].map(newSense) as [Sense, Sense, Sense];
  new EarlierSignals(bench).search([a, b, none]);
  expect([a, b, none].map(({ stats }) => stats.newestSignal)).toEqual([{ id: 3, at: 3 }, { id: 5, at: 5 }, null]);
  expect([a, b].map(({ stats: { lastSignal, signals } }) => [lastSignal, signals])).toEqual([
    [null, 0],
    [null, 0],
  ]);
});

test("a signal behind many others of other senses is found piece by piece, however late a reload comes between", async () => {
  using bench = holding("rare", ...Array.from({ length: ROWS }, () => "busy"));
  const [rare, busy] = ["rare", "busy"].map(newSense) as [Sense, Sense];
  const search = new EarlierSignals(bench);
  search.search([rare, busy]);
  expect([rare, busy].map(({ stats }) => stats.newestSignal?.id ?? null)).toEqual([null, ROWS + 1]);
  await bench.pass(100);
  search.search([rare, busy]);
  for (let pieces = 0; pieces < ROWS / 5_000; pieces++) await bench.pass(50);
  expect(rare.stats.newestSignal).toEqual({ id: 1, at: 1 });
});

test("a signal of this kernel is newer than what the search finds", async () => {
  using bench = holding("a", ...Array.from({ length: ROWS }, () => "busy"));
  const a = newSense("a");
  new EarlierSignals(bench).search([a]);
  a.stats.lastSignal = { id: ROWS + 2, at: ROWS + 2 };
  for (let pieces = 0; pieces < ROWS / 5_000; pieces++) await bench.pass(50);
  expect([a.stats.newestSignal?.id, a.stats.earlierSignal?.id]).toEqual([ROWS + 2, 1]);
});
