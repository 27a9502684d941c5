/** Slots, queues, waits and endings of one workflow's runs, on a clock driven by hand. */
import { describe, expect, test } from "bun:test";
import { isOver } from "../../../src/model/run.ts";
import { ALL_LOGS } from "../../../src/store/logs.ts";
import { checkStore } from "../../../src/store/rebuild-store.ts";
import { COMPLETED, failedWith, RunsBench, suspendedFor } from "../../helpers/runs-bench.ts";

describe("a run begins", () => {
  test("once a worker has loaded the module, and is queued until then", async () => {
    using bench = new RunsBench();
    const [id = 0] = await bench.ask();
    expect([bench.states(id), bench.sent]).toEqual([["queued"], []]);
    await bench.ready();
    expect([bench.states(id), bench.sent]).toEqual([["running"], [id]]);
    await bench.begins(id);
    await bench.says(id, COMPLETED);
    expect(bench.states(id)).toEqual(["completed"]);
  });

  test("in the transaction that asks for it where a worker is ready and a slot is free", async () => {
    using bench = new RunsBench({ concurrency: 1 });
    const [first = 0] = await bench.ask();
    await bench.ready();
    await bench.begins(first);
    await bench.says(first, COMPLETED);
    const [second = 0] = await bench.ask();
    const [queued, started] = bench.store.history.ofRun(second, 0);
    expect([queued?.event, started?.event, started?.at]).toEqual(["run.queued", "run.started", queued?.at]);
  });

  test("in the order of the ids, as many as have a slot", async () => {
    using bench = new RunsBench({ concurrency: 2 });
    const ids = await bench.ask(4);
    await bench.ready();
    expect(bench.sent).toEqual(ids.slice(0, 2));
    await bench.begins(...ids.slice(0, 2));
    await bench.says(ids[0] ?? 0, COMPLETED);
    expect(bench.sent).toEqual(ids.slice(0, 3));
    expect(bench.counts).toEqual({ running: 2, queued: 1, sleeping: 0 });
  });

  test("behind a run that waited and gets its slot in the same transaction", async () => {
    using bench = new RunsBench({ concurrency: 2 });
    const [waited = 0] = await bench.ask();
    // Asked for in one turn with the report that gives the first run its slot, and committed together.
    const asked = bench.workflows.byHand.run("flow", 1);
    await bench.ready();
    const { value } = (await asked) as { readonly value: { readonly run: number } };
    const started = bench.store.logs.list(ALL_LOGS).filter(({ event }) => event === "run.started");
    expect(started.map(({ run }) => run)).toEqual([waited, value.run]);
  });

  test("not while nothing may start, and at once when that is over", async () => {
    using bench = new RunsBench();
    bench.isHeld = true;
    const [id = 0] = await bench.ask();
    expect(bench.children).toHaveLength(0);
    bench.isHeld = false;
    bench.workflows.resume();
    await bench.settle();
    await bench.ready();
    expect(bench.sent).toEqual([id]);
  });
});

describe("a full queue", () => {
  test("drops what comes, and says why", async () => {
    using bench = new RunsBench({ concurrency: 1, maxQueue: 1 });
    const [a = 0, b = 0, c = 0] = await bench.ask(3);
    expect(bench.states(a, b, c)).toEqual(["queued", "queued", "dropped"]);
    expect(bench.row(c)).toMatchObject({ attempt: 0, started_at: null, error: expect.stringContaining("max_queue") });
    await bench.ready();
    const [d = 0] = await bench.ask();
    expect(bench.states(a, b, d)).toEqual(["running", "queued", "dropped"]);
  });

  test("of length nothing drops what finds no slot", async () => {
    using bench = new RunsBench({ overflow: "drop" });
    const [a = 0, b = 0] = await bench.ask(2);
    expect(bench.states(a, b)).toEqual(["queued", "dropped"]);
    expect(bench.row(b).error).toContain("`overflow` is drop");
  });

  test("drops no run that has begun: a woken one takes the next slot before queued ones", async () => {
    using bench = new RunsBench({ concurrency: 1, maxQueue: 2 });
    const [asleep = 0] = await bench.ask();
    await bench.ready();
    await bench.begins(asleep);
    await bench.says(asleep, suspendedFor(60_000));
    const [busy = 0, waits = 0] = await bench.ask(2);
    await bench.begins(busy);
    await bench.pass(60_000);
    expect(bench.states(asleep, busy, waits)).toEqual(["sleeping", "running", "queued"]);
    await bench.says(busy, COMPLETED);
    expect(bench.states(asleep, busy, waits)).toEqual(["running", "completed", "queued"]);
  });
});

describe("a run that sleeps", () => {
  test("holds no slot, and goes on when its time has come, not before", async () => {
    using bench = new RunsBench({ concurrency: 1 });
    const [id = 0] = await bench.ask();
    await bench.ready();
    await bench.begins(id);
    await bench.says(id, suspendedFor(5_000));
    expect(bench.counts).toEqual({ running: 0, queued: 0, sleeping: 1 });
    await bench.pass(4_999);
    expect(bench.states(id)).toEqual(["sleeping"]);
    await bench.pass(1);
    expect(bench.states(id)).toEqual(["running"]);
    expect(bench.events(id)).toEqual(["run.queued", "run.started", "run.sleeping", "run.resumed"]);
  });

  test("goes on after the time that passes, whatever the wall clock is set to", async () => {
    using bench = new RunsBench();
    const [id = 0] = await bench.ask();
    await bench.ready();
    await bench.begins(id);
    await bench.says(id, suspendedFor(60_000));
    bench.clock.step(-86_400_000);
    await bench.pass(59_000);
    expect(bench.children).toHaveLength(1);
    await bench.pass(2_000);
    await bench.ready();
    expect([bench.children.length, bench.states(id)]).toEqual([2, ["running"]]);
  });
});

test("a run of very many steps is named as slow, once", async () => {
  using bench = new RunsBench();
  const [id = 0] = await bench.ask();
  await bench.ready();
  await bench.begins(id);
  const step = (nth: number) => ({ step: "poll", nth, attempt: 1 });
  const done = (nth: number) => ({ type: "step-completed", ...step(nth), result: 1, durationMs: 1 });
  const begun = (nth: number) => ({ type: "step-started", ...step(nth) });
  await bench.report(id, ...Array.from({ length: 1_000 }, (_, nth) => [begun(nth), done(nth)]).flat());
  for (let round = 0; round < 2; round++) {
    await bench.says(id, suspendedFor(1_000));
    await bench.pass(1_000);
    await bench.begins(id);
  }
  expect(bench.said("run.long")).toEqual([expect.stringContaining(`run ${id} answers 1001 steps and sleeps`)]);
});

describe("an attempt that failed", () => {
  test("is followed by the next after the interval, and the last one ends the run", async () => {
    const retry = { limit: 2, intervalMs: 1_000, backoff: 2, maxIntervalMs: null };
    using bench = new RunsBench({ retry });
    const [id = 0] = await bench.ask();
    await bench.ready();
    for (const [attempt, waitMs] of [
      [1, 1_000],
      [2, 2_000],
    ] as const) {
      await bench.begins(id);
      await bench.says(id, failedWith("Error: no"));
      expect(bench.row(id)).toMatchObject({ state: "sleeping", attempt, error: "Error: no" });
      await bench.pass(waitMs - 1);
      expect(bench.states(id)).toEqual(["sleeping"]);
      await bench.pass(1);
      expect(bench.row(id)).toMatchObject({ state: "running", attempt: attempt + 1 });
    }
    await bench.begins(id);
    await bench.says(id, failedWith("Error: no"));
    expect(bench.row(id)).toMatchObject({ state: "failed", attempt: 3 });
  });

  test("for good is the last", async () => {
    using bench = new RunsBench({ retry: { limit: 5, intervalMs: 1, backoff: null, maxIntervalMs: null } });
    const [id = 0] = await bench.ask();
    await bench.ready();
    await bench.begins(id);
    await bench.says(id, failedWith("Error: bad options", { again: false }));
    expect(bench.states(id)).toEqual(["failed"]);
  });
});

describe("a cancelled run", () => {
  test("ends wherever it stands, and nothing it says after that changes its ending", async () => {
    using bench = new RunsBench({ concurrency: 1 });
    const [running = 0, queued = 0] = await bench.ask(2);
    await bench.ready();
    await bench.begins(running);
    for (const id of [queued, running]) void bench.workflows.byHand.cancel(id);
    await bench.settle();
    expect(bench.states(running, queued)).toEqual(["cancelled", "cancelled"]);
    expect(bench.child.of("cancel").map(({ run }) => run)).toEqual([running]);
    await bench.says(running, COMPLETED);
    expect(bench.states(running)).toEqual(["cancelled"]);
    expect(bench.counts).toEqual({ running: 0, queued: 0, sleeping: 0 });
  });

  test("keeps its slot until its code has settled", async () => {
    using bench = new RunsBench({ concurrency: 1 });
    const [first = 0, second = 0] = await bench.ask(2);
    await bench.ready();
    await bench.begins(first);
    void bench.workflows.byHand.cancel(first);
    await bench.settle();
    expect(bench.sent).toEqual([first]);
    await bench.says(first, { type: "stopped", ranMs: 1 });
    expect(bench.sent).toEqual([first, second]);
  });
});

describe("a clean stop", () => {
  test("leaves no run running, and each goes on at the next start with its running time", async () => {
    using bench = new RunsBench({ concurrency: 2, timeoutMs: 60_000 });
    const [busy = 0, also = 0, queued = 0] = await bench.ask(3);
    await bench.ready();
    await bench.begins(busy, also);
    await bench.pass(7_000);
    await bench.stop();
    expect(bench.states(busy, also, queued)).toEqual(["sleeping", "sleeping", "queued"]);
    bench.workflows = bench.kernel();
    await bench.settle();
    await bench.ready();
    expect(bench.sent).toEqual([busy, also]);
    const [resumed] = bench.store.history.ofRun(busy, 0).filter(({ event }) => event === "run.resumed");
    expect(JSON.parse(resumed?.data ?? "")).toMatchObject({ reason: "restart", attempt: 1, ran_ms: 7_000 });
    expect(bench.child.of("run")[0]?.timeoutMs).toBe(53_000);
    expect(checkStore(bench.folder.path)).toMatchObject({ ok: true, value: { differing: 0, faulty: 0 } });
  });

  test("leaves no run running that has not gone on since a crash, and none has its running time again", async () => {
    using bench = new RunsBench({ timeoutMs: 60_000 });
    const [id = 0] = await bench.ask();
    await bench.ready();
    await bench.begins(id);
    await bench.pass(7_000);
    await bench.says(id, { type: "step-started", step: "a", nth: 0, attempt: 1 });
    await bench.restart();
    expect(bench.states(id)).toEqual(["running"]);
    await bench.stop();
    expect(bench.states(id)).toEqual(["sleeping"]);
    expect(bench.dataOf(id, "run.sleeping")).toMatchObject({ reason: "stop", ran_ms: 7_000 });
    bench.workflows = bench.kernel();
    await bench.settle();
    await bench.ready();
    expect(bench.child.of("run")).toMatchObject([{ run: id, attempt: 1, timeoutMs: 53_000 }]);
    expect(checkStore(bench.folder.path)).toMatchObject({ ok: true, value: { differing: 0, faulty: 0 } });
  });

  test("does the same to a run whose worker does not leave by itself", async () => {
    using bench = new RunsBench();
    const [id = 0] = await bench.ask();
    await bench.ready();
    await bench.begins(id);
    const stopped = bench.workflows.stop();
    await bench.settle();
    bench.workflows.killAll("it did not stop in time");
    await stopped;
    await bench.settle();
    expect(bench.states(id)).toEqual(["sleeping"]);
  });
});

describe("a worker that was retired for a reload", () => {
  test("is waited for by new runs, which are queued and not running", async () => {
    using bench = new RunsBench({ concurrency: 2 });
    const [old = 0] = await bench.ask();
    await bench.ready();
    await bench.begins(old);
    await bench.reload({ concurrency: 2 });
    const [behind = 0] = await bench.ask();
    expect([bench.states(old, behind), bench.sent]).toEqual([["running", "queued"], [old]]);
    await bench.pass(10_000);
    expect(bench.said("workflow.waiting")).toHaveLength(1);
    bench.leave();
    await bench.settle();
    await bench.ready();
    expect([bench.states(old, behind), bench.sent]).toEqual([
      ["running", "running"],
      [old, behind],
    ]);
    expect(bench.events(old).at(-1)).toBe("run.resumed");
  });
});

describe("a module that does not load", () => {
  test("spends no attempt of a run that slept, is said once, and the run goes on once it loads", async () => {
    using bench = new RunsBench({ retry: { limit: 1, intervalMs: 1, backoff: null, maxIntervalMs: null } });
    const [id = 0] = await bench.ask();
    await bench.ready();
    await bench.begins(id);
    await bench.says(id, suspendedFor(60_000));
    await bench.pass(10_000);
    bench.leave();
    await bench.pass(50_000);
    for (let tries = 0; tries < 3; tries++) {
      await bench.ready("Unexpected }");
      bench.leave();
      await bench.pass(60_000);
    }
    expect(bench.row(id)).toMatchObject({ state: "sleeping", attempt: 1 });
    expect(bench.said("workflow.failed")).toEqual(["Unexpected }"]);
    expect(bench.said("run.waiting")).toEqual([`run ${id} waits: its module does not load: Unexpected }`]);
    expect(bench.workflows.byName.get("flow")?.problem?.message).toBe("Unexpected }");
    await bench.ready();
    expect([bench.row(id).state, bench.row(id).attempt, bench.sent]).toEqual(["running", 1, [id]]);
    expect(bench.workflows.byName.get("flow")?.problem).toBeNull();
  });

  test("is tried at a reload, though nothing of the workflow changed", async () => {
    using bench = new RunsBench();
    const [id = 0] = await bench.ask();
    await bench.ready("no such driver");
    bench.leave();
    await bench.settle();
    expect(bench.children).toHaveLength(1);
    await bench.reload({}, false);
    expect(bench.children).toHaveLength(2);
    await bench.ready();
    expect(bench.sent).toEqual([id]);
  });

  test("because its worker dies each time is the same", async () => {
    using bench = new RunsBench();
    const [id = 0] = await bench.ask();
    for (const waitMs of [0, 2_000, 4_000]) {
      await bench.pass(waitMs);
      bench.tell({ type: "started", run: null });
      bench.child.exits(3);
      await bench.settle();
    }
    expect(bench.said("workflow.failed")).toEqual([
      "its worker died 3 times while it loaded the module: it exited with code 3",
    ]);
    expect(bench.row(id)).toMatchObject({ state: "queued", attempt: 0 });
  });

  test("keeps nobody from cancelling what waits for it", async () => {
    using bench = new RunsBench();
    const [id = 0] = await bench.ask();
    await bench.ready("no");
    void bench.workflows.byHand.cancel(id);
    await bench.settle();
    expect(isOver(bench.row(id).state)).toBe(true);
  });
});
