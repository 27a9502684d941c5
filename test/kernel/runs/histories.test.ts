/** What the logs say of a run is believed, where it can be; else the run waits, and says what to mend. The store is real. */
import { Database } from "bun:sqlite";
import { describe, expect, test } from "bun:test";
import type { Log } from "../../../src/model/log.ts";
import { checkStore } from "../../../src/store/rebuild-store.ts";
import { storeFile } from "../../../src/store/tables.ts";
import { COMPLETED, failedWith, RunsBench, suspendedFor } from "../../helpers/runs-bench.ts";

type Value = string | number | null;

/** What somebody does to the store, while nerve runs or not. */
function tamper(bench: RunsBench, sql: string, ...values: Value[]): void {
  const db = new Database(storeFile(bench.folder.path));
  db.query(sql).run(...values);
  db.close(true);
}

function check(bench: RunsBench): { readonly differing: number; readonly faults: readonly string[] } {
  const checked = checkStore(bench.folder.path);
  if (!checked.ok) throw new Error(checked.error.message);
  return { differing: checked.value.differing, faults: checked.value.faults.map(({ message }) => message) };
}

const place = (step: string) => ({ step, nth: 0, attempt: 1 });
const begins = (step: string) => ({ type: "step-started", ...place(step) });
const done = (step: string) => ({ type: "step-completed", ...place(step), result: step, durationMs: 1 });
const nap = { duration: "9ms", name: null, nth: 0 };

/** A run that has done two steps beside a sleep, failed once, and sleeps for 60 s in its second attempt. */
async function sleeper(bench: RunsBench): Promise<number> {
  bench.journal.of("kernel").info("kernel.stopped", "an earlier one", null);
  const [id = 0] = await bench.ask();
  await bench.ready();
  await bench.begins(id);
  await bench.says(id, begins("a"), done("a"), begins("b"), { type: "sleep", ...nap, ms: 9 });
  await bench.says(id, { type: "slept", ...nap }, done("b"), failedWith("Error: no"));
  await bench.pass(1_000);
  await bench.begins(id);
  await bench.says(id, suspendedFor(60_000));
  return id;
}

const RETRY = { retry: { limit: 3, intervalMs: 1_000, backoff: null, maxIntervalMs: null } };

const EVENTS = [
  "run.queued",
  "run.started",
  "step.started",
  "step.completed",
  "step.started",
  "sleep.started",
  "sleep.ended",
  "step.completed",
  "run.retrying",
  "run.resumed",
  "run.sleeping",
];
const cases = EVENTS.map((event, index) => [event, index] as const);

/** Its time comes, and a worker is there for it. */
async function wakes(bench: RunsBench): Promise<void> {
  await bench.pass(60_000);
  await bench.ready();
}

describe("a log of a live run that is gone", () => {
  const putBack = (bench: RunsBench, { id, at, level, source, event, run, trace, message, data }: Log): void =>
    tamper(
      bench,
      "INSERT INTO logs (id, at, level, source, event, run, trace, message, data) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
      ...[id, at, level, source, event, run, trace, message, data],
    );

  test.each(cases)(
    "is missed, as its %s, log %i of the run: nothing is done again, and the run goes on once it is back",
    async (event, index) => {
      using bench = new RunsBench(RETRY);
      const id = await sleeper(bench);
      await bench.stop();
      const logs = bench.store.history.ofRun(id, 0);
      expect(logs.map((log) => log.event)).toEqual(EVENTS);
      const log = logs[index] as Log;
      tamper(bench, "DELETE FROM logs WHERE id = ?", log.id);
      bench.workflows = bench.kernel();
      await bench.settle();
      await wakes(bench);
      expect([log.event, bench.sent, bench.states(id)]).toEqual([event, [], ["sleeping"]]);
      expect(bench.said("run.waiting")).toEqual([expect.stringContaining(`of run ${id}`)]);
      expect(bench.said("run.waiting")[0]).toContain("put back a copy of logs.db");
      expect(check(bench).faults).toEqual([expect.stringContaining(`run ${id}`)]);
      putBack(bench, log);
      expect(check(bench)).toEqual({ differing: 0, faults: [] });
      await bench.pass(60_000);
      await bench.ready();
      expect(bench.child.of("run")).toMatchObject([{ run: id, attempt: 2, steps: [{ step: "a" }, { step: "b" }] }]);
    },
  );

  test("is missed while nerve runs, too", async () => {
    using bench = new RunsBench(RETRY);
    const id = await sleeper(bench);
    tamper(bench, "DELETE FROM logs WHERE run = ? AND event = 'step.completed' AND data LIKE '%\"a\"%'", id);
    await wakes(bench);
    expect([bench.sent, bench.states(id)]).toEqual([[], ["sleeping"]]);
    expect(bench.said("run.waiting")).toEqual([
      `run ${id} waits: the history of run ${id} is not whole: log 7: of the 4 events of run ${id} before step.started 1 is gone; put back a copy of logs.db, or end the run with \`nerve cancel ${id}\``,
    ]);
  });

  test("can be given up: the run is cancelled, and is not retried", async () => {
    using bench = new RunsBench(RETRY);
    const id = await sleeper(bench);
    tamper(bench, "DELETE FROM logs WHERE run = ? AND event = 'step.completed' AND data LIKE '%\"a\"%'", id);
    await wakes(bench);
    const cancelled = await bench.workflows.byHand.cancel(id);
    expect([cancelled.ok, bench.states(id)]).toEqual([true, ["cancelled"]]);
    expect(await bench.workflows.byHand.retry(id, null)).toMatchObject({
      ok: false,
      error: { kind: "damaged-history", message: expect.stringContaining("1 is gone") },
    });
  });

  test("is not missed in a run whose events an earlier build did not count", async () => {
    using bench = new RunsBench(RETRY);
    const id = await sleeper(bench);
    await bench.stop();
    tamper(bench, "UPDATE workflow_runs SET events = NULL WHERE id = ?", id);
    bench.workflows = bench.kernel();
    await bench.settle();
    await wakes(bench);
    expect([bench.sent, bench.row(id).events]).toEqual([[id], null]);
    expect(check(bench)).toEqual({ differing: 0, faults: [] });
  });
});

describe("a log of a live run that nerve did not write so", () => {
  const DAMAGE = [
    ["data", "{}"],
    ["data", "[]"],
    ["data", "{"],
    ["data", null],
    ["event", "nope"],
    ["source", "sense:flow"],
  ] as const;

  test.each(cases)(
    "holds the run, as its %s, log %i of the run: it names file, table, row and column, and goes on once it is mended",
    async (_, index) => {
      for (const [column, value] of DAMAGE) {
        using bench = new RunsBench(RETRY);
        const id = await sleeper(bench);
        await bench.stop();
        const log = bench.store.history.ofRun(id, 0)[index] as Log;
        tamper(bench, `UPDATE logs SET ${column} = ? WHERE id = ?`, value, log.id);
        bench.workflows = bench.kernel();
        await bench.settle();
        await wakes(bench);
        expect([bench.sent, bench.states(id)]).toEqual([[], ["sleeping"]]);
        expect(bench.said("run.waiting")).toHaveLength(1);
        const [said = ""] = bench.said("run.waiting");
        expect(said).toStartWith(
          `run ${id} waits: the history of run ${id} cannot be read: ${storeFile(bench.folder.path)}: table logs, row ${log.id}: ${column} `,
        );
        expect(said).toEndWith("; put back a copy of logs.db, or stop nerve and mend it with `sqlite3`");
        expect(check(bench).faults).toEqual([expect.stringContaining(`log ${log.id}: ${column} `)]);
        tamper(bench, `UPDATE logs SET ${column} = ? WHERE id = ?`, log[column], log.id);
        await bench.pass(60_000);
        await bench.ready();
        expect(bench.sent).toEqual([id]);
      }
    },
  );

  test("is a result that is another's, where a step cannot have settled", async () => {
    using bench = new RunsBench(RETRY);
    const id = await sleeper(bench);
    const change =
      "UPDATE logs SET data = replace(data, '\"a\"', '\"b\"') WHERE run = ? AND event = 'step.completed' AND data LIKE '%\"a\"%'";
    tamper(bench, change, id);
    await wakes(bench);
    expect([bench.sent, bench.states(id)]).toEqual([[], ["sleeping"]]);
    const why = 'step.completed of run 1, step "b", number 0 of that name, whose try 1 did not begin';
    expect(bench.said("run.waiting")).toEqual([expect.stringContaining(why)]);
    expect(check(bench).faults).toEqual([expect.stringContaining(why)]);
  });
});

describe("a row of a live run in which any value is another", () => {
  const COLUMNS: readonly (readonly [string, Value])[] = [
    ["workflow", "other"],
    ["reflex", "other"],
    ["state", "weird"],
    ["state", "completed"],
    ["state", "joined"],
    ["state", 7],
    ["state", "queued"],
    ["signal_id", 9],
    ["input", '"other"'],
    ["input", null],
    ["output", '"other"'],
    ["attempt", 1],
    ["queued_at", 5],
    ["started_at", 5],
    ["ended_at", 5],
    ["error", "other"],
    ["error", null],
    ["trace", "f".repeat(32)],
    ["last_log_id", 1],
    ["last_log_id", 9_999],
    ["retry_of", 1],
    ["first_log_id", 3],
    ["until", 5],
    ["until", null],
    ["key", "other"],
    ["decision", "signal:9"],
    ["events", 1],
    ["events", "x"],
  ];

  test.each(COLUMNS)("is put right before the run goes on: %s is %p", async (column, value) => {
    using bench = new RunsBench(RETRY);
    const id = await sleeper(bench);
    await bench.stop();
    const before = bench.row(id);
    tamper(bench, `UPDATE workflow_runs SET ${column} = ? WHERE id = ?`, value, id);
    bench.workflows = bench.kernel();
    await bench.settle();
    await wakes(bench);
    expect(bench.child.of("run")).toMatchObject([{ run: id, attempt: 2, steps: [{ step: "a" }, { step: "b" }] }]);
    const { state, attempt, last_log_id, until, events, ...rest } = before;
    expect(bench.row(id)).toMatchObject({ ...rest, state: "running", attempt: 2, until: null, events: 12 });
    expect(bench.said("run.corrected")).toHaveLength(1);
    expect(check(bench)).toEqual({ differing: 0, faults: [] });
  });

  const GONE: readonly (readonly [string, string])[] = [
    ["a row that is gone", "DELETE FROM workflow_runs WHERE id = 2"],
    ["a row that has another id", "UPDATE workflow_runs SET id = 99 WHERE id = 2"],
    ["a table that is emptied", "DELETE FROM workflow_runs"],
  ];

  test.each(GONE)("is put right: %s is there again, and the run goes on, once", async (_, sql) => {
    using bench = new RunsBench(RETRY);
    const [ended = 0] = await bench.ask();
    await bench.ready();
    await bench.begins(ended);
    await bench.says(ended, COMPLETED);
    await bench.stop();
    bench.workflows = bench.kernel();
    const id = await sleeper(bench);
    await bench.stop();
    const before = bench.row(id);
    tamper(bench, sql);
    bench.workflows = bench.kernel();
    await bench.settle();
    await wakes(bench);
    const { state, attempt, last_log_id, until, events, ...rest } = before;
    expect(bench.row(id)).toMatchObject({ ...rest, state: "running", attempt: 2, until: null, events: 12 });
    expect(bench.child.of("run")).toMatchObject([{ run: id, attempt: 2, steps: [{ step: "a" }, { step: "b" }] }]);
    expect(bench.events(ended)).toEqual(["run.queued", "run.started", "run.completed"]);
    expect(check(bench).faults).toEqual([]);
  });

  test("is put right while nerve runs, too: a row that is gone is there again", async () => {
    using bench = new RunsBench(RETRY);
    const id = await sleeper(bench);
    tamper(bench, "DELETE FROM workflow_runs WHERE id = ?", id);
    await wakes(bench);
    expect([bench.sent.at(-1), bench.states(id)]).toEqual([id, ["running"]]);
    expect(bench.said("run.corrected")).toEqual([
      `the row of run ${id} was gone and is put right: by its logs the run is sleeping`,
    ]);
    expect(check(bench)).toEqual({ differing: 0, faults: [] });
  });

  test("is no reason to end a run twice: by its logs it has ended, whatever its row says by now", async () => {
    using bench = new RunsBench(RETRY);
    const id = await sleeper(bench);
    const { message, ...log } = bench.store.history.ofRun(id, 0).at(-1) as Log;
    const data = JSON.stringify({ error: null });
    bench.store.commit(() => bench.store.logs.append({ ...log, event: "run.cancelled", message, data }));
    await wakes(bench);
    expect([bench.sent, bench.states(id)]).toEqual([[], ["cancelled"]]);
    expect(bench.events(id).filter((event) => event === "run.cancelled")).toHaveLength(1);
    expect(check(bench)).toEqual({ differing: 0, faults: [] });
  });
});

describe("a retry by hand", () => {
  test("is refused for a run that lives by its logs, whatever its row says", async () => {
    using bench = new RunsBench();
    const [id = 0] = await bench.ask();
    await bench.ready();
    await bench.begins(id);
    tamper(bench, "UPDATE workflow_runs SET state = 'completed' WHERE id = ?", id);
    expect(await bench.workflows.byHand.retry(id, null)).toMatchObject({
      ok: false,
      error: { kind: "run-active", message: `run ${id} is running` },
    });
  });

  test("keeps the steps of a run whose row is gone by now, and waits where its logs are", async () => {
    using bench = new RunsBench();
    const [id = 0] = await bench.ask();
    await bench.ready();
    await bench.begins(id);
    await bench.says(id, begins("a"), done("a"), failedWith("Error: no"));
    const [busy = 0] = await bench.ask();
    const again = await bench.workflows.byHand.retry(id, null);
    const third = await bench.workflows.byHand.retry(id, null);
    if (!again.ok || !third.ok) throw new Error("it was refused");
    tamper(bench, "DELETE FROM workflow_runs WHERE id = ?", id);
    await bench.begins(busy);
    await bench.says(busy, COMPLETED);
    expect(bench.child.of("run").at(-1)).toMatchObject({ run: again.value.run, steps: [{ step: "a" }] });
    tamper(bench, "DELETE FROM logs WHERE run = ?", id);
    await bench.begins(again.value.run);
    await bench.says(again.value.run, COMPLETED);
    expect(bench.states(third.value.run)).toEqual(["queued"]);
    expect(bench.said("run.waiting")).toEqual([
      expect.stringContaining(`run ${third.value.run} waits: the logs of run ${id} do not begin with run.queued`),
    ]);
  });
});

describe("which runs live", () => {
  const noted = (bench: RunsBench): { up_to: number; runs: unknown } =>
    JSON.parse(bench.store.meta.get("live_runs") ?? "null");

  test("is noted at a start and at a stop, as of the newest log that is committed", async () => {
    using bench = new RunsBench();
    await bench.settle();
    expect(noted(bench)).toEqual({ up_to: 0, runs: [] });
    const [first = 0, second = 0] = await bench.ask(2);
    await bench.workflows.byHand.cancel(second);
    const { first_log_id } = bench.row(first);
    await bench.stop();
    expect(noted(bench)).toEqual({ up_to: bench.store.logs.lastId(), runs: [[first, first_log_id]] });
  });

  test("is noted once a minute where many logs have come, and once an hour where any have", async () => {
    using bench = new RunsBench();
    const say = (count: number): void => {
      const voice = bench.journal.of("kernel");
      for (let nth = 0; nth < count; nth++) voice.info("kernel.stopped", "", null);
    };
    say(999);
    await bench.pass(60_000);
    expect(noted(bench).up_to).toBe(0);
    say(1);
    await bench.pass(60_000);
    expect(noted(bench).up_to).toBe(1_000);
    say(1);
    for (let minute = 0; minute < 59; minute++) await bench.pass(60_000);
    expect(noted(bench).up_to).toBe(1_000);
    await bench.pass(60_000);
    expect(noted(bench).up_to).toBe(1_001);
  });

  test("is known of a run that neither its row nor its logs tell of: it is said, and done once they are mended", async () => {
    using bench = new RunsBench(RETRY);
    const id = await sleeper(bench);
    await bench.stop();
    const [{ data } = { data: null }] = bench.store.history.ofRun(id, 0);
    tamper(bench, "UPDATE workflow_runs SET state = 'completed' WHERE id = ?", id);
    tamper(bench, "UPDATE logs SET data = '{}' WHERE run = ? AND event = 'run.queued'", id);
    for (let start = 0; start < 2; start++) {
      bench.workflows = bench.kernel();
      await bench.settle();
      await bench.workflows.stop();
      await bench.settle();
    }
    expect(bench.said("run.waiting")).toHaveLength(2);
    expect(bench.said("run.waiting")[0]).toStartWith(
      `run ${id} waits for the next start of nerve: the history of run ${id}`,
    );
    tamper(bench, "UPDATE logs SET data = ? WHERE run = ? AND event = 'run.queued'", data, id);
    bench.workflows = bench.kernel();
    await bench.settle();
    await wakes(bench);
    expect(bench.child.of("run")).toMatchObject([{ run: id, attempt: 2, steps: [{ step: "a" }, { step: "b" }] }]);
  });
});
