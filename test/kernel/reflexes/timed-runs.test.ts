/** Runs that the clock starts: one a due time, whatever happens to nerve, to its clock and to the run before. */
import { Database } from "bun:sqlite";
import { expect, test } from "bun:test";
import { SYSTEM_CHANCE } from "../../../src/base/chance.ts";
import { planReload, planStart } from "../../../src/config/reload-plan.ts";
import { Firings } from "../../../src/kernel/reflexes/firings.ts";
import { Incidents } from "../../../src/kernel/reflexes/incidents.ts";
import { Reflexes } from "../../../src/kernel/reflexes/reflexes.ts";
import { Silences } from "../../../src/kernel/reflexes/silences.ts";
import { TimedRuns } from "../../../src/kernel/reflexes/timed-runs.ts";
import type { NerveConfig, WorkflowReflexConfig } from "../../../src/model/config.ts";
import { storeFile } from "../../../src/store/tables.ts";
import { workflowReflex } from "../../helpers/reflex.ts";
import { COMPLETED, type FlowConfig, RunsBench } from "../../helpers/runs-bench.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const EACH_MINUTE = { cron: "* * * * *" };
const NO_SENSES = new Map();

class TimedBench extends RunsBench {
  readonly silences: Silences;
  reflexes: Reflexes;
  #words: Partial<WorkflowReflexConfig>;

  constructor(words: Partial<WorkflowReflexConfig>, flow: FlowConfig = {}) {
    super(flow);
    const { ledger, lifetime, journal, store } = this;
    this.silences = new Silences({ ledger, lifetime, journal, store });
    this.#words = words;
    this.reflexes = this.#begun();
  }

  get #config(): NerveConfig {
    const reflex = workflowReflex({ name: "nightly", on: [], ...this.#words });
    return { ...this.configOf({}), groups: new Map(), senses: new Map(), reflexes: [reflex] };
  }

  #begun(): Reflexes {
    const { clock, ticker, ledger, lifetime, journal, store, workflows, silences } = this;
    const reflexes = new Reflexes({
      clock,
      ticker,
      ledger,
      lifetime,
      journal,
      store,
      silences,
      incidents: new Incidents({ lifetime, journal, store, workflows, silences, chance: SYSTEM_CHANCE }),
      firings: new Firings({ chance: SYSTEM_CHANCE, lifetime, journal, store, workflows, silences, wake: () => {} }),
      dueTimes: { due: () => {}, dueDurably: () => {}, dueAtStart: () => {}, dueByWatch: () => {} },
      timedRuns: new TimedRuns({ wallMs: clock.wallMs, chance: SYSTEM_CHANCE, ledger, lifetime, journal, workflows }),
    });
    reflexes.load(this.#config, NO_SENSES, new Set(this.store.switches.disabled()), planStart(this.#config));
    return reflexes;
  }

  /** A kernel is gone without a word, and the next begins on what was committed. */
  async crash(downMs: number): Promise<void> {
    this.reflexes.load(
      { ...this.#config, reflexes: [] },
      NO_SENSES,
      new Set(),
      planStart({ ...this.#config, reflexes: [] }),
    );
    this.ticker.stop();
    this.clock.pass(downMs);
    this.ticker.start();
    // As in the engine: due times are seen to first, and the runs that are left come after.
    this.workflows = this.kernel();
    this.reflexes = this.#begun();
    await this.settle();
  }

  async change(words: Partial<WorkflowReflexConfig>): Promise<void> {
    const before = { config: this.#config, prints: { sense: new Map(), workflow: new Map() } };
    this.#words = words;
    const plan = planReload(before, { ...before, config: this.#config }, []);
    this.reflexes.load(this.#config, NO_SENSES, new Set(), plan.reflexes);
    await this.settle();
  }

  get reflex() {
    const reflex = this.reflexes.byName.get("nightly");
    if (reflex === undefined) throw new Error("the reflex is gone");
    return reflex;
  }

  get runs() {
    return this.store.runs.active().map(({ id }) => this.row(id));
  }

  /** The due times for which runs were started, in their order. */
  get dues(): number[] {
    const logs = this.store.history.page({
      after: 0,
      before: null,
      sources: ["reflex:nightly"],
      since: null,
      until: null,
      trace: null,
      level: null,
      limit: 10_000,
      newest: false,
    });
    return logs.filter(({ event }) => event === "reflex.fired").map(({ data }) => JSON.parse(data ?? "{}").due);
  }

  /** The oldest run that waits begins, and ends. */
  async work(): Promise<void> {
    for (const id of this.sent.filter((one) => this.row(one).state === "running")) {
      await this.begins(id);
      await this.says(id, COMPLETED);
    }
  }
}

const minuteOf = (at: number): number => Math.floor(at / MINUTE) * MINUTE;

test("a cron time starts one run, with the input of the reflex and the due time in its trigger", async () => {
  using bench = new TimedBench({ ...EACH_MINUTE, input: { path: "/home" } });
  await bench.pass(MINUTE);
  const due = minuteOf(bench.clock.wallMs());
  await bench.ready();
  expect(bench.child.of("run")[0]).toMatchObject({
    trigger: { due, payload: { path: "/home" }, reflex: "nightly", id: null, sense: null, at: null, signal: null },
  });
  expect([bench.dues, bench.reflex.fired]).toEqual([[due], 1]);
  await bench.work();
  await bench.pass(MINUTE);
  expect(bench.dues).toEqual([due, due + MINUTE]);
});

test("without `input` the payload is null", async () => {
  using bench = new TimedBench({ onStart: true });
  await bench.settle();
  await bench.ready();
  expect(bench.child.of("run")[0]).toMatchObject({ trigger: { payload: null, due: bench.clock.wallMs() } });
});

test("an interval starts a run at its multiples, `on_start` one at each start", async () => {
  using bench = new TimedBench({ intervalMs: 2_000, onStart: true });
  await bench.settle();
  await bench.ready();
  await bench.work();
  await bench.pass(2_000);
  await bench.work();
  expect(bench.dues).toHaveLength(2);
  expect((bench.dues[1] ?? 0) % 2_000).toBe(0);
  await bench.crash(100);
  expect(bench.dues).toHaveLength(3);
});

test("a due time is missed, counted and logged while the run before it is queued, and not while it runs", async () => {
  using bench = new TimedBench(EACH_MINUTE);
  bench.isHeld = true;
  await bench.pass(MINUTE);
  expect(bench.runs.map(({ state }) => state)).toEqual(["queued"]);
  for (let minute = 0; minute < 3; minute++) await bench.pass(MINUTE);
  expect([bench.runs.length, bench.reflex.missed, bench.reflex.fired]).toEqual([1, 3, 1]);
  expect(bench.said("reflex.missed")).toEqual(["a due time is missed: the run before it is still queued"]);
  bench.isHeld = false;
  bench.workflows.resume();
  await bench.settle();
  await bench.ready();
  expect(bench.runs.map(({ state }) => state)).toEqual(["running"]);
  await bench.pass(MINUTE);
  expect(bench.runs.map(({ state }) => state)).toEqual(["running", "queued"]);
});

test("what passed while nerve was down is made up for by one run, once, however often nerve starts", async () => {
  using bench = new TimedBench(EACH_MINUTE);
  await bench.pass(MINUTE);
  await bench.ready();
  await bench.work();
  await bench.crash(10 * MINUTE + 1_000);
  const last = minuteOf(bench.clock.wallMs());
  for (let starts = 0; starts < 4; starts++) await bench.crash(100);
  expect(bench.dues.slice(1)).toEqual([last]);
});

test.each([
  ["`catch_up: none`", { ...EACH_MINUTE, catchUp: "none" } as const],
  ["an interval", { intervalMs: MINUTE }],
])("%s makes up for nothing", async (_, words) => {
  using bench = new TimedBench(words);
  await bench.pass(MINUTE);
  await bench.ready();
  await bench.work();
  await bench.crash(10 * MINUTE + 1_000);
  expect(bench.dues).toHaveLength(1);
});

test("a due time that is not committed when nerve dies is made up for; one that is committed is not", async () => {
  using bench = new TimedBench(EACH_MINUTE);
  await bench.pass(MINUTE);
  const blocker = new Database(storeFile(bench.folder.path));
  blocker.run("BEGIN IMMEDIATE");
  bench.clock.pass(MINUTE);
  expect(bench.ledger.flush()).toBe(false);
  expect(bench.dues).toHaveLength(1);
  blocker.run("ROLLBACK");
  blocker.close(true);
  await bench.settle();
  await bench.crash(1_000);
  // The run of the first minute never began: the second is missed, whoever decides it.
  expect(bench.dues).toHaveLength(1);
  expect(bench.reflex.last).toBe(minuteOf(bench.clock.wallMs()));
});

test("due times do not pile up while the store takes nothing", async () => {
  using bench = new TimedBench({ intervalMs: 1_000 });
  const blocker = new Database(storeFile(bench.folder.path));
  blocker.run("BEGIN IMMEDIATE");
  for (let second = 0; second < 60; second++) bench.clock.pass(1_000);
  expect(bench.ledger.flush()).toBe(false);
  blocker.run("ROLLBACK");
  blocker.close(true);
  await bench.settle();
  expect([bench.dues.length, bench.reflex.missed]).toEqual([1, 59]);
});

test("a clock that is set back by up to three hours repeats no cron time, running or down", async () => {
  using bench = new TimedBench({ cron: "0 * * * *" });
  await bench.pass(HOUR);
  await bench.ready();
  await bench.work();
  const [first = 0] = bench.dues;
  bench.clock.step(-2 * HOUR);
  await bench.pass(2 * HOUR);
  expect(bench.dues).toEqual([first]);
  bench.clock.step(-2 * HOUR);
  await bench.crash(100);
  await bench.pass(2 * HOUR);
  expect(bench.dues).toEqual([first]);
});

test("a clock that is set on by a day starts one run for what it leaps over", async () => {
  using bench = new TimedBench({ cron: "0 * * * *" });
  await bench.pass(HOUR);
  await bench.ready();
  await bench.work();
  bench.clock.step(24 * HOUR);
  await bench.pass(1_000);
  await bench.work();
  expect(bench.dues).toHaveLength(2);
});

test("a silence does not suppress a run that the clock starts", async () => {
  using bench = new TimedBench(EACH_MINUTE);
  await bench.silences.set({ pattern: "nightly", for_ms: HOUR, why: "works" });
  await bench.settle();
  await bench.pass(MINUTE);
  expect(bench.dues).toHaveLength(1);
});

test("a reload that changes what a run is given or what it starts keeps the times; other times begin anew", async () => {
  using bench = new TimedBench(EACH_MINUTE);
  await bench.pass(MINUTE);
  await bench.ready();
  await bench.work();
  const { last } = bench.reflex;
  await bench.change({ ...EACH_MINUTE, input: { a: 1 } });
  expect(bench.reflex.last).toBe(last);
  await bench.change({ cron: "*/5 * * * *", input: { a: 1 } });
  expect(bench.reflex.last).toBeNull();
  await bench.pass(5 * MINUTE);
  await bench.ready();
  expect(bench.child.of("run").at(-1)).toMatchObject({ trigger: { payload: { a: 1 } } });
});

test("a disabled reflex starts nothing", async () => {
  using bench = new TimedBench(EACH_MINUTE);
  bench.reflex.enabled = false;
  await bench.pass(3 * MINUTE);
  expect(bench.runs).toEqual([]);
});
