/**
 * The senses of a whole kernel whose workers follow a script, on a clock driven by hand: ticks, results, owed computes,
 * throttles, suspects, strikes, a stuck worker, pauses and reloads, each in milliseconds (G1, G4, G5).
 */
import { Database } from "bun:sqlite";
import { describe, expect, test } from "bun:test";
import { planReload } from "../../../src/config/reload-plan.ts";
import { unwrittenSense } from "../../../src/config/senses.ts";
import { statusOf } from "../../../src/kernel/daemon/status.ts";
import { Engine } from "../../../src/kernel/engine.ts";
import { Lifetime } from "../../../src/kernel/time/lifetime.ts";
import type { NerveConfig, ReflexConfig, SenseConfig } from "../../../src/model/config.ts";
import type { Location } from "../../../src/spawn/modules-on-disk.ts";
import { ALL_SIGNALS } from "../../../src/store/signals.ts";
import { KernelBench, type Message, type ScriptedChild } from "../../helpers/kernel-bench.ts";
import { senseReflex } from "../../helpers/reflex.ts";

const SECOND = 1_000;
const TIMEOUT_MS = 2_000;
const GRACE_MS = 1_000;

type Limits = Pick<SenseConfig, "group" | "throttleMs">;

const sense = (name: string, { group, throttleMs }: Limits): SenseConfig => ({
  ...unwrittenSense(name),
  group,
  throttleMs,
  timeoutMs: TIMEOUT_MS,
  gracePeriodMs: GRACE_MS,
});

const every = (name: string): ReflexConfig => senseReflex({ name: `${name}#1`, sense: name, intervalMs: SECOND });
const on = (name: string, other: string): ReflexConfig =>
  senseReflex({ name: `${name}#1`, sense: name, on: [other], intervalMs: null });

const PLAIN: Limits = { group: "all", throttleMs: null };

class EngineBench extends KernelBench {
  readonly emitted: (readonly [string, unknown])[] = [];
  readonly engine: Engine;
  #config: NerveConfig | null = null;

  constructor() {
    super();
    const { clock, world, ticker, ledger, journal, store } = this;
    this.engine = new Engine({
      world,
      ticker,
      ledger,
      journal,
      store,
      space: { low: false },
      data: this.folder.path,
      command: () => ({ command: ["test"], env: {}, cwd: "/" }),
      lifetime: new Lifetime(clock, store.meta),
      onSignal: ({ sense: name, payload }) => this.emitted.push([name, JSON.parse(payload)]),
    });
  }

  config(senses: readonly SenseConfig[], reflexes: readonly ReflexConfig[]): NerveConfig {
    const groups = new Map(senses.map(({ group }) => [group, { name: group, memoryBytes: null }]));
    const byName = new Map(senses.map((entry) => [entry.name, entry]));
    const workflows = new Map();
    return {
      groups,
      senses: byName,
      reflexes,
      workflows,
      channels: new Map(),
      watchdog: null,
      fleet: null,
      otlp: null,
      retention: { logsMs: null, signalsMs: null, archiveMs: null },
      written: new Map(),
    } as Partial<NerveConfig> as NerveConfig;
  }

  modules(config: NerveConfig) {
    const location: Location = { folder: "/nowhere", print: "" };
    const found = (name: string) => [name, { ok: true, value: location }] as const;
    return { senses: new Map([...config.senses.keys()].map(found)), workflows: new Map() };
  }

  /** Loads it, and has every worker report that it has loaded its senses. */
  load(senses: readonly SenseConfig[], reflexes: readonly ReflexConfig[]): this {
    const config = this.config(senses, reflexes);
    this.#config = config;
    this.engine.load(config, this.modules(config));
    this.allReady();
    return this;
  }

  async replace(senses: readonly SenseConfig[], reflexes: readonly ReflexConfig[], groups: string[]): Promise<void> {
    const config = this.config(senses, reflexes);
    const prints = { sense: new Map(), workflow: new Map() };
    const plan = planReload({ config: this.#config ?? config, prints }, { config, prints }, groups);
    this.#config = config;
    const replaced = this.engine.replace(config, this.modules(config), plan);
    await this.settle();
    for (const child of this.children) if (child.of("shutdown").length > 0) child.exits(0);
    await replaced;
    this.allReady();
    await this.settle();
  }

  allReady(): void {
    for (const child of this.children) if (!child.isGone && child.of("init").length === 1) this.ready(child);
  }

  readonly #ready = new Set<ScriptedChild>();

  ready(child: ScriptedChild): void {
    const [init] = child.of("init");
    if (this.#ready.has(child) || init === undefined) return;
    this.#ready.add(child);
    const names = (init.senses as { name: string }[]).map(({ name }) => name);
    const seats = names.map((name) => ({
      sense: name,
      problem: null,
      applied: [],
      watch: [],
      taken: [],
      patterns: [],
      series: null,
      fault: null,
    }));
    child.says({ type: "ready", generation: init.generation, senses: seats });
  }

  /** Computes the newest worker was asked for and has not answered. */
  readonly #answered = new Set<Message>();

  asked(child = this.child): Message[] {
    return child.of("compute").filter((message) => !this.#answered.has(message));
  }

  names(child = this.child): unknown[] {
    return this.asked(child).map((message) => message.sense);
  }

  started(compute: Message, child = this.child): void {
    const { generation, id, sense: name } = compute;
    child.says({ type: "started", generation, id, sense: name });
  }

  says(compute: Message, type: string, more: Readonly<Record<string, unknown>>, child = this.child): void {
    this.#answered.add(compute);
    const { generation, id, sense: name } = compute;
    child.says({ type, generation, id, sense: name, durationMs: 1, ...more });
  }

  /** `{ n: 1 }` to `{ n: count }`, in rows 1 to `count` of the outbox. */
  emitsMany(compute: Message, count: number): void {
    const [first, ...more] = Array.from({ length: count }, (_, nth) => ({ payload: { n: nth + 1 }, outbox: nth + 1 }));
    const { cause, trace } = compute;
    this.says(compute, "signal", { ...first, more, cause, trace });
  }

  /** The newest worker of `a` sends a row that an earlier one left. */
  leaves(row: number): void {
    const [init] = this.child.of("init");
    const head = { type: "signal", generation: init?.generation, id: null, sense: "a", more: [], durationMs: 0 };
    this.child.says({ ...head, payload: { n: row }, outbox: row, cause: null, trace: "0".repeat(32) });
  }

  /** What the newest worker learned of its only sense. */
  get outboxTaken(): number {
    const [init] = this.child.of("init");
    const [sole] = (init?.senses ?? []) as readonly { readonly outboxTaken: number }[];
    return sole?.outboxTaken ?? Number.NaN;
  }

  emits(compute: Message, payload: unknown, outbox: number | null = null, child = this.child): void {
    const { cause, trace } = compute;
    this.says(compute, "signal", { payload, outbox, more: [], cause, trace }, child);
  }

  fails(compute: Message, kind: "failed" | "timed-out" | "aborted"): void {
    this.says(compute, "error", { kind, message: "why", stack: null });
  }

  /** The worker dies with these computes started. */
  dies(...started: Message[]): void {
    const { child } = this;
    for (const compute of started) {
      this.started(compute);
      this.#answered.add(compute);
    }
    child.exits(null, "SIGSEGV");
  }

  wholeStatus() {
    const { engine } = this;
    return statusOf({
      engine,
      listeners: { listening: [] },
      pid: 1,
      startedAt: 0,
      data: "/",
      trouble: () => null,
    });
  }

  status(name: string) {
    const found = this.wholeStatus().senses.find((entry) => entry.name === name);
    if (found === undefined) throw new Error(`there is no ${name}`);
    return found;
  }

  /** The one compute that is asked for. */
  get only(): Message {
    const [compute, ...more] = this.asked();
    if (compute === undefined || more.length > 0) throw new Error(`asked for ${this.names().join(", ") || "nothing"}`);
    return compute;
  }
}

describe("the status of a thousand senses", () => {
  test("is bounded, each with its next due time, whatever they fail with", async () => {
    const names = Array.from({ length: 1_000 }, (_, nth) => `sense-${nth}`);
    using bench = new EngineBench().load(
      names.map((name) => sense(name, PLAIN)),
      names.map((name) => every(name)),
    );
    await bench.pass(SECOND);
    for (let asked = bench.asked(); asked.length > 0; asked = bench.asked()) {
      for (const compute of asked) {
        bench.started(compute);
        bench.says(compute, "error", { kind: "failed", message: `${"why ".repeat(2_000)}`, stack: null });
      }
      await bench.settle();
    }
    const status = bench.wholeStatus();
    const failing = status.senses.filter(({ state }) => state === "failing");
    expect(failing).toHaveLength(1_000);
    expect(new Set(failing.map(({ reason }) => reason?.length))).toEqual(new Set([501]));
    expect(status.senses.every(({ next_due }) => next_due !== null)).toBe(true);
    expect(JSON.stringify(status).length).toBeLessThan(1_200_000);
  });
});

describe("a tick", () => {
  test("is a compute, its result a signal in the store, and then an ack", async () => {
    using bench = new EngineBench().load([sense("a", PLAIN)], [every("a")]);
    await bench.pass(SECOND);
    const compute = bench.only;
    expect(compute).toMatchObject({ sense: "a", now: bench.clock.wallMs(), cause: null });
    bench.started(compute);
    bench.emits(compute, { n: 1 }, 7);
    expect(bench.emitted).toEqual([]);
    await bench.settle();
    expect(bench.emitted).toEqual([["a", { n: 1 }]]);
    expect(bench.child.of("ack")).toMatchObject([{ outbox: [{ sense: "a", upTo: 7 }] }]);
    expect(bench.engine.senses.get("a")).toMatchObject({ outbox: 7, flight: null, pending: null });
  });

  test("during a compute is missed and counted, and nothing overlaps", async () => {
    using bench = new EngineBench().load([sense("a", PLAIN)], [every("a")]);
    await bench.pass(SECOND);
    const compute = bench.only;
    bench.started(compute);
    await bench.pass(SECOND);
    expect([bench.names().length, bench.status("a").missed]).toEqual([1, 1]);
    bench.emits(compute, { n: 1 });
    await bench.pass(SECOND);
    expect(bench.names()).toEqual(["a"]);
  });

  test("that a throttle holds back is owed, and computed when its time is over", async () => {
    using bench = new EngineBench().load([sense("a", { group: "all", throttleMs: 2_500 })], [every("a")]);
    await bench.pass(SECOND);
    const first = bench.only;
    bench.started(first);
    bench.emits(first, { n: 1 });
    await bench.pass(SECOND);
    expect([bench.names(), bench.engine.senses.get("a")?.owed?.reason]).toEqual([[], "tick"]);
    await bench.pass(1_400);
    expect(bench.names()).toEqual([]);
    await bench.pass(200);
    expect(bench.names()).toEqual(["a"]);
  });
});

test("a throttle and a quarantine of an earlier boot end in their time, though the clock was set back since", async () => {
  using bench = new EngineBench();
  const since = { bootId: "an earlier one", bootMs: 1, wallMs: bench.clock.wallMs() + 3_600_000 };
  const { senses } = bench.store;
  const trace = "0".repeat(32);
  bench.store.commit(() => {
    senses.setStarted("a", since);
    senses.setOwed([{ sense: "a", owed: { reason: "manual", at: since.wallMs, cause: null, trace }, unanswered: [] }]);
    senses.setQuarantine("b", { since, forMs: 60_000 });
  });
  bench.load([sense("a", { group: "one", throttleMs: 30_000 }), sense("b", { group: "two", throttleMs: null })], []);
  const [one] = bench.children as [ScriptedChild];
  await bench.pass(29_000);
  expect(bench.names(one)).toEqual([]);
  await bench.pass(2_000);
  expect(bench.asked(one)).toMatchObject([{ sense: "a", trace }]);
  expect(bench.status("b").state).toBe("quarantined");
  await bench.pass(30_000);
  expect(bench.status("b").state).toBe("ok");
});

test("a throttle counts from when the compute is asked for, however long its commit was refused", async () => {
  using bench = new EngineBench().load([sense("a", { group: "all", throttleMs: 2_500 })], [every("a")]);
  await bench.settle();
  using other = new Database(bench.store.file);
  other.run("BEGIN IMMEDIATE");
  await bench.pass(SECOND);
  expect([bench.names(), bench.ledger.troubled]).toEqual([[], true]);
  await bench.pass(700);
  other.run("ROLLBACK");
  await bench.settle();
  const first = bench.only;
  bench.started(first);
  bench.emits(first, { n: 1 });
  const askedAt = bench.clock.monotonicMs();
  while (bench.names().length === 0) await bench.pass(100);
  expect(bench.clock.monotonicMs() - askedAt).toBe(2_500);
});

describe("a compute that leaves something unread", () => {
  const behind = (bench: EngineBench, compute: Message, forged: Readonly<Record<string, unknown>> = {}): void => {
    const { generation, id, sense: name } = compute;
    bench.child.says({ type: "behind", generation, id, sense: name, ...forged });
  };
  /** One compute of `a` is owed. */
  const owing = (senses: readonly SenseConfig[]): EngineBench => {
    const bench = new EngineBench();
    const owed = { reason: "manual", at: bench.clock.wallMs(), cause: null, trace: "0".repeat(32) } as const;
    bench.store.commit(() => bench.store.senses.setOwed([{ sense: "a", owed, unanswered: [] }]));
    return bench.load(senses, []);
  };
  const next = (bench: EngineBench): Message => {
    const compute = bench.only;
    bench.started(compute);
    return compute;
  };

  test("is followed by the next at once after a signal, within a second after none, and by none when all is read", async () => {
    using bench = owing([sense("a", PLAIN)]);
    await bench.settle();
    for (let nth = 1; nth <= 3; nth++) {
      const compute = next(bench);
      behind(bench, compute);
      bench.emits(compute, { nth });
      await bench.settle();
    }
    const silent = next(bench);
    behind(bench, silent);
    bench.says(silent, "no-signal", {});
    await bench.settle();
    expect([bench.names(), bench.engine.senses.get("a")?.owed?.reason]).toEqual([[], "watch"]);
    await bench.pass(SECOND);
    bench.says(next(bench), "no-signal", {});
    await bench.pass(60 * SECOND);
    expect([bench.names(), bench.engine.senses.get("a")?.owed ?? null]).toEqual([[], null]);
  });

  test("waits for its throttle, and one that failed left nothing", async () => {
    using bench = owing([sense("a", { group: "all", throttleMs: 5_000 })]);
    await bench.settle();
    const first = next(bench);
    behind(bench, first);
    bench.emits(first, { n: 1 });
    await bench.pass(4_900);
    expect(bench.names()).toEqual([]);
    await bench.pass(200);
    const failing = next(bench);
    behind(bench, failing);
    bench.fails(failing, "failed");
    await bench.pass(60 * SECOND);
    expect(bench.names()).toEqual([]);
  });

  test("is one that is under way: of another, the message changes nothing", async () => {
    using bench = owing([sense("a", PLAIN)]);
    await bench.settle();
    const compute = bench.only;
    behind(bench, compute);
    bench.started(compute);
    behind(bench, compute, { id: 99 });
    behind(bench, compute, { sense: "other" });
    behind(bench, compute, { generation: 99 });
    bench.emits(compute, { n: 1 });
    behind(bench, compute);
    await bench.pass(60 * SECOND);
    expect(bench.names()).toEqual([]);
  });
});

describe("a result", () => {
  test("of another generation, of no compute, or given twice changes nothing", async () => {
    using bench = new EngineBench().load([sense("a", PLAIN)], [every("a")]);
    await bench.pass(SECOND);
    const compute = bench.only;
    bench.emits({ ...compute, id: 99 }, { forged: 1 });
    bench.emits({ ...compute, generation: 99 }, { forged: 2 });
    bench.started({ ...compute, id: 98 });
    bench.emits(compute, { n: 1 });
    bench.emits(compute, { n: 2 });
    await bench.settle();
    expect(bench.emitted).toEqual([["a", { n: 1 }]]);
    expect(bench.said("worker.malformed")).toHaveLength(4);
  });

  test("left over by an earlier worker is taken once", async () => {
    using bench = new EngineBench().load([sense("a", PLAIN)], []);
    const row = { type: "signal", generation: 1, id: null, sense: "a", payload: { n: 1 }, more: [], durationMs: 0 };
    for (let times = 0; times < 2; times++) {
      bench.child.says({ ...row, outbox: 3, cause: null, trace: "0".repeat(32) });
      await bench.settle();
    }
    expect(bench.emitted).toEqual([["a", { n: 1 }]]);
    expect(bench.child.of("ack")).toHaveLength(2);
  });

  test("of 130 computes in one frame: one commit, ids in the order of the frame, and one acknowledgement of what was kept", async () => {
    const names = Array.from({ length: 130 }, (_, at) => `s${at}`);
    using bench = new EngineBench().load(
      names.map((name) => sense(name, PLAIN)),
      names.map(every),
    );
    await bench.pass(SECOND);
    const asked = bench.asked();
    const commits = (): number => bench.ledger.seconds.counts.counts.reduce((sum, count) => sum + count, 0);
    const before = commits();
    for (const [nth, compute] of asked.entries()) bench.emits(compute, { n: nth }, nth % 2 === 0 ? 1 : null);
    await bench.settle();
    expect(commits() - before).toBe(1);
    expect(bench.emitted.map(([, payload]) => payload)).toEqual(asked.map((_, nth) => ({ n: nth })));
    const stored = bench.store.signals.list(ALL_SIGNALS);
    expect(stored.map(({ id, sense: name }) => [id, name])).toEqual(
      asked.map((one, nth) => [nth + 1, String(one.sense)]),
    );
    expect(bench.child.of("ack").map(({ outbox }) => (outbox as unknown[]).length)).toEqual([65]);
  });

  test("that is null, or a number that is not finite, is refused by name, and the compute has failed", async () => {
    using bench = new EngineBench().load([sense("a", PLAIN)], [every("a")]);
    for (const payload of [null, Number.POSITIVE_INFINITY]) {
      await bench.pass(SECOND);
      bench.emits(bench.only, payload);
      await bench.settle();
    }
    expect([bench.emitted, bench.status("a").errors]).toEqual([[], 2]);
    expect(bench.said("compute.failed")).toEqual(["the worker sent the payload null"]);
  });

  test("of several signals is taken in its order, and the compute settles with the last", async () => {
    using bench = new EngineBench().load([sense("a", PLAIN), sense("b", PLAIN)], [every("a"), on("b", "a")]);
    await bench.pass(SECOND);
    const compute = bench.only;
    bench.started(compute);
    bench.emitsMany(compute, 250);
    await bench.settle();
    expect(bench.emitted).toEqual(Array.from({ length: 250 }, (_, nth) => ["a", { n: nth + 1 }]));
    expect(bench.child.of("ack")).toMatchObject([{ outbox: [{ sense: "a", upTo: 250 }] }]);
    expect(bench.status("a")).toMatchObject({ computes: 1 });
    const traces = Array.from({ length: 250 }, (_, nth) => bench.store.signals.byId(nth + 1)?.trace);
    expect(new Set(traces)).toEqual(new Set([compute.trace as string]));
    // The other sense computes for the first part, and is owed one more compute for the last signal.
    expect(bench.asked().map(({ sense: name, cause }) => [name, cause])).toEqual([["b", 100]]);
    expect(bench.engine.senses.get("b")?.owed?.cause).toBe(250);
  });

  test("of several signals is taken whole and once, whatever becomes of its worker meanwhile", async () => {
    using bench = new EngineBench().load([sense("a", PLAIN)], [every("a")]);
    await bench.pass(SECOND);
    const [compute, first] = [bench.only, bench.child];
    bench.started(compute);
    bench.emitsMany(compute, 250);
    bench.ledger.flush();
    expect(bench.emitted).toHaveLength(100);
    first.exits(null, "SIGKILL");
    // The next worker sends again what its kernel had not taken when it began.
    expect([bench.child === first, bench.outboxTaken]).toEqual([false, 100]);
    for (let row = 101; row <= 250; row++) bench.leaves(row);
    bench.allReady();
    await bench.settle();
    expect(bench.emitted).toEqual(Array.from({ length: 250 }, (_, nth) => ["a", { n: nth + 1 }]));
    expect(bench.status("a")).toMatchObject({ computes: 1, state: "ok" });
  });

  test("of several signals is committed to the last before a reload puts another sense in its place", async () => {
    using bench = new EngineBench().load([sense("a", PLAIN)], [every("a")]);
    await bench.pass(SECOND);
    const compute = bench.only;
    bench.started(compute);
    bench.emitsMany(compute, 450);
    await bench.replace([sense("a", { ...PLAIN, throttleMs: 1 })], [every("a")], ["all"]);
    expect(bench.emitted).toHaveLength(450);
    expect(bench.outboxTaken).toBe(450);
  });

  test("that cannot be a payload is a failed compute", async () => {
    using bench = new EngineBench().load([sense("a", PLAIN)], [every("a")]);
    await bench.pass(SECOND);
    const compute = bench.only;
    bench.started(compute);
    bench.emits(compute, { large: "x".repeat(70_000) });
    await bench.settle();
    expect(bench.said("compute.failed")).toEqual(["the worker sent a payload over 64 KiB"]);
    expect(bench.status("a")).toMatchObject({ state: "failing", errors: 1 });
  });
});

describe("an owed compute", () => {
  const both = (): EngineBench =>
    new EngineBench().load(
      [sense("a", { group: "one", throttleMs: null }), sense("b", { group: "two", throttleMs: null })],
      [every("a"), on("b", "a")],
    );

  test("is done again after its worker's death, and is owed no longer once it has settled", async () => {
    using bench = both();
    const [one, two] = bench.children as [ScriptedChild, ScriptedChild];
    await bench.pass(SECOND);
    const [tick] = bench.asked(one) as [Message];
    bench.started(tick, one);
    bench.emits(tick, { n: 1 }, null, one);
    await bench.settle();
    const [first] = bench.asked(two) as [Message];
    expect(first.cause).toBe(1);
    bench.started(first, two);
    two.exits(1);
    bench.allReady();
    await bench.settle();
    const [again] = bench.asked() as [Message];
    expect([again.cause, again.trace, again.id === first.id]).toEqual([1, first.trace, false]);
    bench.started(again);
    bench.says(again, "no-signal", {});
    await bench.settle();
    expect(bench.engine.senses.get("b")?.owed).toBeNull();
    expect(bench.store.senses.all().find(({ sense: name }) => name === "b")?.owed ?? null).toBeNull();
  });

  test("that a signal leads to during a compute is one more after it", async () => {
    using bench = both();
    const [one, two] = bench.children as [ScriptedChild, ScriptedChild];
    for (let round = 1; round <= 2; round++) {
      await bench.pass(SECOND);
      const [tick] = bench.asked(one) as [Message];
      bench.started(tick, one);
      bench.emits(tick, { round }, null, one);
      await bench.settle();
    }
    const [first, ...more] = bench.asked(two) as [Message, ...Message[]];
    expect([first.cause, more]).toEqual([1, []]);
    bench.started(first, two);
    bench.says(first, "no-signal", {}, two);
    await bench.settle();
    expect(bench.asked(two).map(({ cause }) => cause)).toEqual([2]);
  });
});

describe("blame", () => {
  const three = (): EngineBench =>
    new EngineBench().load(
      ["bad", "left", "right"].map((name) => sense(name, PLAIN)),
      ["bad", "left", "right"].map(every),
    );

  test("falls on the one that dies alone: it is quarantined after three deaths, and no neighbour gets a strike", async () => {
    using bench = three();
    for (let turn = 0; turn < 60 && bench.status("bad").state !== "quarantined"; turn++) {
      await bench.pass(SECOND);
      bench.allReady();
      await bench.settle();
      const asked = bench.asked();
      if (asked.some((compute) => compute.sense === "bad")) bench.dies(...asked);
      else {
        for (const compute of asked) {
          bench.started(compute);
          bench.emits(compute, { fine: true });
        }
      }
      await bench.settle();
    }
    expect(bench.status("bad").state).toBe("quarantined");
    const strikes = bench.lines.filter(({ event }) => event === "compute.killed");
    expect(strikes.map(({ source, data }) => [source, (data as { strikes: number }).strikes])).toEqual([
      ["sense:bad", 1],
      ["sense:bad", 2],
      ["sense:bad", 3],
    ]);
    expect([bench.status("left").state, bench.status("right").state]).toEqual(["ok", "ok"]);
    await bench.pass(61 * SECOND);
    expect(bench.said("sense.released")).toHaveLength(1);
  });

  test("a compute that its worker cannot report as late is logged at its timeout, once", async () => {
    using bench = three();
    await bench.pass(SECOND);
    const [bad] = bench.asked().filter((compute) => compute.sense === "bad") as [Message];
    bench.started(bad);
    await bench.pass(TIMEOUT_MS + 300);
    expect(bench.said("compute.timed-out")).toEqual(["the compute passed its timeout of 2s and has not ended"]);
    bench.fails(bad, "timed-out");
    await bench.settle();
    expect([bench.said("compute.timed-out").length, bench.status("bad").timeouts]).toEqual([1, 1]);
  });

  test("while a killed worker is not gone its senses are stale, and the reason names who it waits for", async () => {
    using bench = three();
    await bench.pass(SECOND);
    bench.child.isMortal = false;
    const [bad] = bench.asked().filter((compute) => compute.sense === "bad") as [Message];
    bench.started(bad);
    await bench.pass(TIMEOUT_MS + GRACE_MS + 5_000);
    const reason =
      'the worker of its group all was killed and is not gone: sense "bad": it had not settled at its hard limit, 2s timeout and 1s grace period';
    expect(["bad", "left"].map((name) => bench.status(name))).toMatchObject([
      { state: "stale", reason, timeouts: 1 },
      { state: "stale", reason },
    ]);
  });

  test("a timeout that only a pause of everything made is none: the sense computes again", async () => {
    using bench = new EngineBench().load([sense("a", PLAIN)], [every("a")]);
    await bench.pass(SECOND);
    const compute = bench.only;
    bench.started(compute);
    await bench.pass(500);
    bench.clock.freeze(30 * SECOND);
    bench.fails(compute, "timed-out");
    await bench.pass(0);
    expect([bench.lines.filter(({ level }) => level !== "info"), bench.status("a").timeouts]).toEqual([[], 0]);
    expect(bench.names()).toEqual(["a"]);
  });
});

describe("what a worker only notes of its computes", () => {
  const COUNT = 201;
  const SPINNER = "s150";

  class NotingBench extends EngineBench {
    constructor() {
      super();
      const names = Array.from({ length: COUNT }, (_, at) => `s${at}`);
      this.load(
        names.map((name) => sense(name, PLAIN)),
        names.map(every),
      );
    }

    /** The place of `name`, as `init` has it. */
    placeOf(name: string): number {
      const [init] = this.child.of("init");
      return ((init?.senses ?? []) as { name: string }[]).findIndex((entry) => entry.name === name);
    }

    notes(name: string, id: number, isOver = false): void {
      const { clock } = this;
      const since = clock.monotonicMs();
      this.child.noted.set(this.placeOf(name), {
        id,
        isOver,
        get forMs() {
          return clock.monotonicMs() - since;
        },
      });
    }

    /** One turn of the worker: those before the spinner settle, the spinner is entered and never left. */
    async spins(): Promise<void> {
      await this.pass(SECOND);
      const asked = this.asked();
      expect(asked).toHaveLength(COUNT);
      for (const compute of asked) {
        if (compute.sense === SPINNER) break;
        this.emits(compute, { n: 1 });
      }
      await this.settle();
      this.notes(SPINNER, asked.find((compute) => compute.sense === SPINNER)?.id as number);
    }

    get blamed() {
      return this.lines.filter(({ event }) => event === "compute.killed").map(({ source }) => source);
    }
  }

  test("a spinner among 200 neighbours of one turn is late and killed at its limits, and blamed alone", async () => {
    using bench = new NotingBench();
    await bench.spins();
    await bench.pass(TIMEOUT_MS + 250);
    expect([bench.child.kills, bench.said("compute.timed-out").length]).toEqual([0, 1]);
    await bench.pass(GRACE_MS - 251);
    expect(bench.child.kills).toBe(0);
    await bench.pass(1);
    expect(bench.said("worker.exited")).toEqual([
      `the worker of group "all" died: sense "${SPINNER}": it had not settled at its hard limit, 2s timeout and 1s grace period`,
    ]);
    expect(bench.blamed).toEqual([`sense:${SPINNER}`]);
  });

  test("its worker dies in it: it is blamed alone, and the neighbours that had not begun compute again", async () => {
    using bench = new NotingBench();
    await bench.spins();
    const { child } = bench;
    child.exits(null, "SIGSEGV");
    await bench.settle();
    expect(bench.blamed).toEqual([`sense:${SPINNER}`]);
    bench.allReady();
    await bench.settle();
    expect(bench.child).not.toBe(child);
    expect(bench.names()).toContain("s200");
  });

  test("a worker dies with results that had not left and nothing under way: their senses run again one at a time", async () => {
    using bench = new NotingBench();
    await bench.pass(SECOND);
    for (const compute of bench.asked().slice(0, 3)) bench.notes(String(compute.sense), compute.id as number, true);
    bench.child.exits(null, "SIGKILL");
    await bench.settle();
    expect(bench.said("worker.exited")).toEqual([
      'the worker of group "all" died: killed by SIGKILL; under way were s0, s1, s2, which are run again one at a time',
    ]);
  });

  test("a channel breaks: whoever was under way and whoever had results that had not left are suspects", async () => {
    using bench = new NotingBench();
    await bench.spins();
    for (const compute of bench.asked().slice(1, 3)) bench.notes(String(compute.sense), compute.id as number, true);
    bench.child.exits(null, "SIGKILL", true);
    await bench.settle();
    expect(bench.said("worker.exited")).toEqual([
      'the worker of group "all" died: its channel broke; under way were s150, s151, s152, which are run again one at a time',
    ]);
  });

  test("results that had not left make nobody a suspect beside a compute that was under way", async () => {
    using bench = new NotingBench();
    await bench.spins();
    for (const compute of bench.asked().slice(1, 4)) bench.notes(String(compute.sense), compute.id as number, true);
    bench.child.exits(null, "SIGSEGV");
    await bench.settle();
    expect(bench.blamed).toEqual([`sense:${SPINNER}`]);
  });

  test("who is said to have started as well is under way once, and is not malformed", async () => {
    using bench = new NotingBench();
    await bench.spins();
    const [spinner] = bench.asked() as [Message];
    await bench.pass(TIMEOUT_MS + 250);
    bench.started(spinner);
    bench.emits(spinner, { n: 1 });
    await bench.settle();
    bench.child.exits(null, "SIGSEGV");
    await bench.settle();
    expect([bench.said("worker.malformed"), bench.blamed]).toEqual([[], []]);
  });

  test("a forged or stale note counts for nothing", async () => {
    using bench = new NotingBench();
    await bench.spins();
    bench.child.noted.clear();
    for (const [name, id] of [
      [SPINNER, 999_999],
      ["s0", 1],
      ["s199", Number.NaN],
      ["s160", -1],
    ] as const)
      bench.notes(name, id);
    bench.child.exits(null, "SIGSEGV");
    await bench.settle();
    expect([bench.blamed, bench.said("worker.exited")]).toEqual([
      [],
      ['the worker of group "all" died: killed by SIGSEGV'],
    ]);
  });

  for (const forMs of [Number.NaN, Number.NEGATIVE_INFINITY, 1e300, Number.POSITIVE_INFINITY]) {
    test(`a limit does not count from before the compute was sent, whatever time is noted (${forMs} ms)`, async () => {
      using bench = new NotingBench();
      await bench.spins();
      const place = bench.placeOf(SPINNER);
      bench.child.noted.set(place, { id: bench.child.noted.get(place)?.id as number, isOver: false, forMs });
      await bench.pass(TIMEOUT_MS);
      expect([bench.child.kills, bench.said("compute.timed-out")]).toEqual([0, []]);
      // A time of which nothing is known counts from the look that found the note.
      await bench.pass(250 + TIMEOUT_MS + GRACE_MS);
      expect(bench.blamed).toEqual([`sense:${SPINNER}`]);
    });
  }

  test("a pause of everything takes nothing off a compute that is noted", async () => {
    using bench = new NotingBench();
    await bench.spins();
    await bench.pass(500);
    bench.clock.freeze(30 * SECOND);
    await bench.pass(TIMEOUT_MS);
    expect([bench.child.kills, bench.said("compute.timed-out")]).toEqual([0, []]);
  });
});

describe("a reload", () => {
  test("leaves the senses of other groups as they are, worker and all", async () => {
    const first = [sense("a", { group: "one", throttleMs: null }), sense("b", { group: "two", throttleMs: null })];
    using bench = new EngineBench().load(first, []);
    const before = bench.engine.senses.get("a");
    await bench.replace([...first, sense("c", { group: "two", throttleMs: null })], [], ["two"]);
    expect([...bench.engine.senses.keys()]).toEqual(["a", "b", "c"]);
    expect(bench.engine.senses.get("a")).toBe(before as NonNullable<typeof before>);
    expect(bench.children.map(({ isGone }) => isGone)).toEqual([false, true, false]);
    expect(bench.children[0]?.of("peers")).toHaveLength(1);
  });

  test("of a group whose worker is stuck does not wait for it; the next worker starts once it is gone", async () => {
    const all = [sense("a", PLAIN)];
    using bench = new EngineBench().load(all, [every("a")]);
    await bench.pass(SECOND);
    bench.child.isMortal = false;
    bench.started(bench.only);
    await bench.pass(TIMEOUT_MS + GRACE_MS + 5_000);
    expect(bench.status("a").state).toBe("stale");
    await bench.replace(all, [every("a")], ["all"]);
    expect([bench.children.length, bench.status("a").state]).toEqual([1, "stale"]);
    bench.child.exits(null, "SIGKILL");
    bench.allReady();
    await bench.pass(SECOND);
    expect([bench.children.length, bench.names()]).toEqual([2, ["a"]]);
  });

  test("gives a sense that was away what the store knows of it: its outbox, and that it is disabled", async () => {
    const both = [sense("a", PLAIN), sense("b", PLAIN)];
    using bench = new EngineBench().load(both, [every("a")]);
    await bench.pass(SECOND);
    bench.started(bench.only);
    bench.emits(bench.only, { n: 1 }, 5);
    await bench.engine.requests.switch("sense:a", false);
    await bench.settle();
    await bench.replace([sense("b", PLAIN)], [], ["all"]);
    expect([...bench.engine.senses.keys()]).toEqual(["b"]);
    await bench.replace(both, [], ["all"]);
    expect(bench.engine.senses.get("a")).toMatchObject({ outbox: 5, state: "disabled" });
    const [init] = bench.child.of("init");
    expect(init?.senses).toMatchObject([{ name: "a", outboxTaken: 5 }, { name: "b" }]);
  });
});
