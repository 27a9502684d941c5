/** When the kernel has what was handed to it: also of a host that is never idle. */
import { expect, test } from "bun:test";
import { Batches } from "../../src/fleet/batches.ts";

const frame = (at: number) => ({
  ...{ epoch: "e", from: at, to: at + 1, lost: 0 },
  signals: [{ id: at + 1, sense: "load", at: 1, trace: "0".repeat(32), payload: "1" }],
});

const TIMES = { sentMs: null, storedMs: null };

/** Turns of the event loop that let what is scheduled happen. */
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test("what is always on its way is settled as long as each part arrives soon, and not where the kernel stands still", async () => {
  let now = 0;
  let posted = 0;
  const batches = new Batches(
    () => void posted++,
    () => {},
    () => now,
  );
  batches.moved("S", 1);
  await batches.add("web", frame(0), null, TIMES);
  await turn();
  expect(posted).toBe(1);
  for (let at = 1; at < 100; at++) {
    now += 500;
    void batches.add("web", frame(at), null, TIMES);
    await turn();
    expect(batches.isSettled).toBe(true);
    // The one before is committed while this one waits.
    batches.stored();
    await turn();
  }
  for (let at = 100; at < 110; at++) {
    now += 500;
    void batches.add("web", frame(at), null, TIMES);
    await turn();
  }
  expect(batches.isSettled).toBe(false);
});
