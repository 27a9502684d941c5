/** What comes in from outside: accepted once, taken once, in order, whatever fails (G11). */
import { describe, expect, test } from "bun:test";
import { ALL_LOGS } from "../../../src/store/logs.ts";
import { given, InboxBench } from "../../helpers/inbox-bench.ts";

const takes = (): "takes" => "takes";
const upTo = (count: number): number[] => Array.from({ length: count }, (_, nth) => nth + 1);
const texts = (bodies: readonly unknown[]): string[] => bodies.map((body) => JSON.stringify(body));

describe("what is offered", () => {
  test("is committed before it is accepted, and taken by one compute in order", async () => {
    using bench = new InboxBench();
    bench.loads();
    const offered = bench.engine.inboxes.offer("a", given(["x", "y"]));
    expect(bench.store.inbox.list(null)).toEqual([]);
    await bench.settle();
    expect(await offered).toEqual({ kind: "accepted", ids: [1, 2] });
    expect(bench.left("waiting")).toEqual(texts(["x", "y"]));
    await bench.serve(takes);
    expect(bench.rows).toEqual(texts(["x", "y"]));
    expect(bench.signals).toEqual(texts(["x", "y"]));
    expect(bench.left("waiting")).toEqual([]);
  });

  test("has its own trace, which is that of the compute that takes it alone", async () => {
    using bench = new InboxBench();
    bench.loads();
    await bench.push({ ...given([1]), trace: "a".repeat(32) });
    expect(bench.asked?.trace).toBe("a".repeat(32));
    bench.answers("takes");
    await bench.settle();
    await bench.push(given([2, 3]));
    await bench.pass(1_000);
    const [first, second] = bench.store.inbox.list(null);
    expect(first?.trace).not.toBe(second?.trace);
    expect([first?.trace, second?.trace]).not.toContain(bench.asked?.trace);
    bench.answers("takes");
    await bench.settle();
    const logs = bench.store.logs.list({ ...ALL_LOGS, sources: ["sense:a"] });
    expect(logs.filter(({ event }) => event === "compute.took")).toMatchObject([
      { level: "debug", data: JSON.stringify({ first: 2, last: 3, count: 2 }) },
    ]);
  });

  test("is the same again under one identity, and another body under it is refused", async () => {
    using bench = new InboxBench();
    bench.loads();
    const twice = [
      bench.engine.inboxes.offer("a", given([1, 2], "k")),
      bench.engine.inboxes.offer("a", given([1, 2], "k")),
    ];
    const other = bench.engine.inboxes.offer("a", given([3], "k"));
    await bench.settle();
    expect(await Promise.all(twice)).toEqual(Array(2).fill({ kind: "accepted", ids: [1, 2] }));
    expect(await other).toEqual({ kind: "reused", key: "k" });
    await bench.serve(takes);
    bench.restart();
    expect(await bench.push(given([1, 2], "k"))).toEqual({ kind: "accepted", ids: [1, 2] });
    expect(await bench.push(given([3], "k"))).toEqual({ kind: "reused", key: "k" });
    await bench.pass(25 * 3_600_000);
    expect(await bench.push(given([3], "k"))).toEqual({ kind: "accepted", ids: [3] });
  });

  test("is refused where there is no inbox, no room or no disk, and costs nothing else", async () => {
    using bench = new InboxBench("senses: { a: { inbox: { max: 2 } } }");
    expect(await bench.engine.inboxes.offer("b", given([1]))).toEqual({ kind: "no-inbox" });
    expect(await bench.push(given([1, 2], "k"))).toEqual({ kind: "accepted", ids: [1, 2] });
    expect(await bench.push(given([3]))).toMatchObject({ kind: "full" });
    expect(await bench.push(given([1, 2], "k"))).toEqual({ kind: "accepted", ids: [1, 2] });
    bench.space.low = true;
    expect(await bench.push(given([3]))).toEqual({ kind: "low-space" });
    bench.space.low = false;
    await bench.serve(takes);
    expect(await bench.push(given([3]))).toMatchObject({ kind: "accepted" });
    await bench.serve(takes);
    expect(bench.signals).toEqual(texts([1, 2, 3]));
  });
});

describe("a compute", () => {
  test("gets 500 items and 1 MiB at most, and the next one follows at once", async () => {
    using bench = new InboxBench();
    bench.loads();
    await bench.push(given(upTo(700)));
    await bench.push(given(upTo(400)));
    expect(bench.asked?.inbox.length).toBe(500);
    bench.answers("takes");
    await bench.settle();
    expect(bench.asked?.inbox.length).toBe(500);
    await bench.serve(takes);
    expect(bench.signals).toEqual(texts([...upTo(700), ...upTo(400)]));
    await bench.push(given(Array(20).fill("x".repeat(60_000))));
    await bench.pass(1_000);
    expect(bench.asked?.inbox.length).toBe(17);
  });

  test("follows another one that an item woke after a second", async () => {
    using bench = new InboxBench();
    bench.loads();
    await bench.push(given([1]));
    bench.answers("takes");
    await bench.push(given([2]));
    await bench.pass(900);
    expect(bench.asked).toBeNull();
    await bench.pass(100);
    expect(bench.asked?.inbox).toMatchObject([{ id: 2, body: "2" }]);
  });

  test("gets what waits at a start, and where the reflex is enabled again", async () => {
    using bench = new InboxBench();
    const disabled = bench.engine.requests.switch("reflex:a#inbox", false);
    await bench.settle();
    expect((await disabled).ok).toBe(true);
    await bench.push(given([1]));
    bench.restart();
    bench.loads();
    await bench.pass(5_000);
    expect(bench.asked).toBeNull();
    const enabled = bench.engine.requests.switch("reflex:a#inbox", true);
    await bench.settle();
    expect((await enabled).ok).toBe(true);
    expect(bench.asked?.inbox.length).toBe(1);
  });
});
