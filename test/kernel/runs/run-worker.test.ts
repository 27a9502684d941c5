/** One worker of a workflow: who is suspected, who answers for its death, what is believed of it; on a clock driven by hand. */
import { describe, expect, test } from "bun:test";
import { COMPLETED, failedWith, RunsBench, sentTo, suspendedFor } from "../../helpers/runs-bench.ts";

/** Three runs of a workflow that are under way in one worker. */
async function threeUnderWay(flow = {}) {
  const bench = new RunsBench({ concurrency: 3, ...flow });
  const ids = await bench.ask(3);
  await bench.ready();
  await bench.begins(...ids);
  const [a = 0, b = 0, c = 0] = ids;
  return { bench, a, b, c };
}

describe("runs under way at a death of their worker", () => {
  test("run again one at a time, until one has finished a step, and the others follow", async () => {
    const { bench, a, b, c } = await threeUnderWay();
    using _ = bench;
    bench.child.exits(null, "SIGSEGV");
    await bench.settle();
    await bench.ready();
    expect(bench.sent).toEqual([a]);
    await bench.begins(a);
    await bench.says(a, step("step-started"), { ...step("step-completed"), result: null, durationMs: 1 });
    expect(bench.sent).toEqual([a, b]);
    await bench.begins(b);
    await bench.pass(60_000);
    expect(bench.sent).toEqual([a, b, c]);
    expect(bench.states(a, b, c)).toEqual(["running", "running", "running"]);
  });

  test("charge none of them the time in which another may have kept it from settling", async () => {
    const { bench, a } = await threeUnderWay({ timeoutMs: 60_000 });
    using _ = bench;
    await bench.pass(5_000);
    bench.child.exits(null, "SIGSEGV");
    await bench.settle();
    await bench.ready();
    expect(bench.child.of("run")[0]).toMatchObject({ run: a, timeoutMs: 60_000 });
  });

  test("a run that was alone at three deaths ends, its neighbours complete", async () => {
    const { bench, a, b, c } = await threeUnderWay();
    using _ = bench;
    bench.child.exits(null, "SIGKILL");
    await bench.settle();
    // Whoever is sent is alone. `a` is the culprit.
    for (let turn = 0; bench.states(a, b, c).includes("running"); turn++) {
      await bench.revived();
      const [alone = 0, ...others] = bench.sent;
      expect(others).toEqual([]);
      await bench.begins(alone);
      if (alone !== a) await bench.says(alone, COMPLETED);
      bench.child.exits(null, "SIGKILL");
      await bench.settle();
      expect(turn).toBeLessThan(9);
    }
    expect(bench.states(b, c)).toEqual(["completed", "completed"]);
    expect(bench.row(a)).toMatchObject({
      state: "failed",
      error: expect.stringContaining("3 times while it ran alone"),
    });
  });

  test("a finished step forgives the deaths before it", async () => {
    using bench = new RunsBench();
    const [id = 0] = await bench.ask();
    await bench.ready();
    for (let death = 0; death < 4; death++) {
      if (death > 0) await bench.revived();
      await bench.begins(id);
      if (death === 1)
        await bench.says(id, step("step-started"), { ...step("step-completed"), result: 1, durationMs: 1 });
      bench.child.exits(null, "SIGKILL");
      await bench.settle();
    }
    expect(bench.states(id)).toEqual(["failed"]);
    expect(bench.events(id).filter((event) => event === "run.resumed")).toHaveLength(3);
  });
});

const step = (type: string) => ({ type, step: "a", nth: 0, attempt: 1 });

describe("a deaf run", () => {
  test("that passed its timeout is killed with its worker at the hard limit, and its neighbours are not suspected", async () => {
    const { bench, a, b, c } = await threeUnderWay({ timeoutMs: 10_000, gracePeriodMs: 2_000 });
    using _ = bench;
    await bench.pass(5_000);
    for (const id of [b, c]) await bench.says(id, COMPLETED);
    const [d = 0] = await bench.ask();
    await bench.begins(d);
    await bench.pass(5_000);
    bench.tell({ type: "overdue", run: a });
    await bench.pass(2_000);
    expect(bench.row(a)).toMatchObject({ state: "timed-out", error: expect.stringContaining("grace period") });
    await bench.ready();
    expect([bench.sent, bench.states(d)]).toEqual([[d], ["running"]]);
  });

  test("that was cancelled holds its slot for the grace period at the most", async () => {
    using bench = new RunsBench({ concurrency: 1, gracePeriodMs: 2_000 });
    const [deaf = 0, next = 0] = await bench.ask(2);
    await bench.ready();
    await bench.begins(deaf);
    void bench.workflows.byHand.cancel(deaf);
    await bench.settle();
    bench.tell({ type: "overdue", run: deaf });
    await bench.pass(1_999);
    expect(bench.child.isGone).toBe(false);
    await bench.pass(1);
    await bench.ready();
    expect(bench.sent).toEqual([next]);
    expect(bench.said("worker.exited")[0]).toContain("within 2s of being cancelled");
  });
});

describe("a run that lingers", () => {
  test("has its ending at once, and its slot is free when its steps have settled", async () => {
    using bench = new RunsBench({ concurrency: 1 });
    const [first = 0, second = 0] = await bench.ask(2);
    await bench.ready();
    await bench.begins(first);
    await bench.says(first, { ...COMPLETED, lingers: true });
    expect([bench.states(first), bench.sent]).toEqual([["completed"], [first]]);
    await bench.says(first, { type: "stopped", ranMs: 2 });
    expect(bench.sent).toEqual([first, second]);
  });

  test("between two attempts waits for the next one after its steps have settled, and a step that finishes counts", async () => {
    using bench = new RunsBench({ retry: { limit: 1, intervalMs: 1_000, backoff: null, maxIntervalMs: null } });
    const [id = 0] = await bench.ask();
    await bench.ready();
    await bench.begins(id);
    await bench.says(id, step("step-started"), failedWith("Error: no", { lingers: true }));
    await bench.pass(1_000);
    expect([bench.states(id), bench.sent]).toEqual([["sleeping"], [id]]);
    await bench.says(id, { ...step("step-completed"), result: 1, durationMs: 1 }, { type: "stopped", ranMs: 2 });
    await bench.pass(0);
    expect([bench.row(id).attempt, bench.sent]).toEqual([2, [id, id]]);
  });

  test("is no reason to run it again when its worker dies", async () => {
    using bench = new RunsBench({ concurrency: 1 });
    const [first = 0, second = 0] = await bench.ask(2);
    await bench.ready();
    await bench.begins(first);
    await bench.says(first, { ...COMPLETED, lingers: true });
    bench.child.exits(null, "SIGKILL");
    await bench.settle();
    await bench.ready();
    expect([bench.states(first), bench.sent]).toEqual([["completed"], [second]]);
  });
});

describe("nothing is believed", () => {
  test("of a run that is not under way in this worker", async () => {
    using bench = new RunsBench();
    const [id = 0] = await bench.ask();
    await bench.ready();
    await bench.says(id, COMPLETED);
    await bench.says(99, COMPLETED);
    expect(bench.states(id)).toEqual(["running"]);
    expect(bench.said("worker.malformed")).toHaveLength(2);
  });

  test("of an earlier worker", async () => {
    using bench = new RunsBench();
    const [id = 0] = await bench.ask();
    await bench.ready();
    await bench.begins(id);
    const [old] = bench.children;
    old?.exits(null, "SIGKILL");
    await bench.settle();
    await bench.ready();
    await bench.begins(id);
    old?.says({ ...COMPLETED, generation: 1, seq: 1, run: id });
    await bench.settle();
    expect(bench.states(id)).toEqual(["running"]);
  });

  test("of a run that says it has stopped, which nobody asked", async () => {
    using bench = new RunsBench();
    const [id = 0] = await bench.ask();
    await bench.ready();
    await bench.begins(id);
    await bench.says(id, { type: "stopped", ranMs: 1 });
    expect(bench.states(id)).toEqual(["running"]);
    await bench.says(id, COMPLETED);
    expect(bench.states(id)).toEqual(["completed"]);
  });
});

describe("the worker", () => {
  test("leaves when it has had nothing to do for ten seconds, and another comes for the next run", async () => {
    using bench = new RunsBench();
    const [id = 0] = await bench.ask();
    await bench.ready();
    await bench.begins(id);
    await bench.says(id, COMPLETED);
    await bench.pass(10_000);
    expect(bench.child.of("shutdown")).toHaveLength(1);
    bench.leave();
    await bench.settle();
    const [next = 0] = await bench.ask();
    expect(bench.children).toHaveLength(2);
    await bench.ready();
    expect(bench.sent).toEqual([next]);
  });

  test("is told that what it reported is committed, once it is", async () => {
    using bench = new RunsBench();
    const [id = 0] = await bench.ask();
    await bench.ready();
    await bench.begins(id);
    await bench.says(id, { ...step("step-completed"), result: 1, durationMs: 1 });
    expect(bench.child.of("ack").at(-1)).toMatchObject({ upTo: 1 });
  });

  test("that dies while a run sleeps is no harm to it", async () => {
    using bench = new RunsBench();
    const [id = 0] = await bench.ask();
    await bench.ready();
    await bench.begins(id);
    await bench.says(id, suspendedFor(5_000));
    bench.child.exits(null, "SIGKILL");
    await bench.pass(5_000);
    await bench.ready();
    expect([sentTo(bench.child), bench.row(id).attempt]).toEqual([[id], 1]);
  });
});

test("a further attempt that finds nothing to run says so, with the step to begin from", async () => {
  using bench = new RunsBench({ retry: { limit: 1, intervalMs: 1_000, backoff: null, maxIntervalMs: null } });
  const [id = 0] = await bench.ask();
  await bench.ready();
  await bench.begins(id);
  const threw = { error: "Error: down", name: "Error", message: "down", stack: null, retryInMs: null, durationMs: 1 };
  await bench.says(id, step("step-started"), { ...step("step-failed"), ...threw });
  // Another step begins after it: the failure was dealt with.
  await bench.says(
    id,
    { ...step("step-started"), step: "b" },
    { ...step("step-completed"), step: "b", result: 1, durationMs: 1 },
  );
  await bench.says(id, failedWith("Error: 1 host failed"));
  await bench.pass(1_000);
  await bench.begins(id);
  await bench.says(id, failedWith("Error: 1 host failed"));
  expect(bench.states(id)).toEqual(["failed"]);
  expect(bench.said("run.nothing-to-run")).toEqual([
    `attempt 2 of run ${id} had nothing to run: every failed step was dealt with; \`nerve retry ${id} --from-step "a"\` does it anew`,
  ]);
});

describe("a run whose past is long", () => {
  const RESULT = "x".repeat(700_000);

  /** It has completed five steps of 700,000 characters when its worker dies, and the next one is ready. */
  async function longPast(flow = {}) {
    const bench = new RunsBench({ concurrency: 1, ...flow });
    const [run = 0] = await bench.ask();
    await bench.ready();
    await bench.begins(run);
    for (let nth = 0; nth < 5; nth++) {
      const place = { step: "a", nth, attempt: 1 };
      const result = `${nth}${RESULT}`;
      await bench.says(run, { type: "step-started", ...place });
      await bench.says(run, { type: "step-completed", ...place, result, durationMs: 1 });
    }
    bench.child.exits(null, "SIGKILL");
    await bench.settle();
    await bench.revived();
    return { bench, run };
  }

  const stepsOf = (message: Readonly<Record<string, unknown>> | undefined) =>
    (message?.steps ?? []) as readonly { readonly nth: number; readonly result: string; readonly settled: number }[];

  test("is sent in pieces, each once the worker has taken the one before, and the rest with the run", async () => {
    const { bench, run } = await longPast();
    using _ = bench;
    for (const pieces of [1, 2]) {
      expect([bench.child.of("past").length, bench.sent]).toEqual([pieces, []]);
      bench.tell({ type: "taken", run });
      await bench.settle();
    }
    expect(bench.sent).toEqual([run]);
    const messages = [...bench.child.of("past"), ...bench.child.of("run")];
    expect(messages.map((message) => stepsOf(message).map(({ nth }) => nth))).toEqual([[0, 1], [2, 3], [4]]);
    for (const { nth, result, settled } of messages.flatMap(stepsOf)) {
      expect([settled, result.slice(0, 2), result.length]).toEqual([nth, `${nth}x`, RESULT.length + 1]);
    }
    await bench.begins(run);
    await bench.says(run, COMPLETED);
    expect(bench.states(run)).toEqual(["completed"]);
  });

  test("gives its slot up at once when it is cancelled meanwhile, and no more of it is sent", async () => {
    const { bench, run } = await longPast();
    using _ = bench;
    const [next = 0] = await bench.ask();
    void bench.workflows.byHand.cancel(run);
    await bench.settle();
    bench.tell({ type: "taken", run });
    await bench.settle();
    expect([bench.states(run), bench.child.of("past").length, bench.sent]).toEqual([["cancelled"], 1, [next]]);
    expect(bench.child.of("cancel")).toMatchObject([{ run }]);
    await bench.begins(next);
    await bench.says(next, COMPLETED);
    expect(bench.states(next)).toEqual(["completed"]);
  });

  test("is sent from the first piece to the next worker when its worker dies meanwhile", async () => {
    const { bench, run } = await longPast();
    using _ = bench;
    bench.child.exits(null, "SIGKILL");
    await bench.settle();
    await bench.revived();
    expect(stepsOf(bench.child.of("past")[0]).map(({ nth }) => nth)).toEqual([0, 1]);
    expect([bench.states(run), bench.sent]).toEqual([["running"], []]);
  });

  test("is believed nothing before the worker has all of it", async () => {
    const { bench, run } = await longPast();
    using _ = bench;
    await bench.begins(run);
    expect([bench.said("worker.malformed").length, bench.sent, bench.states(run)]).toEqual([1, [], ["running"]]);
  });
});

describe("a run that its worker has noted", () => {
  const note = (bench: RunsBench, place: number, id: number, isOver = false): void => {
    const since = bench.clock.monotonicMs();
    bench.child.noted.set(place, {
      id,
      isOver,
      get forMs() {
        return bench.clock.monotonicMs() - since;
      },
    });
  };

  /** Three runs that were sent, and of which nothing was said. */
  async function threeSent(flow = {}) {
    const bench = new RunsBench({ concurrency: 3, ...flow });
    const [a = 0, b = 0, c = 0] = await bench.ask(3);
    await bench.ready();
    expect(bench.sent).toEqual([a, b, c]);
    return { bench, a, b, c };
  }

  test("answers for the death of the worker alone, and those behind it were not entered", async () => {
    const { bench, a, b, c } = await threeSent();
    using _ = bench;
    note(bench, 0, a, true);
    note(bench, 1, b);
    bench.child.exits(null, "SIGSEGV");
    await bench.settle();
    await bench.revived();
    // Nobody is suspected: all are sent at once.
    expect(bench.sent).toEqual([a, b, c]);
    for (let death = 0; death < 2; death++) {
      note(bench, 0, b);
      bench.child.exits(null, "SIGSEGV");
      await bench.settle();
      await bench.revived();
    }
    expect(bench.row(b)).toMatchObject({
      state: "failed",
      error: expect.stringContaining("3 times while it ran alone"),
    });
    expect(bench.states(a, c)).toEqual(["running", "running"]);
  });

  test("is killed at its limit though nothing was said of it, which counts from its begin", async () => {
    const { bench, a, b } = await threeSent({ timeoutMs: 20_000, gracePeriodMs: 1_000 });
    using _ = bench;
    await bench.begins(a);
    await bench.says(a, COMPLETED);
    note(bench, 1, b);
    const { child } = bench;
    await bench.pass(20_900);
    expect(child.kills).toBe(0);
    await bench.pass(200);
    expect(child.kills).toBe(1);
    expect(bench.row(b)).toMatchObject({ state: "timed-out", error: expect.stringContaining("it was killed") });
  });

  test("keeps its worker from being taken for silent", async () => {
    const { bench, a, b, c } = await threeSent();
    using _ = bench;
    for (const [place, run] of [a, b, c].entries()) note(bench, place, run);
    await bench.pass(60_000);
    expect([bench.child.kills, bench.states(a, b, c)]).toEqual([0, ["running", "running", "running"]]);
  });

  test("may be said to have started once, behind that", async () => {
    const { bench, a } = await threeSent({ timeoutMs: 20_000 });
    using _ = bench;
    note(bench, 0, a);
    await bench.pass(11_000);
    await bench.begins(a);
    expect(bench.said("worker.malformed")).toEqual([]);
    await bench.says(a, COMPLETED);
    expect(bench.states(a)).toEqual(["completed"]);
    await bench.begins(a);
    expect(bench.said("worker.malformed")).toHaveLength(1);
  });

  test.each([
    ["of no run", 99],
    ["that is no id", Number.NaN],
  ])("counts for nothing where the note is %s", async (_title, id) => {
    const { bench, a, b, c } = await threeSent();
    using _ = bench;
    note(bench, 0, id);
    bench.child.exits(null, "SIGSEGV");
    await bench.settle();
    await bench.revived();
    expect([bench.sent, bench.states(a, b, c)]).toEqual([
      [a, b, c],
      ["running", "running", "running"],
    ]);
  });
});
