/**
 * Owns one workflow: its runs, the runs with a slot, and the waits of the others. The workflow decides; its run-worker
 * reports ({@link Slots}). Invariants kept here:
 * - G3: a run has one ending, and nothing after it changes anything. A clean stop leaves no run `running`.
 * - At most `concurrency` runs have a slot, and slots are given in the order of the {@link Line}.
 * - A run begins once a worker has loaded the module. Until then it waits, and no attempt is spent on it.
 * - Memory follows the commit, as everywhere in the kernel.
 */
import type { Result } from "../../base/result.ts";
import { batchConfigOf, type WorkflowConfig } from "../../model/config.ts";
import type { Problem } from "../../model/problem.ts";
import { isOver, type RunEvent } from "../../model/run.ts";
import type { Location } from "../../spawn/modules-on-disk.ts";
import type { PeerFiles } from "../../spawn/peer-files.ts";
import type { Draft } from "../commits/draft.ts";
import { PATIENT } from "../commits/ledger.ts";
import type { LiveRun, ResumeReason, RunOrder } from "../memory/run.ts";
import type { Admission } from "./admission.ts";
import { Beginning } from "./beginning.ts";
import { Entrance } from "./entrance.ts";
import { Exits } from "./exits.ts";
import { fallAsleep } from "./falling-asleep.ts";
import { Line } from "./line.ts";
import { Module } from "./module.ts";
import { EMPTY_HISTORY } from "./run-history.ts";
import { afterFailure, type Failure, isVain } from "./run-policy.ts";
import { RunWorker } from "./run-worker.ts";
import { Sleepers } from "./sleepers.ts";
import type { Assignment, Slots, Wait } from "./slots.ts";
import type { WorkflowHost } from "./workflow-host.ts";

/** The input of a queued run is kept in memory up to this many characters of JSON. */
const REMEMBERED_INPUT = 2_048;

export class Workflow implements Slots {
  readonly name: string;
  config: WorkflowConfig;
  readonly #host: WorkflowHost;
  readonly #module: Module;
  readonly #worker: RunWorker;
  readonly #sleepers: Sleepers;
  readonly #line: Line;
  readonly #exits: Exits;
  /** Lets runs in. */
  readonly entrance: Entrance;
  #stopping = false;

  constructor(config: WorkflowConfig, location: Result<Location, Problem>, host: WorkflowHost) {
    this.name = config.name;
    this.config = config;
    this.#host = host;
    this.#module = new Module(
      location,
      host.ticker,
      () => host.locate(this.config),
      () => this.fill(),
    );
    this.#worker = new RunWorker(this, host);
    const { ticker, lifetime } = host;
    this.#line = new Line({ ticker, lifetime, gathered: (run) => this.#comes(run) });
    this.entrance = new Entrance(this, this.#line);
    this.#sleepers = new Sleepers(ticker, lifetime, (run, reason) => this.#woken(run, reason));
    const [line, worker, sleepers] = [this.#line, this.#worker, this.#sleepers];
    this.#exits = new Exits({ workflow: config.name, host, line, worker, sleepers, fill: () => this.fill() });
  }

  get location(): Result<Location, Problem> {
    return this.#module.location;
  }

  /** Why the module does not load, or null. */
  get problem(): Problem | null {
    return this.#module.problem;
  }

  get counts(): { readonly running: number; readonly queued: number; readonly sleeping: number } {
    const { running, queued, batched, ready } = this.#line;
    return { running, queued: queued + batched, sleeping: this.#sleepers.size + ready };
  }

  get isBusy(): boolean {
    return this.#line.running > 0;
  }

  // ── letting runs in ──────────────────────────────────────────────────

  /** Called after the commit of `admit`. */
  admitted(run: LiveRun, order: RunOrder, how: Admission): void {
    if (how === "dropped") return this.release(run);
    this.#line.comes(run);
    if (how === "queued") {
      if (order.retryOf === null && run.inputLength <= REMEMBERED_INPUT) run.order = order;
      this.#line.queue(run);
      return this.#comes(run);
    }
    this.#line.enters(run);
    this.#host.began(run, 0);
    this.#worker.hand(run, { order, history: EMPTY_HISTORY, batch: null });
  }

  /** Takes a run that an earlier kernel left. `wait` is the wait of a sleeping run. */
  restore(run: LiveRun, wait: Wait | null): void {
    if (batchConfigOf(this.config) === null) run.batch = null;
    this.#line.comes(run);
    if (wait !== null) return this.sleep(run, wait);
    if (run.row?.state === "queued") this.#line.queue(run);
    else this.#line.readies(run, "restart");
  }

  /** Takes a run that an earlier kernel left, and that cannot go on. */
  hold(run: LiveRun, problem: Problem): void {
    this.#line.comes(run);
    this.#host.waits(run, problem);
    this.#sleepers.hold(run, "restart");
  }

  /** Digest of the module that the worker has loaded. */
  get code(): string {
    return this.#module.code;
  }

  get mayBegin(): boolean {
    return this.#worker.isOpen && !this.#host.isHeld && !this.#stopping;
  }

  /** Gives free slots to waiting runs, once a worker is there for them. */
  fill(): void {
    if (!this.mayBegin) {
      if (!this.#stopping && !this.#line.isEmpty) this.#worker.want();
      return;
    }
    for (const run of this.#line.next(this.entrance.free)) this.#begin(run);
    if (this.#line.running === 0) this.#worker.idles();
  }

  wantsWorker(): boolean {
    if (this.#stopping || this.#host.isHeld || this.#module.isBroken || this.#line.isEmpty) return false;
    const located = this.#module.locate();
    if (!located.ok) this.doesNotLoad(located.error);
    return located.ok;
  }

  opened(): void {
    this.#module.loaded();
    this.fill();
  }

  doesNotLoad(problem: Problem): void {
    if (!this.#module.broke(problem)) return;
    this.#host.doesNotLoad(this.name, problem);
  }

  /** The worker of the run is gone. The run keeps its slot. */
  interrupted(run: LiveRun, reason: ResumeReason): void {
    if (run.isOver) return this.release(run);
    this.#line.interrupts(run, reason);
  }

  #begin(run: LiveRun): void {
    this.#host.hasRoom(this.name);
    this.#host.ledger.write((draft) => {
      const found = this.#host.assignment(draft, run);
      if (!found.ok) return draft.afterwards(() => this.#cannotBegin(run, found.error));
      const row = draft.row(run);
      // By its logs the run has ended.
      if (row === null || isOver(row.state)) return draft.afterwards(() => this.release(run));
      const { order, history } = found.value;
      const isFirst = run.batch !== null && row.attempt === 0;
      const read = (one: LiveRun) => (one === run ? order : this.#host.decidedOf(one));
      const taken = isFirst ? this.entrance.take(draft, run, read) : null;
      const beginning = new Beginning(run, row, history, this.#module.code, this.config, taken);
      draft.run(run, beginning.event, beginning.isNewCode);
      const batch = taken?.batch ?? found.value.batch;
      draft.afterwards(() => this.#begun(run, { order, history, batch }, beginning));
    });
  }

  #begun(run: LiveRun, assignment: Assignment, { event, deaths, ranMs }: Beginning): void {
    if (run.isOver) return this.release(run);
    run.deaths = deaths;
    run.ranMs = ranMs;
    run.reason = null;
    run.order = null;
    run.obstacle = null;
    this.#line.hasBegun(run);
    if (event.event === "run.started") this.#host.began(run, event.data.joined.length);
    this.#worker.hand(run, assignment);
  }

  #cannotBegin(run: LiveRun, problem: Problem): void {
    if (run.isOver) return this.release(run);
    this.#exits.leaves(run);
    this.#sleepers.hold(run, run.reason ?? "restart");
    this.#host.waits(run, problem);
    this.fill();
  }

  release(run: LiveRun): void {
    this.#exits.release(run);
  }

  joined(runs: readonly LiveRun[]): void {
    this.#exits.joined(runs);
  }

  // ── waiting ──────────────────────────────────────────────────────────

  sleep(run: LiveRun, { due, reason }: Wait): void {
    this.#sleepers.sleep(run, due, reason);
  }

  #woken(run: LiveRun, reason: ResumeReason): void {
    this.#line.readies(run, reason);
    this.#comes(run);
  }

  /** Called when a run begins to wait for a slot. */
  #comes(run: LiveRun): void {
    this.#sayBroken(run);
    this.fill();
  }

  /** Logs that a run now waits for a module that is known not to load. */
  #sayBroken(run: LiveRun): void {
    if (this.#module.problem !== null) this.#host.waitsForModule(run, this.#module.problem);
  }

  deadline(ms: number, now = this.#host.lifetime.now()): { until: number; due: number } {
    const due = now + Math.ceil(ms);
    return { due, until: this.#host.lifetime.wallAt(due) };
  }

  fails(run: LiveRun, failure: Failure): void {
    this.#host.ledger.write((draft) => {
      const row = draft.row(run);
      if (row === null) return;
      if (failure.how === "threw" && isVain(run)) draft.afterwards(() => this.#host.ranNothing(run, row));
      const event = afterFailure(row, failure, this.config, (ms) => this.deadline(ms));
      draft.run(run, event);
      draft.afterwards(() => {
        run.ranMs = 0;
        this.settled(run, event.event === "run.retrying" ? { due: event.data.due, reason: "retry" } : null);
      });
    });
  }

  /** The slot of the run is free once no code of the run is under way. */
  settled(run: LiveRun, wait: Wait | null): void {
    if (run.isOver) this.#host.ended(run);
    this.#worker.onceLeft(run, () => {
      if (run.isOver || wait === null) return this.release(run);
      this.#exits.leaves(run);
      this.sleep(run, wait);
      this.fill();
    });
  }

  record(run: LiveRun, event: RunEvent, kept: (() => void) | null): void {
    const entry = { write: (draft: Draft) => void draft.run(run, event), kept: kept ?? (() => {}) };
    this.#host.ledger.add(entry, kept === null ? PATIENT : null);
  }

  // ── requests of persons ──────────────────────────────────────────────

  /** Ends a run that has not ended, in any phase. Resolves after the commit. */
  cancel(run: LiveRun, why: string | null): Promise<void> {
    return this.#host.ledger.commit((draft) => {
      draft.run(run, { event: "run.cancelled", data: { error: why } });
      draft.afterwards(() => this.#exits.abandon(run));
    });
  }

  /** Takes another configuration. With `changed` the runs go on with the new one, from a step boundary. */
  replace(config: WorkflowConfig, changed: boolean): void {
    this.config = config;
    this.#module.tryAgain();
    if (batchConfigOf(config) === null) this.#line.dissolve();
    if (changed) this.#worker.renew();
    this.#sleepers.tryHeld();
    this.fill();
  }

  tellPeers(peers: PeerFiles): void {
    this.#worker.tellPeers(peers);
  }

  /** Lets the runs reach a step boundary, and sleep until the next kernel. */
  async stop(): Promise<void> {
    this.#stopping = true;
    this.#module.stop();
    await this.#worker.stop();
    this.#host.ledger.write((draft) => {
      for (const run of this.#line.begun()) fallAsleep(draft, run, this.#host, this);
    });
  }

  kill(why: string): void {
    this.#worker.kill(why);
  }
}
