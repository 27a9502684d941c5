/** When a sense that watches the kernel is woken: an engine on a clock driven by hand, with scripted workers. */
import { expect, test } from "bun:test";
import { parseNerveConfig } from "../../src/config/parse.ts";
import { Engine } from "../../src/kernel/engine.ts";
import { Lifetime } from "../../src/kernel/time/lifetime.ts";
import type { PathNews, PathWatch, WatchedPath, WatchLimit } from "../../src/kernel/world.ts";
import { KernelBench, type Message, type ScriptedChild } from "../helpers/kernel-bench.ts";
import { failedWith } from "../helpers/runs-bench.ts";

const CONFIG = `senses:
  self: { use: nerve, group: watch }
  rollup: { throttle: 1s, group: watch }
  other: { timeout: 1s }
reflexes:
  - { name: bell, sense: self, watch: true }
  - { sense: rollup, on: [self] }
  - { sense: other, interval: 7d }
  - { workflow: flow, on: [self] }
workflows: { flow: { use: exec, with: { command: ["true"] } } }
`;

class ScriptedPaths implements PathWatch {
  watched: readonly WatchedPath[] = [];
  limits: WatchLimit[] = [];
  readonly #changed = new Set<string>();

  watch(paths: readonly WatchedPath[]): void {
    this.watched = paths;
  }

  changes(id: string): void {
    this.#changed.add(id);
  }

  news(): PathNews {
    const news = { changed: new Set(this.#changed), limits: this.limits };
    this.#changed.clear();
    return news;
  }

  journalFolders(): readonly string[] {
    return ["/var/log/journal/1"];
  }

  stop(): void {
    this.watched = [];
  }
}

/** A kernel without its daemon; every worker loads, and answers what it is asked at once. */
class BellBench extends KernelBench {
  readonly engine: Engine;
  readonly #answered = new Set<Message>();
  readonly #watching: boolean;
  /** Senses whose next computes fail. */
  readonly failing = new Set<string>();
  #seq = 0;

  /** What the kernel is to hear of the paths it watches. */
  readonly paths = new ScriptedPaths();

  constructor({ watching = true, config = CONFIG } = {}) {
    super();
    this.#watching = watching;
    const { world, ticker, ledger, journal, store, paths } = this;
    this.engine = new Engine({
      world: { ...world, watchPaths: () => paths },
      ticker,
      ledger,
      journal,
      store,
      space: { low: false },
      data: this.folder.path,
      command: () => ({ command: ["test"], env: {}, cwd: "/" }),
      lifetime: new Lifetime(this.clock, store.meta),
      onSignal: () => {},
    });
    const parsed = parseNerveConfig(config);
    if (!parsed.ok) throw new Error(parsed.error.map(({ message }) => message).join("; "));
    const location = { ok: true, value: { folder: "/nowhere", print: "" } } as const;
    const senses = new Map([...parsed.value.senses.keys()].map((name) => [name, location] as const));
    this.engine.load(parsed.value, { senses, workflows: new Map([["flow", location]]) });
  }

  /** Signals and failures of the sense, as the kernel has counted them. */
  computes(sense: string): number {
    return this.engine.senses.get(sense)?.stats.computes ?? 0;
  }

  /** Time passes; every worker answers meanwhile. */
  async lets(ms: number): Promise<void> {
    for (let left = ms; left > 0; left -= 250) {
      await this.pass(250);
      for (const child of this.children) this.#answer(child);
      await this.settle();
    }
  }

  #answer(child: ScriptedChild): void {
    for (const message of child.sent.filter((one) => !this.#answered.has(one))) {
      this.#answered.add(message);
      const { generation } = message;
      if (message.type === "init") this.#load(child, message);
      if (message.type === "compute") this.#compute(child, message);
      if (message.type !== "run") continue;
      child.says({ type: "started", generation, run: message.run });
      child.says({ ...failedWith("Error: no"), generation, run: message.run, seq: ++this.#seq });
    }
  }

  #load(child: ScriptedChild, { generation, senses }: Message): void {
    if (senses === undefined) {
      return child.says({ type: "started", generation, run: null }, { type: "ready", generation, problem: null });
    }
    const seats = (senses as { name: string }[]).map(({ name }) => {
      const watch = this.#watchOf(name);
      return { sense: name, problem: null, applied: [], watch, taken: [], patterns: [], series: null, fault: null };
    });
    child.says({ type: "ready", generation, senses: seats });
  }

  #compute(child: ScriptedChild, { generation, id, sense, cause, trace }: Message): void {
    const head = { generation, id, sense, durationMs: 1 };
    child.says({ type: "started", generation, id, sense });
    if (this.failing.has(String(sense)))
      child.says({ type: "error", ...head, kind: "failed", message: "no", stack: null });
    else child.says({ type: "signal", ...head, payload: 1, outbox: null, more: [], cause, trace });
  }

  #watchOf(name: string) {
    if (name === "tail") return [{ kind: "file", path: "/var/log/x", match: null }];
    return name === "self" && this.#watching ? [{ kind: "kernel", path: null, match: null }] : [];
  }

  async runs(): Promise<void> {
    await Promise.all([this.engine.workflows.byHand.run("flow", null), this.settle()]);
  }
}

test("the sense is woken once at the start, and within a second of a run that ends badly", async () => {
  using bench = new BellBench();
  await bench.lets(5_000);
  expect(bench.computes("self")).toBe(1);
  await bench.runs();
  await bench.lets(1_500);
  expect(bench.computes("self")).toBe(2);
});

test("a run that the signal of the sense itself started wakes nobody, whatever lies between them", async () => {
  using bench = new BellBench();
  await bench.lets(60_000);
  // At each signal a run failed, and the sense `rollup` computed.
  expect([bench.computes("self"), bench.computes("rollup"), bench.engine.workflows.endings.newest.length]).toEqual([
    1, 1, 1,
  ]);
  bench.failing.add("rollup");
  await bench.runs();
  await bench.lets(60_000);
  expect([bench.computes("self"), bench.engine.workflows.endings.newest.length]).toEqual([2, 3]);
});

test("a sense that begins to fail, and one that is well again, wake it", async () => {
  using bench = new BellBench();
  await bench.lets(5_000);
  bench.failing.add("other");
  bench.engine.requests.trigger("other");
  await bench.lets(2_000);
  expect(bench.computes("self")).toBe(2);
  bench.failing.clear();
  bench.engine.requests.trigger("other");
  await bench.lets(2_000);
  expect(bench.computes("self")).toBe(3);
});

test("a hundred runs that fail one after the other wake it once a second at most", async () => {
  using bench = new BellBench();
  await bench.lets(5_000);
  for (let n = 0; n < 100; n++) await bench.runs();
  await bench.lets(60_000);
  const woken = bench.computes("self") - 1;
  expect(bench.engine.workflows.endings.count).toBe(100);
  // The worker ends one run in 250 ms; the bell rings once a second.
  expect(woken).toBeGreaterThan(0);
  expect(woken).toBeLessThan(30);
});

test("a compute that failed has not seen what rang: the bell rings again", async () => {
  using bench = new BellBench();
  await bench.lets(5_000);
  bench.failing.add("self");
  await bench.runs();
  await bench.lets(2_000);
  expect(bench.computes("self")).toBe(2);
  bench.failing.clear();
  await bench.lets(11_000);
  expect([bench.computes("self"), bench.store.signals.lastId()]).toEqual([3, 4]);
});

test("a disabled sense hears the bell when it is enabled again", async () => {
  using bench = new BellBench();
  await bench.lets(5_000);
  bench.engine.requests.switch("self", false);
  await bench.runs();
  await bench.lets(5_000);
  expect(bench.computes("self")).toBe(1);
  bench.engine.requests.switch("self", true);
  await bench.lets(2_000);
  expect(bench.computes("self")).toBe(2);
});

test("a sense whose module exports no `watch` is named once, and is not woken", async () => {
  using bench = new BellBench({ watching: false });
  await bench.lets(10_000);
  expect(bench.computes("self")).toBe(0);
  expect(bench.said("reflex.watches-nothing")).toEqual([
    "`watch: true` wakes nothing: the module of the sense `self` exports no `watch`",
  ]);
});

const TAIL = (more = "") => `senses: { tail: { use: exec${more} } }
reflexes: [{ name: lines, sense: tail, watch: true }]
`;

test("a path that the module of a sense names is watched, and a change computes: at once, then once a second", async () => {
  using bench = new BellBench({ config: TAIL() });
  await bench.lets(2_000);
  expect(bench.paths.watched).toEqual([{ id: "lines", path: "/var/log/x", match: null }]);
  bench.paths.changes("lines");
  await bench.lets(750);
  expect(bench.computes("tail")).toBe(1);
  for (let changes = 0; changes < 40; changes++) {
    bench.paths.changes("lines");
    await bench.lets(250);
  }
  // Forty changes within ten seconds.
  expect(bench.computes("tail")).toBe(11);
  bench.paths.changes("lines");
  await bench.lets(2_000);
  expect(bench.computes("tail")).toBe(12);
});

test("a sense with a throttle computes for what it watches as often as its throttle lets it", async () => {
  using bench = new BellBench({ config: TAIL(", throttle: 500ms") });
  await bench.lets(2_000);
  for (let changes = 0; changes < 40; changes++) {
    bench.paths.changes("lines");
    await bench.lets(250);
  }
  expect(bench.computes("tail")).toBeGreaterThan(15);
  expect(bench.computes("tail")).toBeLessThanOrEqual(21);
});

test("where a module names a path and the reflex has no interval, one of a minute finds what nobody saw", async () => {
  using bench = new BellBench({ config: TAIL() });
  bench.paths.changes("lines");
  await bench.lets(2_000);
  expect(bench.computes("tail")).toBe(1);
  const wakesInMs = bench.engine.watches.wakesInMs("lines");
  expect(wakesInMs).toBeGreaterThan(55_000);
  expect(wakesInMs).toBeLessThan(60_000);
  expect(bench.engine.watches.wakesInMs("no-such-reflex")).toBeNull();
  await bench.lets(180_000);
  expect(bench.computes("tail")).toBe(4);
});

test("a change for a disabled sense waits, and what cannot be watched is said once", async () => {
  using bench = new BellBench({ config: TAIL() });
  await bench.lets(2_000);
  await Promise.all([bench.engine.requests.switch("sense:tail", false), bench.settle()]);
  bench.paths.limits = [{ id: "tail#1", text: "/var/log/x: it cannot be seen" }];
  bench.paths.changes("lines");
  await bench.lets(5_000);
  expect(bench.computes("tail")).toBe(0);
  await Promise.all([bench.engine.requests.switch("sense:tail", true), bench.settle()]);
  await bench.lets(1_000);
  expect(bench.computes("tail")).toBe(1);
  expect(bench.lines.filter(({ event }) => event === "watch.limited")).toMatchObject([{ data: { reflex: "tail#1" } }]);
});
