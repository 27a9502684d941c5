/**
 * Who is let in, who waits and who is dropped, against a model of it: the real runs on a real store with a real worker, which
 * ends a run when the test says so. `concurrency` is never passed, nobody is lost, and the order is that of the ids.
 */

import { expect, test } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { systemClock } from "../../../src/base/clock.ts";
import { Journal } from "../../../src/kernel/commits/journal.ts";
import { Ledger } from "../../../src/kernel/commits/ledger.ts";
import { Workflows } from "../../../src/kernel/runs/workflows.ts";
import { Lifetime } from "../../../src/kernel/time/lifetime.ts";
import { Ticker } from "../../../src/kernel/time/ticker.ts";
import type { NerveConfig } from "../../../src/model/config.ts";
import { isOver, type Run } from "../../../src/model/run.ts";
import { spellDecision } from "../../../src/model/run-decision.ts";
import type { Locations } from "../../../src/spawn/modules-on-disk.ts";
import { ownCommand, WORKFLOW_WORKER_ROLE } from "../../../src/spawn/own-image.ts";
import { openStore, type Store } from "../../../src/store/open.ts";
import { type Limits, workflowConfig } from "../../helpers/config.ts";
import { randomNumbers } from "../../helpers/crash.ts";
import { type Folder, temporaryFolder } from "../../helpers/folder.ts";
import { until } from "../../helpers/until.ts";
import { REAL_ALARM, worldAt } from "../../helpers/world.ts";

const GATED = (folder: string): string => `
import { existsSync } from "node:fs";
export const run = async (thread, { signal }) => {
  while (!existsSync(${JSON.stringify(folder)} + "/go-" + thread.trigger.payload)) {
    signal.throwIfAborted();
    await Bun.sleep(1);
  }
};
`;

class Bench implements AsyncDisposable {
  readonly folder: Folder = temporaryFolder();
  readonly store: Store;
  readonly ledger: Ledger;
  readonly ticker: Ticker;
  readonly #journal: Journal;
  readonly #clock = systemClock();
  #generation = 0;
  workflows: Workflows;

  constructor(limits: Limits) {
    const code = this.folder.file("workflows/gated");
    mkdirSync(code, { recursive: true });
    mkdirSync(this.folder.file("data"), { recursive: true });
    writeFileSync(`${code}/index.ts`, GATED(this.folder.path));
    const opened = openStore(this.folder.file("data"), "normal", this.#clock.bootId, this.#clock.wallMs());
    if (!opened.ok) throw new Error(opened.error.message);
    this.store = opened.value;
    this.ledger = new Ledger(this.store, worldAt(this.#clock), { trouble: () => {} });
    this.ticker = new Ticker(this.#clock, () => {}, REAL_ALARM);
    this.ticker.start();
    this.#journal = new Journal(this.ledger, { write: () => {} }, this.#clock.wallMs);
    this.workflows = this.load(limits);
  }

  config(limits: Limits | null): NerveConfig {
    const workflows = new Map(limits === null ? [] : [["gated", workflowConfig("gated", limits)]]);
    return {
      file: this.folder.file("nerve.yaml"),
      host: "here",
      workflows,
      channels: new Map(),
    } as Partial<NerveConfig> as NerveConfig;
  }

  locations(limits: Limits | null): Locations {
    const value = { folder: this.folder.file("workflows/gated"), print: "print" };
    return new Map(limits === null ? [] : [["gated", { ok: true, value }]]);
  }

  load(limits: Limits): Workflows {
    const { store, ledger, ticker } = this;
    const workflows = new Workflows({
      world: worldAt(this.#clock),
      ticker,
      journal: this.#journal,
      nextGeneration: () => ++this.#generation,
      ledger,
      lifetime: new Lifetime(this.#clock, store.meta),
      store,
      isHeld: () => false,
      command: () => ({
        command: ownCommand(WORKFLOW_WORKER_ROLE),
        env: { PATH: process.env.PATH ?? "" },
        cwd: this.folder.path,
      }),
      peers: () => [],
      blobs: this.folder.file("blobs"),
      lockOf: (workflow) => this.folder.file(`${workflow}.lock`),
      isWatcher: (sense) => sense === "nerve",
      hasRoom: () => {},
    });
    workflows.load(this.config(limits), this.locations(limits));
    return workflows;
  }

  /** As a kernel that ends and one that begins. */
  async restart(limits: Limits): Promise<void> {
    await this.workflows.stop();
    await this.ledger.committed();
    this.workflows = this.load(limits);
  }

  rows(): Run[] {
    const rows: Run[] = [];
    for (let id = 1; id <= this.store.runs.lastId(); id++) {
      const row = this.store.runs.byId(id);
      if (row !== null) rows.push(row);
    }
    return rows;
  }

  /** As a signal does it: inside somebody's transaction. */
  bySignal(payload: number): void {
    this.ledger.write((draft) => {
      const trigger = {
        id: payload,
        sense: "ask",
        at: 1,
        reflex: "follow",
        key: null,
        isElement: false,
        due: null,
        incident: null,
      };
      const decision = spellDecision({ kind: "signal", signal: payload, key: null });
      this.workflows.start(draft, "gated", { input: payload, trigger, decision }, "0".repeat(32));
    });
  }

  finish(payload: number): void {
    writeFileSync(this.folder.file(`go-${payload}`), "");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.workflows.killAll("the test is over");
    await this.workflows.stop();
    await this.ledger.committed();
    this.ticker.stop();
    this.store.close();
    this.folder[Symbol.dispose]();
  }
}

/** What should be: payloads are the numbers of the requests, in order. */
class Model {
  readonly running: number[] = [];
  readonly queued: number[] = [];
  readonly over = new Map<number, string>();
  constructor(readonly limits: Limits) {}

  request(payload: number): void {
    const { concurrency, maxQueue } = this.limits;
    if (this.running.length < concurrency && this.queued.length === 0) this.running.push(payload);
    else if (maxQueue !== "drop" && this.queued.length < maxQueue) this.queued.push(payload);
    else this.over.set(payload, "dropped");
  }

  ends(payload: number, how: "completed" | "cancelled"): void {
    this.over.set(payload, how);
    for (const list of [this.running, this.queued]) {
      const index = list.indexOf(payload);
      if (index >= 0) list.splice(index, 1);
    }
    while (this.running.length < this.limits.concurrency && this.queued.length > 0) {
      this.running.push(this.queued.shift() as number);
    }
  }

  get states(): Record<number, string> {
    const states = Object.fromEntries(this.over);
    for (const payload of this.running) states[payload] = "running";
    for (const payload of this.queued) states[payload] = "queued";
    return states;
  }
}

const statesOf = (rows: readonly Run[]): Record<number, string> =>
  Object.fromEntries(rows.map(({ input, state }) => [Number(input), state]));

/** Of the logs: at most so many ran at once, and in which order they began. */
function historyOf(store: Store): { most: number; started: number[] } {
  const running = new Set<number>();
  const started: number[] = [];
  let most = 0;
  for (const { run, event } of store.history.scan(0)) {
    if (run === null) continue;
    if (event === "run.started") started.push(run);
    if (event === "run.started") running.add(run);
    if (["run.completed", "run.cancelled"].includes(event)) running.delete(run);
    most = Math.max(most, running.size);
  }
  return { most, started };
}

const SEED = Number(process.env.NERVE_SEED ?? 7);

test.each<Limits>([
  { concurrency: 1, maxQueue: 3 },
  { concurrency: 3, maxQueue: 2 },
  { concurrency: 2, maxQueue: 0 },
  { concurrency: 2, maxQueue: "drop" },
])(
  "whatever is asked, $concurrency run and $maxQueue wait",
  async (limits) => {
    await using bench = new Bench(limits);
    const model = new Model(limits);
    const random = randomNumbers(SEED);
    const agrees = () =>
      until("the rows are in the states of the model", () => Bun.deepEquals(statesOf(bench.rows()), model.states));
    let requests = 0;
    const pick = (of: readonly number[]): number | undefined => of[Math.floor(random() * of.length)];
    for (let command = 0; command < 120; command++) {
      const chance = random();
      const victim = pick(chance < 0.7 ? model.running : [...model.running, ...model.queued]);
      if (chance < 0.45 || victim === undefined) {
        // Several at once are one transaction.
        const together = 1 + Math.floor(random() * 3);
        for (let n = 0; n < together; n++) {
          const payload = ++requests;
          model.request(payload);
          if (random() < 0.5) bench.bySignal(payload);
          else void bench.workflows.byHand.run("gated", payload);
        }
      } else if (chance < 0.7) {
        bench.finish(victim);
        model.ends(victim, "completed");
      } else if (chance < 0.95) {
        const run = bench.rows().find(({ input }) => Number(input) === victim)?.id ?? 0;
        expect((await bench.workflows.byHand.cancel(run)).ok).toBe(true);
        model.ends(victim, "cancelled");
      } else {
        await bench.restart(limits);
      }
      await agrees();
      // The slot of one that was cancelled is free once its code has settled.
      await until(
        "the runs of the model run",
        () => bench.workflows.byName.get("gated")?.counts.running === model.running.length,
      );
      const rows = bench.rows();
      expect(rows.map(({ input }) => Number(input))).toEqual(rows.map((_, index) => index + 1));
    }
    const { most, started } = historyOf(bench.store);
    expect(most).toBe(limits.concurrency);
    expect(started).toEqual([...started].sort((a, b) => a - b));
    const rows = bench.rows();
    expect(rows.length).toBe(requests);
    const dropped = rows.filter(({ state }) => state === "dropped");
    expect(dropped.every(({ started_at, attempt }) => started_at === null && attempt === 0)).toBe(true);
    expect(dropped.length).toBeGreaterThan(0);
  },
  60_000,
);

test("a run asked for while its workflow is being removed is cancelled, not forgotten", async () => {
  const limits: Limits = { concurrency: 1, maxQueue: 10 };
  await using bench = new Bench(limits);
  const byHand = bench.workflows.byHand.run("gated", 1);
  const waiting = bench.workflows.byHand.run("gated", 2);
  bench.bySignal(3);
  bench.workflows.replace(bench.config(null), bench.locations(null), new Set());
  expect([(await byHand).ok, (await waiting).ok]).toEqual([true, true]);
  await until("every run is over", () => bench.rows().every(({ state }) => isOver(state)));
  // What a reflex decides is decided at the commit: there was no such workflow any more.
  expect(bench.rows().map(({ input, state, error }) => [input, state, error])).toEqual([
    ["1", "cancelled", "its workflow is no longer configured"],
    ["2", "cancelled", "its workflow is no longer configured"],
  ]);
});
