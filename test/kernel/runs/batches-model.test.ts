/**
 * Random decisions, with kernels that are killed behind any commit, downtime, cancels and reloads: no run is lost, none joins
 * twice, and each decision is in exactly one `trigger.batch`, or is counted in the `more` of one.
 */
import { expect, test } from "bun:test";
import type { BatchItem } from "../../../src/model/batch.ts";
import { checkStore } from "../../../src/store/rebuild-store.ts";
import { randomNumbers } from "../../helpers/crash.ts";
import type { ScriptedChild } from "../../helpers/kernel-bench.ts";
import { COMPLETED, failedWith, RunsBench, suspendedFor } from "../../helpers/runs-bench.ts";

const SEED = Number(process.env.NERVE_FUZZ_SEED ?? Date.now() % 1_000_000_000);
const CASES = Number(process.env.NERVE_FUZZ ?? 12);
const OPERATIONS = 60;
const WAIT = 5_000;

const FLOW = { concurrency: 2, batch: { waitMs: WAIT, by: "group" } } as const;

/** What a scripted worker has been given and has begun. */
class Worker {
  readonly begun = new Set<number>();
  isReady = false;
  constructor(readonly child: ScriptedChild) {}
}

class Case extends RunsBench {
  readonly #below: (n: number) => number;
  readonly #workers = new WeakMap<ScriptedChild, Worker>();
  decided = 0;

  constructor(seed: number) {
    super(FLOW);
    const random = randomNumbers(seed);
    this.#below = (n) => Math.floor(random() * n);
  }

  /** The newest worker does what it is asked for. `mayDawdle`: not all of it. */
  async serve(mayDawdle: boolean): Promise<void> {
    if (this.children.length === 0 || this.child.isGone) return;
    const { child } = this;
    const worker = this.#workers.get(child) ?? new Worker(child);
    this.#workers.set(child, worker);
    if (!worker.isReady) {
      worker.isReady = true;
      return this.ready();
    }
    if (child.of("shutdown").length > 0) return this.leave();
    for (const message of child.of("run")) {
      const run = Number(message.run);
      if (worker.begun.has(run) || (mayDawdle && this.#below(3) === 0)) continue;
      worker.begun.add(run);
      await this.begins(run);
      if (child.isGone || this.row(run).state !== "running") return;
      const ways = mayDawdle ? [COMPLETED, COMPLETED, failedWith("no"), suspendedFor(1_000)] : [COMPLETED];
      await this.says(run, ways[this.#below(ways.length)] ?? COMPLETED);
      if (child !== this.child) return;
    }
  }

  async step(): Promise<void> {
    const what = this.#below(12);
    if (what < 5) {
      const inputs = Array.from({ length: 1 + this.#below(4) }, () => ({ n: ++this.decided, group: this.#below(3) }));
      // Where the kernel is killed with this commit or before it, nobody decided anything.
      if (this.killAfter > 0) await this.decideAll(inputs);
      else this.decided -= inputs.length;
    } else if (what < 8) await this.pass(this.#below(WAIT));
    else if (what === 8) {
      const run = 1 + this.#below(Math.max(1, this.store.runs.lastId()));
      void this.workflows.byHand.cancel(run);
      await this.settle();
    } else if (what === 9) this.killAfter = this.#below(4);
    else if (what === 10)
      await this.reload({ ...FLOW, batch: { ...FLOW.batch, waitMs: WAIT - this.#below(2) } }, false);
    else await this.restart(this.#below(2 * WAIT));
    await this.serve(true);
    if (this.isKilled) await this.restart(this.#below(WAIT));
  }

  /** Nothing more is decided, and nobody is killed. */
  async rest(): Promise<void> {
    this.killAfter = Number.POSITIVE_INFINITY;
    await this.restart();
    for (let turn = 0; turn < 500 && this.store.runs.active().length > 0; turn++) {
      await this.serve(false);
      await this.pass(turn % 3 === 0 ? 1_000 : 1);
    }
  }

  get wrong(): string[] {
    const wrong: string[] = [];
    const listed = new Map<number, number>();
    const joinedInto = new Map<number, number>();
    let counted = 0;
    const last = this.store.runs.lastId();
    for (let id = 1; id <= last; id++) {
      const started = this.dataOf(id, "run.started");
      if (started === null) continue;
      const { batch, joined } = started as { batch: { items: BatchItem[]; more: number }; joined: number[] };
      const queued = this.dataOf(id, "run.queued");
      if (batch.items.length + batch.more !== joined.length + 1) wrong.push(`run ${id} counts its batch wrong`);
      for (const { payload } of batch.items) {
        const { n, group } = payload as { n: number; group: number };
        if (listed.has(n)) wrong.push(`decision ${n} is in the batches of runs ${listed.get(n)} and ${id}`);
        if (queued.input.group !== group) wrong.push(`decision ${n} is in a batch of another group`);
        listed.set(n, id);
      }
      counted += batch.more;
      for (const run of joined) {
        if (joinedInto.has(run)) wrong.push(`run ${run} joined twice`);
        joinedInto.set(run, id);
      }
      const began = this.row(id).started_at ?? 0;
      if (began < queued.batch.until - 1) wrong.push(`run ${id} began before its time`);
    }
    for (let id = 1; id <= last; id++) {
      const { state } = this.row(id);
      if (!["completed", "failed", "cancelled", "joined"].includes(state)) wrong.push(`run ${id} is ${state}`);
      const into = state === "joined" ? this.dataOf(id, "run.joined").into : undefined;
      if (into !== joinedInto.get(id)) wrong.push(`run ${id} joined ${into}, and is listed by ${joinedInto.get(id)}`);
      const { n } = this.dataOf(id, "run.queued").input;
      const wasCancelled = state === "cancelled" && this.dataOf(id, "run.started") === null;
      if (counted === 0 && listed.has(n) === wasCancelled) wrong.push(`decision ${n} of run ${id} is told wrongly`);
    }
    const checked = checkStore(this.folder.path);
    if (!checked.ok) return [...wrong, checked.error.message];
    return [...wrong, ...[...checked.value.differences, ...checked.value.faults].map((one) => JSON.stringify(one))];
  }
}

test("random decisions, kills, cancels and reloads lose no run, and tell each decision once", async () => {
  const random = randomNumbers(SEED);
  for (let index = 0; index < CASES; index++) {
    const seed = Math.floor(random() * 1_000_000_000);
    using one = new Case(seed);
    for (let operation = 0; operation < OPERATIONS; operation++) await one.step();
    await one.rest();
    expect({ start: SEED, seed, wrong: one.wrong }).toEqual({ start: SEED, seed, wrong: [] });
  }
}, 600_000);
