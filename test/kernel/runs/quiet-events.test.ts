/** Events that say how a running run gets on: its row stays as it is, and counts them with the next event that changes the row. */
import { Database } from "bun:sqlite";
import { describe, expect, test } from "bun:test";
import { checkStore } from "../../../src/store/rebuild-store.ts";
import { storeFile } from "../../../src/store/tables.ts";
import { COMPLETED, RunsBench, sentTo } from "../../helpers/runs-bench.ts";
import { until } from "../../helpers/until.ts";

const stepStarted = (step: string) => ({ type: "step-started", step, nth: 0, attempt: 1 });
const stepCompleted = (step: string) => ({
  type: "step-completed",
  step,
  nth: 0,
  attempt: 1,
  result: step,
  durationMs: 1,
});

/** A run that has finished one step, and is in its second. */
async function inItsSecondStep(bench: RunsBench): Promise<number> {
  const [id = 0] = await bench.ask();
  await bench.ready();
  await bench.begins(id);
  await bench.says(id, stepStarted("a"), stepCompleted("a"), stepStarted("b"));
  return id;
}

const isRight = (bench: RunsBench) =>
  expect(checkStore(bench.folder.path)).toMatchObject({ ok: true, value: { differing: 0, faulty: 0 } });

const newestOf = (bench: RunsBench, id: number, event: string): number =>
  bench.store.history.ofRun(id, 0).findLast((log) => log.event === event)?.id ?? 0;

test("a step of a running run changes no row, and the ending counts what came before", async () => {
  using bench = new RunsBench();
  const id = await inItsSecondStep(bench);
  expect(bench.row(id)).toMatchObject({ state: "running", events: 2, last_log_id: newestOf(bench, id, "run.started") });
  isRight(bench);
  await bench.says(id, stepCompleted("b"), COMPLETED);
  expect(bench.row(id)).toMatchObject({ events: 7, last_log_id: newestOf(bench, id, "run.completed") });
  isRight(bench);
});

test("after a crash the next event counts the steps of the kernel before, and nothing is put right", async () => {
  using bench = new RunsBench();
  const id = await inItsSecondStep(bench);
  await bench.restart();
  await bench.ready();
  expect(bench.row(id)).toMatchObject({ events: 6, last_log_id: newestOf(bench, id, "run.resumed") });
  expect(bench.child.of("run")[0]?.steps).toMatchObject([{ step: "a", result: "a" }]);
  await bench.begins(id);
  await bench.says(id, stepStarted("b"), stepCompleted("b"), COMPLETED);
  expect(bench.row(id)).toMatchObject({ events: 9, state: "completed" });
  expect(bench.said("run.corrected")).toEqual([]);
  isRight(bench);
});

test("a run that is cancelled while its logs cannot be read counts its steps all the same", async () => {
  using bench = new RunsBench();
  const id = await inItsSecondStep(bench);
  bench.die();
  const db = new Database(storeFile(bench.folder.path));
  const { data } = db
    .query<{ data: string }, [number]>("SELECT data FROM logs WHERE run = ? AND event = 'step.completed'")
    .get(id) ?? { data: "" };
  db.run(`UPDATE logs SET data = '{' WHERE run = ${id} AND event = 'step.completed'`);
  db.close();
  await bench.restart();
  await bench.ready();
  await bench.workflows.byHand.cancel(id);
  await bench.settle();
  expect(bench.states(id)).toEqual(["cancelled"]);
  const mending = new Database(storeFile(bench.folder.path));
  mending.query("UPDATE logs SET data = ? WHERE run = ? AND event = 'step.completed'").run(data, id);
  mending.close();
  isRight(bench);
});

test("a row in which an earlier build counted each step is right, and the run goes on from there", async () => {
  using bench = new RunsBench();
  const id = await inItsSecondStep(bench);
  bench.die();
  const db = new Database(storeFile(bench.folder.path));
  const newest = newestOf(bench, id, "step.started");
  db.run(`UPDATE workflow_runs SET last_log_id = ${newest}, events = 5 WHERE id = ${id}`);
  db.close();
  isRight(bench);
  await bench.restart();
  await bench.ready();
  expect(bench.row(id)).toMatchObject({ events: 6, last_log_id: newestOf(bench, id, "run.resumed") });
  expect(bench.said("run.corrected")).toEqual([]);
  isRight(bench);
});

test.each(["run.started", "step.started", "step.completed"])(
  "a %s that is gone behind a later step is missed, and the run goes on once it is back",
  async (event) => {
    using bench = new RunsBench();
    const id = await inItsSecondStep(bench);
    bench.die();
    const db = new Database(storeFile(bench.folder.path));
    const where = "id = (SELECT min(id) FROM logs WHERE run = ? AND event = ?)";
    const log = db
      .query<Record<string, string | number>, [number, string]>(`SELECT * FROM logs WHERE ${where}`)
      .get(id, event);
    db.run(`DELETE FROM logs WHERE ${where}`, [id, event]);
    expect(checkStore(bench.folder.path)).not.toMatchObject({ value: { differing: 0, faulty: 0 } });
    const before = bench.children.length;
    await bench.restart();
    await bench.ready();
    const sent = bench.children.slice(before).flatMap(sentTo);
    expect([sent, bench.said("run.waiting").length, bench.states(id)]).toEqual([[], 1, ["running"]]);
    const columns = Object.keys(log ?? {});
    db.run(
      `INSERT INTO logs (${columns.join(", ")}) VALUES (${columns.map(() => "?").join(", ")})`,
      Object.values(log ?? {}),
    );
    db.close();
    await bench.pass(60_000);
    await bench.ready();
    expect(bench.child.of("run")).toMatchObject([{ run: id, steps: [{ step: "a", result: "a" }] }]);
    isRight(bench);
  },
);

test.each([
  ["that names another log", "last_log_id = first_log_id"],
  ["that counts more than there is", "events = 9"],
  ["that names a step and not the newest", "last_log_id = last_log_id + 1, events = 3"],
])("a row of a running run %s is put right or holds the run", async (_, change) => {
  using bench = new RunsBench();
  const id = await inItsSecondStep(bench);
  bench.die();
  const db = new Database(storeFile(bench.folder.path));
  db.run(`UPDATE workflow_runs SET ${change} WHERE id = ${id}`);
  db.close();
  expect(checkStore(bench.folder.path)).not.toMatchObject({ value: { differing: 0, faulty: 0 } });
  await bench.restart();
  await bench.ready();
  expect([...bench.said("run.corrected"), ...bench.said("run.waiting")]).toHaveLength(1);
});

describe("the start of a step, for which nobody waits,", () => {
  const turns = async (): Promise<void> => {
    for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
  };

  async function underWay(bench: RunsBench): Promise<number> {
    const [id = 0] = await bench.ask();
    await bench.ready();
    await bench.begins(id);
    bench.tell({ seq: 1, run: id, ...stepStarted("a") });
    await turns();
    return id;
  }

  test("is in the log before what comes next", async () => {
    using bench = new RunsBench();
    const id = await underWay(bench);
    bench.tell({ seq: 2, run: id, ...stepCompleted("a") });
    await turns();
    expect(bench.events(id)).toEqual(["run.queued", "run.started", "step.started", "step.completed"]);
  });

  test("commits after a moment where nothing comes", async () => {
    using bench = new RunsBench();
    const id = await underWay(bench);
    await until("the start is committed", () => bench.events(id).includes("step.started"));
  });

  test("commits before the end of its worker", async () => {
    using bench = new RunsBench();
    const id = await underWay(bench);
    bench.child.exits(null, "SIGSEGV");
    await turns();
    expect(bench.events(id)).toEqual(["run.queued", "run.started", "step.started"]);
  });
});
