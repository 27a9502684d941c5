/** What does not come: `expect_every` of senses and workflows, over days, kernels and clocks that are set. */
import { expect, test } from "bun:test";
import { parseNerveConfig } from "../../src/config/parse.ts";
import { Expectations } from "../../src/kernel/expectations.ts";
import { RunCounts } from "../../src/kernel/memory/run-counts.ts";
import type { Sense } from "../../src/kernel/memory/sense.ts";
import { SenseStats } from "../../src/kernel/memory/sense-stats.ts";
import { Lifetime } from "../../src/kernel/time/lifetime.ts";
import { KernelBench } from "../helpers/kernel-bench.ts";
import { BY_HAND, runWriter } from "../helpers/runs.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

const configOf = (sense: string, workflow: string) => {
  const parsed = parseNerveConfig(`
senses: { beat: { use: exec${sense} } }
workflows: { backup: { use: exec, with: { command: ["true"] }${workflow} } }
`);
  if (!parsed.ok) throw new Error("the config is bad");
  return parsed.value;
};
const CONFIG = configOf(", expect_every: 2h", ", expect_every: 25h");

/** One kernel after the other on one store. What senses and workflows count is counted by hand. */
class Bench extends KernelBench {
  expectations: Expectations;
  lifetime = new Lifetime(this.clock, this.store.meta);
  sense = { stats: new SenseStats(), enabled: true };
  runs = new RunCounts();
  items: number | null = null;

  constructor() {
    super();
    this.expectations = this.begins();
  }

  begins(config = CONFIG): Expectations {
    const { ticker, ledger, journal, store } = this;
    this.sense = { ...this.sense, stats: new SenseStats() };
    this.runs = new RunCounts();
    this.items = null;
    const byName = new Map([["beat", this.sense as unknown as Sense]]);
    this.lifetime = new Lifetime(this.clock, store.meta);
    this.expectations = new Expectations({
      lifetime: this.lifetime,
      ticker,
      ledger,
      journal,
      store,
      senses: { byName },
      workflows: { countsOf: () => this.runs },
      inboxes: { newestAt: () => this.items },
    });
    this.expectations.listen(config);
    return this.expectations;
  }

  /** A signal of the sense, as the intake leaves it. */
  signal(): void {
    const at = this.clock.wallMs();
    const trace = "0".repeat(32);
    const id = this.store.commit(() =>
      this.store.signals.append({ sense: "beat", at, payload: "1", cause: null, trace }),
    );
    this.sense.stats.lastSignal = { id, at };
  }

  /** An item of the sense, as the inboxes leave it. */
  item(): void {
    const [at, trace] = [this.clock.wallMs(), "0".repeat(32)];
    const item = { sense: "beat", origin: "o", at, key: null, type: null, body: "1", trace };
    this.store.commit(() => this.store.inbox.append(item));
    this.items = at;
  }

  async lets(ms: number): Promise<void> {
    for (let left = ms; left > 0; left -= MINUTE) {
      await this.pass(Math.min(left, MINUTE));
      this.ledger.write(() => {
        this.lifetime.keep();
        this.expectations.keep();
      });
    }
    await this.settle();
  }

  events(): string[] {
    return this.lines.map(({ event }) => event).filter((event) => event.endsWith(".stale"));
  }
}

test("a sense is stale once nothing has come for its time, once, and no longer when a signal or an item comes", async () => {
  using bench = new Bench();
  await bench.lets(HOUR);
  bench.signal();
  await bench.lets(2 * HOUR - MINUTE);
  expect([bench.events(), bench.expectations.staleness("sense", "beat")]).toEqual([[], null]);
  await bench.lets(3 * HOUR);
  expect(bench.events()).toEqual(["sense.stale"]);
  expect(bench.expectations.staleness("sense", "beat")).toMatch(
    /^no signal and no item for 4h 5\dm: its `expect_every` is 2h$/,
  );
  bench.items = bench.clock.wallMs();
  await bench.lets(MINUTE);
  expect(bench.expectations.stale).toEqual([]);
  await bench.lets(2 * HOUR);
  expect(bench.events()).toEqual(["sense.stale", "sense.stale"]);
  bench.signal();
  await bench.lets(MINUTE);
  expect(bench.expectations.stale).toEqual([]);
});

test("a workflow is stale by its newest completed run", async () => {
  using bench = new Bench();
  for (let hours = 0; hours < 30; hours++) {
    bench.signal();
    if (hours === 3) bench.runs.ended.completed++;
    if (hours > 3) bench.runs.ended.failed++;
    await bench.lets(HOUR);
    expect(bench.expectations.stale).toEqual(hours < 28 ? [] : ["workflow:backup"]);
  }
  expect(bench.events()).toEqual(["workflow.stale"]);
  bench.runs.ended.completed++;
  await bench.lets(MINUTE);
  expect(bench.expectations.stale).toEqual([]);
});

test("what was stale is stale in the next kernel, and is not said again; what came before a kill counts", async () => {
  using bench = new Bench();
  await bench.lets(3 * HOUR);
  expect(bench.events()).toEqual(["sense.stale"]);
  bench.die();
  bench.begins();
  await bench.lets(HOUR);
  expect([bench.events(), bench.expectations.stale]).toEqual([["sense.stale"], ["sense:beat"]]);
  // The kernel is killed behind the commit of a signal, before it has noted anything.
  bench.signal();
  bench.die();
  bench.begins();
  await bench.lets(2 * HOUR - MINUTE);
  expect([bench.events(), bench.expectations.stale]).toEqual([["sense.stale"], []]);
  await bench.lets(2 * MINUTE);
  expect(bench.events()).toEqual(["sense.stale", "sense.stale"]);
});

test("an item that came just before a kill counts", async () => {
  using bench = new Bench();
  await bench.lets(3 * HOUR);
  expect(bench.expectations.stale).toEqual(["sense:beat"]);
  bench.item();
  bench.die();
  bench.begins();
  await bench.lets(2 * HOUR - MINUTE);
  expect([bench.events(), bench.expectations.stale]).toEqual([["sense.stale"], []]);
  await bench.lets(2 * MINUTE);
  expect(bench.events()).toEqual(["sense.stale", "sense.stale"]);
  // It still waits, and has been counted.
  bench.clock.step(-10 * HOUR);
  bench.die();
  bench.begins();
  await bench.lets(10 * MINUTE);
  expect(bench.expectations.stale).toEqual(["sense:beat"]);
});

test("a workflow that is stale is so in the next kernel, though the clock was set back since its newest run", async () => {
  using bench = new Bench();
  const [trace, queued] = ["0".repeat(32), bench.clock.wallMs()];
  const runs = runWriter(bench.store);
  const run = runs.queue({ workflow: "backup", at: queued, trace, input: null, trigger: BY_HAND, retry_of: null });
  runs.event(run, queued, "run.started", { attempt: 1, code: "c", batch: null, joined: [] });
  runs.event(run, queued, "run.completed", { output: null, ran_ms: 1 });
  bench.runs.ended.completed++;
  await bench.lets(MINUTE);
  await bench.pass(26 * HOUR);
  await bench.lets(MINUTE);
  expect(bench.expectations.stale).toContain("workflow:backup");
  bench.clock.step(-30 * HOUR);
  await bench.lets(MINUTE);
  bench.die();
  bench.begins();
  expect(bench.expectations.stale).toContain("workflow:backup");
});

/** A run of `backup` that completes now, as its workflow leaves it. */
function completes(bench: Bench): void {
  const [trace, at] = ["0".repeat(32), bench.clock.wallMs()];
  const runs = runWriter(bench.store);
  const run = runs.queue({ workflow: "backup", at, trace, input: null, trigger: BY_HAND, retry_of: null });
  runs.event(run, at, "run.started", { attempt: 1, code: "c", batch: null, joined: [] });
  runs.event(run, at, "run.completed", { output: null, ran_ms: 1 });
  bench.runs.ended.completed++;
}

test("what came before a reload that expects it is no news for the next kernel", async () => {
  using bench = new Bench();
  bench.die();
  bench.begins(configOf("", ""));
  await bench.lets(MINUTE);
  bench.signal();
  completes(bench);
  await bench.lets(MINUTE);
  bench.expectations.listen(CONFIG);
  await bench.lets(26 * HOUR);
  const stale = ["sense:beat", "workflow:backup"];
  expect([bench.events(), bench.expectations.stale]).toEqual([["sense.stale", "workflow.stale"], stale]);
  bench.die();
  bench.begins();
  expect(bench.expectations.stale).toEqual(stale);
  await bench.lets(30 * HOUR);
  expect(bench.events()).toEqual(["sense.stale", "workflow.stale"]);
});

test("what came just before a reload, and was not looked at until then, counts in the next kernel", async () => {
  using bench = new Bench();
  await bench.lets(26 * HOUR);
  expect(bench.expectations.stale).toEqual(["sense:beat", "workflow:backup"]);
  bench.signal();
  completes(bench);
  bench.expectations.listen(CONFIG);
  await bench.settle();
  bench.die();
  bench.begins();
  expect(bench.expectations.stale).toEqual([]);
});

test("the time goes on while nerve is down, and nothing becomes stale in the first five minutes of a kernel", async () => {
  using bench = new Bench();
  bench.signal();
  await bench.lets(HOUR);
  bench.die();
  bench.clock.suspend(10 * HOUR);
  bench.begins();
  await bench.lets(4 * MINUTE);
  expect(bench.events()).toEqual([]);
  await bench.lets(2 * MINUTE);
  expect(bench.events()).toEqual(["sense.stale"]);
});

test("a clock that is set makes nothing stale, and keeps nothing from it", async () => {
  using bench = new Bench();
  bench.signal();
  await bench.lets(HOUR);
  bench.clock.step(30 * HOUR);
  await bench.lets(30 * MINUTE);
  expect(bench.events()).toEqual([]);
  bench.clock.step(-30 * HOUR);
  await bench.lets(31 * MINUTE);
  expect(bench.events()).toEqual(["sense.stale"]);
});

test("a disabled sense does not grow stale, and counts from when it is enabled", async () => {
  using bench = new Bench();
  bench.sense.enabled = false;
  await bench.lets(20 * HOUR);
  expect(bench.events()).toEqual([]);
  bench.sense.enabled = true;
  await bench.lets(2 * HOUR - MINUTE);
  expect(bench.events()).toEqual([]);
  await bench.lets(2 * MINUTE);
  expect(bench.events()).toEqual(["sense.stale"]);
});
