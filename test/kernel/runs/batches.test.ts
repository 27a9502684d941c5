/** Decisions that wait for one another and begin as one run: the real runs on a real store, with workers that do what a test says. */
import { describe, expect, test } from "bun:test";
import type { Json } from "../../../src/base/json.ts";
import { checkStore } from "../../../src/store/rebuild-store.ts";
import { COMPLETED, type FlowConfig, failedWith, RunsBench, suspendedFor } from "../../helpers/runs-bench.ts";

const SECOND = 1_000;
const WAIT = 30 * SECOND;

const batch = (by: string | null = null) => ({ concurrency: 3, maxQueue: 2, batch: { waitMs: WAIT, by } });

const isRight = (bench: RunsBench) =>
  expect(checkStore(bench.folder.path)).toMatchObject({ ok: true, value: { differing: 0, faulty: 0 } });

/** What the thread of a run is given as `trigger.batch`, in short: the payloads, and the number of the others. */
function batchOf(bench: RunsBench, run: number): readonly [Json[], number] | null {
  const message = bench.children.flatMap((child) => child.of("run")).findLast((one) => one.run === run);
  const given = (message?.trigger as { batch: { items: { payload: Json }[]; more: number } | null } | undefined)?.batch;
  return given === null || given === undefined ? null : [given.items.map(({ payload }) => payload), given.more];
}

/** The run of somebody else is under way all the time, so that the worker stays. */
const OTHER = 1;

async function started(flow: FlowConfig): Promise<RunsBench> {
  const bench = new RunsBench(flow);
  await bench.ask();
  await bench.ready();
  await bench.begins(OTHER);
  return bench;
}

const finish = async (bench: RunsBench, run: number): Promise<void> => {
  await bench.begins(run);
  await bench.says(run, COMPLETED);
};

describe("decisions for a workflow with `batch`", () => {
  test("wait without a slot, and the first takes the others along when its time has come", async () => {
    using bench = await started(batch());
    const [one = 0] = await bench.decideAll(["a"]);
    await bench.pass(WAIT - SECOND);
    const [two = 0, three = 0] = await bench.decideAll(["b", "c"]);
    expect(bench.states(one, two, three)).toEqual(["queued", "queued", "queued"]);
    expect(bench.counts).toEqual({ running: 1, queued: 3, sleeping: 0 });
    await bench.pass(SECOND);
    expect(bench.states(one, two, three)).toEqual(["running", "joined", "joined"]);
    expect(batchOf(bench, one)).toEqual([["a", "b", "c"], 0]);
    expect(bench.dataOf(two, "run.joined")).toEqual({ into: one });
    expect(bench.dataOf(one, "run.started")).toMatchObject({ batch: { more: 0 }, joined: [two, three] });
    expect(bench.dataOf(one, "run.started").batch.items[1]).toEqual({
      id: 2,
      sense: "s",
      at: 1,
      payload: "b",
      reflex: "r",
      key: null,
      due: null,
      signal: null,
      incident: null,
      batch: null,
    });
    await finish(bench, one);
    expect(bench.counts).toEqual({ running: 1, queued: 0, sleeping: 0 });
    isRight(bench);
  });

  test("that come after the first has begun are a batch of their own, with a wait of its own", async () => {
    using bench = await started(batch());
    const [one = 0] = await bench.decideAll(["a"]);
    await bench.pass(WAIT);
    await bench.begins(one);
    const [two = 0] = await bench.decideAll(["b"]);
    await bench.pass(WAIT - 1);
    expect(bench.states(one, two)).toEqual(["running", "queued"]);
    await bench.pass(1);
    expect(bench.states(one, two)).toEqual(["running", "running"]);
    expect([batchOf(bench, one), batchOf(bench, two)]).toEqual([
      [["a"], 0],
      [["b"], 0],
    ]);
  });

  test("go along while the first waits for a slot", async () => {
    using bench = await started({ ...batch(), concurrency: 1 });
    const [one = 0] = await bench.decideAll(["a"]);
    await bench.pass(WAIT);
    const [two = 0] = await bench.decideAll(["b"]);
    await bench.pass(10 * WAIT);
    expect(bench.states(one, two)).toEqual(["queued", "queued"]);
    await bench.says(OTHER, COMPLETED);
    expect(bench.states(one, two)).toEqual(["running", "joined"]);
    expect(batchOf(bench, one)).toEqual([["a", "b"], 0]);
  });

  test.each([
    [
      "reflex",
      [
        ["r", { n: 1 }],
        ["q", { n: 2 }],
        ["r", { n: 3 }],
      ],
    ],
    [
      "host",
      [
        ["r", { n: 1, host: "a" }],
        ["q", { n: 2, host: "b" }],
        ["q", { n: 3, host: "a" }],
      ],
    ],
    [
      "host.name",
      [
        ["r", { n: 1 }],
        ["r", { n: 2, host: { name: "b" } }],
        ["r", { n: 3, host: 7 }],
      ],
    ],
  ] as const)("are grouped by %s", async (by, decisions) => {
    using bench = await started(batch(by));
    const ids: number[] = [];
    for (const [reflex, input] of decisions) ids.push(...(await bench.decideAll([input], reflex)));
    await bench.pass(WAIT);
    expect(bench.states(...ids)).toEqual(["running", "running", "joined"]);
    expect(bench.dataOf(ids[2] ?? 0, "run.joined")).toEqual({ into: ids[0] });
  });

  test("do not count in `max_queue`, and what a person asks for waits for nobody", async () => {
    using bench = await started(batch());
    const ids = await bench.decideAll([..."abcdefgh"]);
    const [by = 0] = await bench.ask();
    expect(new Set(bench.states(...ids))).toEqual(new Set(["queued"]));
    expect([bench.states(by), batchOf(bench, by)]).toEqual([["running"], null]);
  });

  test("come behind what a person asked for before them, where both wait for a slot", async () => {
    using bench = await started({ ...batch(), concurrency: 1 });
    const [by = 0] = await bench.ask();
    const [one = 0] = await bench.decideAll(["a"]);
    const [after = 0] = await bench.ask();
    await bench.pass(WAIT);
    await bench.says(OTHER, COMPLETED);
    expect(bench.states(by, one, after)).toEqual(["running", "queued", "queued"]);
    await finish(bench, by);
    expect(bench.states(by, one, after)).toEqual(["completed", "running", "queued"]);
  });

  test("are listed up to 100 and 256 KiB; the others are counted", async () => {
    using bench = await started(batch("reflex"));
    const [many = 0] = await bench.decideAll(Array.from({ length: 250 }, (_, n) => n));
    const [large = 0] = await bench.decideAll(
      Array.from({ length: 9 }, () => "x".repeat(60_000)),
      "large",
    );
    await bench.pass(WAIT);
    expect(batchOf(bench, many)).toEqual([Array.from({ length: 100 }, (_, n) => n), 150]);
    const [items = [], more] = batchOf(bench, large) ?? [];
    expect([items.length, more]).toEqual([4, 5]);
    expect(Buffer.byteLength(JSON.stringify(bench.dataOf(large, "run.started").batch))).toBeLessThan(256 * 1024);
    isRight(bench);
  });
});

describe("a batch", () => {
  test("keeps its time over kills, downtime and a clock that is set", async () => {
    using bench = await started(batch());
    const ids = await bench.decideAll(["a", "b"]);
    await bench.pass(10 * SECOND);
    await bench.restart();
    bench.clock.step(86_400_000);
    await bench.pass(10 * SECOND);
    expect(bench.states(...ids)).toEqual(["queued", "queued"]);
    const [late = 0] = await bench.decideAll(["c"]);
    await bench.restart(5 * SECOND);
    await bench.pass(4 * SECOND);
    expect(bench.states(...ids, late)).toEqual(["queued", "queued", "queued"]);
    await bench.pass(SECOND);
    await bench.ready();
    expect(bench.states(...ids, late)).toEqual(["running", "joined", "joined"]);
    expect(batchOf(bench, ids[0] ?? 0)).toEqual([["a", "b", "c"], 0]);
    isRight(bench);
  });

  test("whose time passed while nerve was down begins at once", async () => {
    using bench = await started(batch());
    const ids = await bench.decideAll(["a", "b"]);
    await bench.restart(10 * WAIT);
    await bench.ready();
    expect(bench.states(...ids)).toEqual(["running", "joined"]);
  });

  test("is the same for a run that goes on after a kill, a sleep, a failed attempt, and for its retry by hand", async () => {
    using bench = await started({ ...batch(), retry: { limit: 1, intervalMs: 1, backoff: null, maxIntervalMs: null } });
    const [one = 0, two = 0] = await bench.decideAll(["a", "b"]);
    await bench.pass(WAIT);
    const given = batchOf(bench, one);
    await bench.begins(one);
    await bench.says(one, suspendedFor(SECOND));
    await bench.restart();
    await bench.pass(SECOND);
    await bench.ready();
    expect(batchOf(bench, one)).toEqual(given);
    await bench.begins(one);
    await bench.says(one, failedWith("no"));
    await bench.pass(SECOND);
    expect([bench.row(one).attempt, batchOf(bench, one)]).toEqual([2, given]);
    await bench.begins(one);
    await bench.says(one, failedWith("no"));
    expect(bench.states(one)).toEqual(["failed"]);
    const retried = await Promise.all([bench.workflows.byHand.retry(one, null), bench.settle()]).then(([r]) => r);
    const again = retried.ok ? retried.value.run : 0;
    await bench.settle();
    expect([bench.states(again), batchOf(bench, again)]).toEqual([["running"], given]);
    const refused = await bench.workflows.byHand.retry(two, null);
    expect(refused).toMatchObject({
      ok: false,
      error: {
        kind: "run-joined",
        message: `run ${two} joined run ${one}`,
        hint: `\`nerve retry ${one}\` retries the run that it joined`,
      },
    });
    isRight(bench);
  });

  test("loses one that is cancelled, and no other; where that was the first, the next waits for its own time", async () => {
    using bench = await started(batch());
    const [one = 0] = await bench.decideAll(["a"]);
    await bench.pass(10 * SECOND);
    const [two = 0, three = 0] = await bench.decideAll(["b", "c"]);
    for (const id of [one, three]) await Promise.all([bench.workflows.byHand.cancel(id), bench.settle()]);
    await bench.pass(WAIT - 10 * SECOND);
    expect(bench.states(one, two, three)).toEqual(["cancelled", "queued", "cancelled"]);
    await bench.pass(10 * SECOND);
    expect(bench.states(two)).toEqual(["running"]);
    expect(batchOf(bench, two)).toEqual([["b"], 0]);
    isRight(bench);
  });

  test("whose first is cancelled in the transaction of its beginning takes nobody along", async () => {
    using bench = await started(batch());
    const [one = 0, two = 0] = await bench.decideAll(["a", "b"]);
    await bench.settle();
    const cancelled = bench.workflows.byHand.cancel(one);
    bench.clock.pass(WAIT);
    await bench.settle();
    await cancelled;
    expect(bench.states(one, two)).toEqual(["cancelled", "running"]);
    expect(batchOf(bench, two)).toEqual([["b"], 0]);
    isRight(bench);
  });

  test("waits while its module does not load, and goes on when it does", async () => {
    using bench = new RunsBench(batch());
    const ids = await bench.decideAll(["a", "b"]);
    expect(bench.children).toHaveLength(0);
    await bench.pass(WAIT);
    await bench.ready("no such file");
    expect(bench.states(...ids)).toEqual(["queued", "queued"]);
    const [late = 0] = await bench.decideAll(["c"]);
    await bench.pass(61 * SECOND);
    await bench.ready();
    expect(bench.states(...ids, late)).toEqual(["running", "joined", "joined"]);
  });

  test("that can hold no more drops what comes, and says why", async () => {
    using bench = await started(batch());
    await bench.decideAll(Array.from({ length: 10_000 }, (_, n) => n));
    const [one = 0, ...more] = await bench.decideAll(["late", "later"]);
    expect(bench.states(one, ...more)).toEqual(["dropped", "dropped"]);
    expect(bench.row(one).error).toBe("10000 wait in batches already, as many as may");
    await bench.pass(WAIT);
    const first = one - 10_000;
    expect(bench.dataOf(first, "run.started").joined).toHaveLength(9_999);
    expect(batchOf(bench, first)?.[1]).toBe(9_900);
    expect(bench.counts).toEqual({ running: 2, queued: 0, sleeping: 0 });
    isRight(bench);
  }, 60_000);
});

describe("a reload", () => {
  test("that takes `batch` away lets those that wait begin one by one", async () => {
    using bench = await started(batch());
    const ids = await bench.decideAll(["a", "b", "c"]);
    await bench.reload({ concurrency: 3 }, false);
    await bench.settle();
    expect(bench.states(...ids)).toEqual(["running", "running", "queued"]);
    await finish(bench, ids[0] ?? 0);
    expect(bench.states(...ids)).toEqual(["completed", "running", "running"]);
    isRight(bench);
  });

  test("that changes `wait` and `by` changes nothing for those that wait", async () => {
    using bench = await started(batch());
    const ids = await bench.decideAll(["a", "b"]);
    await bench.reload({ concurrency: 3, batch: { waitMs: SECOND, by: "reflex" } }, false);
    const later = await bench.decideAll(["c"]);
    await bench.pass(SECOND);
    expect(bench.states(...ids, ...later)).toEqual(["queued", "queued", "running"]);
    await bench.pass(WAIT);
    expect(bench.states(...ids)).toEqual(["running", "joined"]);
  });

  test("that removes the workflow cancels all of them", async () => {
    using bench = await started(batch());
    const ids = await bench.decideAll(["a", "b"]);
    expect(await bench.reload(null)).toEqual([OTHER, ...ids]);
    expect(bench.states(...ids)).toEqual(["cancelled", "cancelled"]);
    isRight(bench);
  });

  test("between two kernels counts as well", async () => {
    using bench = await started(batch());
    const ids = await bench.decideAll(["a", "b"]);
    await bench.reload({ concurrency: 2 }, false);
    await bench.restart();
    await bench.ready();
    expect(bench.states(...ids).sort()).toEqual(["queued", "running"]);
  });
});
