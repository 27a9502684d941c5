/** Items that no compute takes: tried again and given up by hand, and gone with time. */
import { expect, test } from "bun:test";
import { given, InboxBench } from "../../helpers/inbox-bench.ts";

const DAY = 86_400_000;

/** Item 1 is dead, and 2 is taken. */
async function withDead(): Promise<InboxBench> {
  const bench = new InboxBench();
  bench.loads();
  await bench.push(given(["bad", "good"]));
  await bench.serve(({ inbox }) => (inbox.some(({ body }) => body === '"bad"') ? "fails" : "takes"), 60_000, 1_000);
  expect(bench.left("dead")).toEqual(['"bad"']);
  return bench;
}

test("a dead item waits again by hand, and is taken once the sense is mended", async () => {
  using bench = await withDead();
  const { leavings, inboxes } = bench.engine;
  const retried = leavings.retry([1]);
  await bench.settle();
  expect(await retried).toEqual({ ok: true, value: { items: [{ id: 1, sense: "a" }] } });
  expect(inboxes.totals()).toEqual([{ sense: "a", waiting: 1, dead: 0 }]);
  expect(await leavings.retry([1])).toMatchObject({ ok: false, error: { kind: "item-waits" } });
  await bench.serve(() => "takes", 10_000);
  expect(bench.signals).toEqual(['"good"', '"bad"']);
  expect(await leavings.retry([1])).toMatchObject({ ok: false, error: { kind: "unknown-item" } });
});

test("items are dropped by hand, all or none, and not from under a compute", async () => {
  using bench = await withDead();
  const { leavings, inboxes } = bench.engine;
  await bench.push(given([3]));
  expect(bench.asked?.inbox.length).toBe(1);
  expect(await leavings.drop([1, 3])).toMatchObject({ ok: false, error: { kind: "item-under-way" } });
  expect(await leavings.drop([1, 99])).toMatchObject({ ok: false, error: { kind: "unknown-item" } });
  expect(inboxes.totals()).toEqual([{ sense: "a", waiting: 1, dead: 1 }]);
  bench.answers("fails");
  await bench.settle();
  const dropped = leavings.drop([1, 3]);
  await bench.settle();
  expect(await dropped).toMatchObject({ ok: true });
  expect(inboxes.totals()).toEqual([{ sense: "a", waiting: 0, dead: 0 }]);
  expect(bench.said("item.dropped")).toHaveLength(2);
  await bench.push(given([4]));
  await bench.pass(1_000);
  expect(bench.asked?.inbox).toMatchObject([{ body: "4" }]);
});

test("a sense is no longer failing once every item of its newest failure is dropped", async () => {
  using bench = new InboxBench();
  bench.loads();
  await bench.push(given([1, 2]));
  const { leavings, senses } = bench.engine;
  const failure = (): string | null | undefined => senses.get("a")?.stats.failure;
  bench.answers("fails");
  await bench.settle();
  expect(failure()).toBe("why");
  for (const [id, left] of [
    [1, "why"],
    [2, null],
  ] as const) {
    const dropped = leavings.drop([id]);
    await bench.settle();
    expect(await dropped).toMatchObject({ ok: true });
    expect(failure()).toBe(left);
  }
});

test("a sense is no longer failing once the dead item of its newest failure is dropped", async () => {
  using bench = await withDead();
  const { leavings, senses } = bench.engine;
  expect(senses.get("a")?.stats.failure).toBe("why");
  const dropped = leavings.drop([1]);
  await bench.settle();
  expect(await dropped).toMatchObject({ ok: true });
  expect(senses.get("a")?.stats.failure).toBeNull();
});

test("dead items go as signals do, and what waits for a sense stays", async () => {
  using bench = await withDead();
  const { inboxUpkeep, inboxes } = bench.engine;
  const disabled = bench.engine.requests.switch("sense:a", false);
  await bench.settle();
  await disabled;
  await bench.push(given([3]));
  await bench.pass(29 * DAY);
  inboxUpkeep.start();
  await bench.pass(60_000);
  expect(inboxes.totals()).toEqual([{ sense: "a", waiting: 1, dead: 1 }]);
  await bench.pass(2 * DAY);
  await bench.pass(60_000);
  expect(inboxes.totals()).toEqual([{ sense: "a", waiting: 1, dead: 0 }]);
  expect(bench.said("item.dropped")).toEqual(["item 1 is dropped from the inbox: as old as signals become"]);
  inboxUpkeep.stop();
});

test("requests are known for a day, and the table of them does not grow for ever", async () => {
  using bench = new InboxBench();
  const { inboxUpkeep } = bench.engine;
  await bench.push(given([1], "old"));
  await bench.pass(23 * 3_600_000);
  await bench.push(given([2], "new"));
  inboxUpkeep.start();
  await bench.pass(2 * 3_600_000);
  await bench.pass(60_000);
  expect(bench.store.inboxRequests.byIdentity("a", "old")).toBeNull();
  expect(bench.store.inboxRequests.byIdentity("a", "new")).toMatchObject({ first: 2, items: 1 });
  inboxUpkeep.stop();
});
