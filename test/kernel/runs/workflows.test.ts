/** All workflows: what an earlier kernel left, what a reload does to runs, one run a decision; on a clock driven by hand. */
import { Database } from "bun:sqlite";
import { describe, expect, test } from "bun:test";
import { checkStore } from "../../../src/store/rebuild-store.ts";
import { storeFile } from "../../../src/store/tables.ts";
import { COMPLETED, failedWith, RunsBench, suspendedFor } from "../../helpers/runs-bench.ts";

/** What somebody does to the store while no kernel runs. */
function tamper(bench: RunsBench, ...statements: string[]): void {
  const db = new Database(storeFile(bench.folder.path));
  for (const statement of statements) db.run(statement);
  db.close(true);
}

const isRight = (bench: RunsBench) =>
  expect(checkStore(bench.folder.path)).toMatchObject({ ok: true, value: { differing: 0, faulty: 0 } });

describe("a row that is not what its logs say", () => {
  test("of a run that has ended is put right, and the run has one ending", async () => {
    using bench = new RunsBench();
    const [id = 0] = await bench.ask();
    await bench.ready();
    await bench.begins(id);
    await bench.says(id, COMPLETED);
    await bench.stop();
    tamper(bench, `UPDATE workflow_runs SET state = 'running', ended_at = NULL WHERE id = ${id}`);
    bench.workflows = bench.kernel();
    await bench.settle();
    expect(bench.states(id)).toEqual(["completed"]);
    expect(bench.events(id).filter((event) => event === "run.completed")).toHaveLength(1);
    expect(bench.said("run.corrected")).toEqual([
      `the row of run ${id} was running and is put right: by its logs the run is completed`,
    ]);
    isRight(bench);
  });

  test.each([
    ["state", "state = 'queued'"],
    ["newest log", "last_log_id = first_log_id"],
    ["attempt, which is no number,", "attempt = 'x'"],
    ["moment of waking, which is no number,", "until = x'00'"],
    ["first log, which is no number,", "first_log_id = 'x'"],
  ])("in its %s is put right, and the run goes on by its logs", async (_, change) => {
    using bench = new RunsBench();
    const [id = 0] = await bench.ask();
    await bench.ready();
    await bench.begins(id);
    await bench.says(id, suspendedFor(60_000));
    await bench.stop();
    const before = bench.row(id);
    tamper(bench, `UPDATE workflow_runs SET ${change} WHERE id = ${id}`);
    bench.workflows = bench.kernel();
    await bench.settle();
    expect(bench.row(id)).toEqual(before);
    await bench.pass(60_000);
    await bench.ready();
    expect([bench.sent, bench.row(id).attempt]).toEqual([[id], 1]);
    isRight(bench);
  });

  test("in its attempt is put right after a crash, too", async () => {
    using bench = new RunsBench({ retry: { limit: 3, intervalMs: 1_000, backoff: null, maxIntervalMs: null } });
    const [id = 0] = await bench.ask();
    await bench.ready();
    await bench.begins(id);
    tamper(bench, `UPDATE workflow_runs SET attempt = 7 WHERE id = ${id}`);
    bench.workflows = bench.kernel();
    await bench.settle();
    await bench.ready();
    expect([bench.row(id).attempt, bench.child.of("run")[0]?.attempt]).toEqual([1, 1]);
  });

  test("and that is taken by another row's holds the run, and says how to mend it", async () => {
    using bench = new RunsBench();
    const first = (await bench.decide(5)) ?? 0;
    const second = (await bench.decide(6)) ?? 0;
    await bench.stop();
    tamper(
      bench,
      `UPDATE workflow_runs SET decision = 'signal:7', state = 'sleeping' WHERE id = ${second}`,
      `UPDATE workflow_runs SET decision = 'signal:6', state = 'completed' WHERE id = ${first}`,
    );
    bench.workflows = bench.kernel();
    await bench.settle();
    expect(bench.said("run.waiting")).toEqual([
      `run ${second} waits: the row of run ${first} has the decision of run ${second}, signal:6; \`nerve rebuild\``,
    ]);
  });

  test("costs no other run anything", async () => {
    using bench = new RunsBench();
    const [a = 0, b = 0] = await bench.ask(2);
    await bench.stop();
    tamper(bench, `UPDATE workflow_runs SET state = 'sleeping' WHERE id = ${a}`);
    bench.workflows = bench.kernel();
    await bench.settle();
    await bench.ready();
    expect(bench.sent).toContain(a);
    expect(bench.states(a, b)).toEqual(["running", "queued"]);
  });
});

describe("a run whose logs cannot be read", () => {
  test("keeps its state, is said once, and goes on once they are mended", async () => {
    using bench = new RunsBench();
    const [broken = 0, whole = 0] = await bench.ask(2);
    await bench.stop();
    const [{ data } = { data: "" }] = bench.store.history.ofRun(broken, 0);
    tamper(bench, `UPDATE logs SET data = '{' WHERE run = ${broken}`);
    bench.workflows = bench.kernel();
    await bench.settle();
    await bench.ready();
    expect([bench.sent, bench.states(broken)]).toEqual([[whole], ["queued"]]);
    await bench.begins(whole);
    await bench.says(whole, COMPLETED);
    await bench.pass(180_000);
    expect(bench.said("run.waiting")).toHaveLength(1);
    expect(bench.said("run.waiting")[0]).toContain(`the history of run ${broken} cannot be read`);
    tamper(
      bench,
      `UPDATE logs SET data = '${data?.replaceAll("'", "''")}' WHERE run = ${broken} AND event = 'run.queued'`,
    );
    await bench.reload({}, false);
    await bench.ready();
    expect(bench.sent).toEqual([broken]);
  });

  test("is tried by itself after a minute", async () => {
    using bench = new RunsBench();
    const [id = 0] = await bench.ask();
    await bench.ready();
    await bench.begins(id);
    await bench.says(id, suspendedFor(1_000));
    const [{ data } = { data: "" }] = bench.store.history.ofRun(id, 0);
    tamper(bench, `UPDATE logs SET data = '{' WHERE run = ${id} AND event = 'run.queued'`);
    await bench.pass(1_000);
    expect([bench.states(id), bench.said("run.waiting").length]).toEqual([["sleeping"], 1]);
    tamper(bench, `UPDATE logs SET data = '${data?.replaceAll("'", "''")}' WHERE run = ${id} AND event = 'run.queued'`);
    await bench.pass(60_000);
    await bench.ready();
    expect(bench.states(id)).toEqual(["running"]);
  });
});

describe("a workflow that a reload removes", () => {
  test("has its runs cancelled wherever they stand, and the reload names them", async () => {
    using bench = new RunsBench({ concurrency: 2 });
    const [asleep = 0] = await bench.ask();
    await bench.ready();
    await bench.begins(asleep);
    await bench.says(asleep, suspendedFor(60_000));
    const [busy = 0, also = 0, queued = 0] = await bench.ask(3);
    await bench.begins(busy, also);
    expect(await bench.reload(null)).toEqual([asleep, busy, also, queued]);
    expect(bench.states(asleep, busy, also, queued)).toEqual(["cancelled", "cancelled", "cancelled", "cancelled"]);
    expect(bench.row(busy).error).toBe("its workflow is no longer configured");
  });

  test("while nerve is down has them cancelled at the next start", async () => {
    using bench = new RunsBench();
    const [id = 0] = await bench.ask();
    await bench.stop();
    await bench.reload(null);
    bench.workflows = bench.kernel();
    await bench.settle();
    expect(bench.states(id)).toEqual(["cancelled"]);
  });
});

describe("a decision of a reflex", () => {
  test("is one run, however often it is made", async () => {
    using bench = new RunsBench();
    const first = await bench.decide(5, '"a"');
    expect([await bench.decide(5, '"a"'), await bench.decide(5, '"b"'), await bench.decide(6)]).toEqual([first, 2, 3]);
    expect(bench.row(1)).toMatchObject({ reflex: "r", decision: 'signal:5:"a"', key: '"a"', signal_id: 5 });
  });

  test("is one run in one transaction, too", async () => {
    using bench = new RunsBench();
    const both = [bench.decide(5), bench.decide(5)];
    expect(await Promise.all(both)).toEqual([1, 1]);
    expect(bench.store.runs.lastId()).toBe(1);
  });

  test("leaves a retry by hand to be another run, of no reflex", async () => {
    using bench = new RunsBench();
    const id = (await bench.decide(5)) ?? 0;
    await bench.ready();
    await bench.begins(id);
    await bench.says(id, failedWith("Error: no"));
    const again = await bench.workflows.byHand.retry(id, null);
    await bench.settle();
    expect(again).toMatchObject({ ok: true, value: { run: 2 } });
    expect(bench.row(2)).toMatchObject({ retry_of: id, reflex: null, decision: null, signal_id: 5 });
  });
});

describe("what is said of runs", () => {
  test("is a line when one starts and when it ends", async () => {
    using bench = new RunsBench();
    const id = (await bench.decide(5, '"web-1"')) ?? 0;
    await bench.ready();
    await bench.begins(id);
    await bench.pass(1_500);
    await bench.says(id, COMPLETED);
    expect(bench.said("run.started")).toEqual([`run ${id} started by reflex r for signal 5, key "web-1"`]);
    expect(bench.said("run.completed")).toEqual([`run ${id} completed after 1500ms`]);
  });

  test("is which failed, each with the log of its ending, a restart included", async () => {
    using bench = new RunsBench({ concurrency: 1, maxQueue: 1 });
    const [a = 0, b = 0, c = 0] = await bench.ask(3);
    await bench.ready();
    await bench.begins(a);
    await bench.says(a, failedWith("Error: no"));
    const failures = bench.workflows.endings.newest;
    expect(failures.map(({ run, state, error }) => [run, state, error])).toEqual([
      [c, "dropped", bench.row(c).error],
      [a, "failed", "Error: no"],
    ]);
    expect(failures.map(({ id }) => id)).toEqual([bench.row(c).last_log_id, bench.row(a).last_log_id]);
    expect(bench.states(b)).toEqual(["running"]);
    await bench.stop();
    expect(bench.kernel().endings.newest).toEqual(failures);
  });
});
