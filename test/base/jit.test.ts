/** When a process counts as busy, so that the JIT compiles as usual. */
import { expect, test } from "bun:test";
import { BusyWatch } from "../../src/base/jit.ts";

/** Counts how often the watch of a process finds it busy; `at` is the clock. */
function watched() {
  const seen = { at: 0, busy: 0 };
  const watch = new BusyWatch(
    () => seen.busy++,
    () => seen.at,
  );
  const second = (frames: number, messages: number): void => {
    for (let frame = 0; frame < frames; frame++) {
      seen.at += 1_000 / frames;
      watch.handled(messages);
    }
  };
  return { seen, second };
}

test("2,000 messages a second, for an hour, leave a process calm", () => {
  const { seen, second } = watched();
  for (let hour = 0; hour < 3_600; hour++) second(2, 1_000);
  expect(seen.busy).toBe(0);
});

test("10,000 messages in a second make a process busy after a calm hour, once", () => {
  const { seen, second } = watched();
  for (let hour = 0; hour < 3_600; hour++) second(4, 1);
  for (let flood = 0; flood < 60; flood++) second(100, 100);
  expect(seen.busy).toBe(1);
});
