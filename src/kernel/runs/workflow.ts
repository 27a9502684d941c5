/**
 * One workflow: its runs, which of them have a slot, and what the others wait for. Invariants kept here:
 * - G3: a run has one ending; what comes after it changes nothing.
 * - A run in a slot is either being started, waits for the worker, or is in it; no more have one than `concurrency`.
 * - Woken, retried and interrupted runs come before queued ones; queued ones start in the order of their ids.
 * - Memory follows the commit, as everywhere in the kernel.
 */
import { Fifo } from "../../base/fifo.ts";
import { ok, type Result } from "../../base/result.ts";
import { DEFAULT_CONCURRENCY, DEFAULT_GRACE_PERIOD_MS } from "../../config/defaults.ts";
import type { WorkflowConfig } from "../../model/config.ts";
import { formatProblem, type Problem } from "../../model/problem.ts";
import type { Run, RunEvent } from "../../model/run.ts";
import type { Location } from "../../spawn/modules-on-disk.ts";
import type { PeerFiles } from "../../spawn/peer-files.ts";
import type { Draft } from "../commits/draft.ts";
import type { Ledger } from "../commits/ledger.ts";
import type { LiveRun, ResumeReason, RunOrder } from "../memory/run.ts";
import type { Handle } from "../time/ticker.ts";
import { EMPTY_HISTORY, type RunHistory } from "./run-history.ts";
import { attemptDelayMs, type Failure } from "./run-policy.ts";
import { type Handed, type RunDesk, RunWorker, type RunWorkerHost } from "./run-worker.ts";

/** What runs need of the kernel beyond their workflow. */
export interface WorkflowHost extends RunWorkerHost {
  readonly ledger: Ledger;
  /** Nothing new may be started: the store cannot be written, or there is no room. */
  readonly isHeld: boolean;
  /** Where the module is now, and what it is made of. */
  locate(workflow: WorkflowConfig): Result<Location, Problem>;
  /** What the logs say of a run that has begun, what it inherits from another included, and what it was made of. */
  history(row: Run): Result<{ readonly history: RunHistory; readonly order: RunOrder }, Problem>;
  /** After the commit of its ending. */
  ended(run: LiveRun): void;
}

/** Characters of JSON up to which the input of a queued run is kept in memory. */
const REMEMBERED_INPUT = 2_048;

export class Workflow implements RunDesk {
  readonly name: string;
  config: WorkflowConfig;
  location: Result<Location, Problem>;
  readonly #host: WorkflowHost;
  readonly #worker: RunWorker;

  readonly #queued = new Fifo<LiveRun>();
  readonly #ready = new Fifo<LiveRun>();
  readonly #sleeping = new Map<LiveRun, Handle>();
  readonly #slots = new Set<LiveRun>();
  /** Generation of the worker after which the module was looked for; null: never. */
  #locatedAfter: number | null = null;
  #stopping = false;

  constructor(config: WorkflowConfig, location: Result<Location, Problem>, host: WorkflowHost) {
    this.name = config.name;
    this.config = config;
    this.location = location;
    this.#host = host;
    this.#worker = new RunWorker(this, host);
  }

  get counts(): { readonly running: number; readonly queued: number; readonly sleeping: number } {
    return {
      running: this.#slots.size,
      queued: this.#queued.size,
      sleeping: this.#sleeping.size + this.#ready.size,
    };
  }

  get #free(): number {
    return Math.max(0, (this.config.concurrency ?? DEFAULT_CONCURRENCY) - this.#slots.size);
  }

  /** Without a worker, what the next one will load: it may have been edited since, or mended. */
  #locate(): void {
    if (this.#worker.pid !== null || (this.location.ok && this.#locatedAfter === this.#worker.generation)) return;
    this.location = this.#host.locate(this.config);
    this.#locatedAfter = this.#worker.generation;
  }

  get #code(): string {
    return this.location.ok ? this.location.value.print.slice(0, 16) : "";
  }

  // ── letting runs in ──────────────────────────────────────────────────

  /** Inside a transaction: logs the run as queued, and as started or dropped where that is decided already. */
  admit(draft: Draft, run: LiveRun, order: RunOrder): "started" | "queued" | "dropped" {
    const { input, decision, retryOf, fromStep } = order;
    // One decision makes one run of a reflex: a retry is made by hand.
    const trigger = retryOf === null ? order.trigger : { ...order.trigger, reflex: null };
    draft.run(run, { event: "run.queued", data: { input, trigger, retry_of: retryOf, from_step: fromStep, decision } });
    const admitted = draft.admitted(this);
    const waiting = this.#queued.size + admitted.queued;
    const free = Math.max(0, this.#free - this.#ready.size - admitted.started);
    if (free > 0 && waiting === 0 && !this.#host.isHeld && !this.#stopping) {
      admitted.started++;
      this.#locate();
      draft.run(run, { event: "run.started", data: { attempt: 1, code: this.#code } });
      return "started";
    }
    const { config } = this;
    const maxQueue = config.overflow === "drop" ? 0 : config.maxQueue;
    if (waiting >= free + maxQueue) {
      const why =
        config.overflow === "drop"
          ? `${this.#slots.size + admitted.started} running already, and \`overflow\` is drop`
          : `${waiting} queued already, as many as \`max_queue\` allows`;
      draft.run(run, { event: "run.dropped", data: { error: why } });
      return "dropped";
    }
    admitted.queued++;
    return "queued";
  }

  /** After the commit of `admit`. */
  admitted(run: LiveRun, order: RunOrder, how: "started" | "queued" | "dropped"): void {
    if (how === "dropped") return this.#host.ended(run);
    if (how === "queued") {
      if (order.retryOf === null && run.inputLength <= REMEMBERED_INPUT) run.order = order;
      this.#queued.add(run);
      return this.fill();
    }
    this.#slots.add(run);
    this.#hand(run, { order, history: this.#inherited(run, order) });
  }

  #inherited(run: LiveRun, order: RunOrder): RunHistory {
    const found = order.retryOf === null || run.row === null ? null : this.#host.history(run.row);
    return found?.ok ? found.value.history : EMPTY_HISTORY;
  }

  /** A run an earlier kernel left. `waits`: for what, where it was sleeping. */
  restore(run: LiveRun, row: Run, waits: { readonly due: number; readonly reason: ResumeReason } | null): void {
    run.row = { ...row, input: null };
    if (waits !== null) this.sleep(run, waits.due, waits.reason);
    else if (row.state === "queued") this.#queued.add(run);
    else this.#readies(run, "restart");
  }

  /** Gives free slots to those that wait. */
  fill(): void {
    if (this.#host.isHeld || this.#stopping) return;
    while (this.#free > 0) {
      const next = this.#ready.shift() ?? this.#queued.shift();
      if (next === null) break;
      this.#slots.add(next);
      this.#begin(next);
    }
    if (this.#slots.size === 0) this.#worker.idles();
  }

  /** It was in a worker that is gone, and keeps its slot. */
  interrupted(run: LiveRun, reason: ResumeReason): void {
    if (run.isOver) return this.release(run);
    run.reason = reason;
    if (!this.#stopping) this.#begin(run);
  }

  get isBusy(): boolean {
    return this.#slots.size > 0;
  }

  #begin(run: LiveRun): void {
    run.phase = "committing";
    this.#locate();
    let handed: Handed | null = null;
    this.#host.ledger.add({
      write: (draft) => {
        const row = draft.row(run);
        if (row === null) throw new Error(`run ${run.id} was never queued`);
        const found = run.order === null ? this.#host.history(row) : ok({ history: EMPTY_HISTORY, order: run.order });
        if (found.ok) {
          handed = found.value;
          draft.run(run, this.#beginning(run, row, handed.history), this.#isNewCode(handed.history));
        } else
          draft.run(run, { event: "run.failed", data: { error: formatProblem(found.error), stack: null, steps: [] } });
      },
      kept: () => {
        if (run.isOver || handed === null) return this.settled(run, () => {});
        const { deaths, ranMs } = this.#factsOf(run, handed.history);
        run.deaths = deaths;
        run.ranMs = ranMs;
        run.reason = null;
        run.order = null;
        this.#hand(run, handed);
      },
    });
  }

  #isNewCode({ code }: RunHistory): boolean {
    return code !== null && code !== this.#code;
  }

  /** What was seen of a worker's end is not in the logs; all else is. */
  #factsOf(run: LiveRun, history: RunHistory): { readonly deaths: number; readonly ranMs: number } {
    if (run.reason === "worker-died" || run.reason === "reload") return run;
    const { deaths, ranMs, recordedMs } = history;
    const { timeoutMs, gracePeriodMs } = this.config;
    // No attempt runs for longer than its limits: then the wall clock was set meanwhile.
    const isTold = timeoutMs === null || ranMs <= timeoutMs + (gracePeriodMs ?? DEFAULT_GRACE_PERIOD_MS);
    return { deaths, ranMs: isTold ? ranMs : recordedMs };
  }

  #beginning(run: LiveRun, row: Run, history: RunHistory): RunEvent {
    const code = this.#code;
    if (row.attempt === 0) return { event: "run.started", data: { attempt: 1, code } };
    const reason = run.reason ?? "restart";
    const attempt = reason === "retry" ? row.attempt + 1 : row.attempt;
    const { deaths, ranMs } = this.#factsOf(run, history);
    return { event: "run.resumed", data: { attempt, reason, code, deaths, ran_ms: Math.round(ranMs) } };
  }

  /** It has a slot, and its start is committed. */
  #hand(run: LiveRun, handed: Handed): void {
    run.phase = "waiting-for-worker";
    this.#worker.hand(run, handed);
  }

  /** It has no slot any more. */
  release(run: LiveRun): void {
    run.phase = "gone";
    this.#slots.delete(run);
    this.#worker.forget(run);
    this.fill();
  }

  // ── waiting ──────────────────────────────────────────────────────────

  /** It goes on at `due`, on the axis of elapsed time. */
  sleep(run: LiveRun, due: number, reason: ResumeReason): void {
    const { lifetime, ticker } = this.#host;
    run.phase = "sleeping";
    const wait = (): void => {
      const left = due - lifetime.now();
      if (left > 0) {
        this.#sleeping.set(run, ticker.after(left, wait));
        return;
      }
      this.#sleeping.delete(run);
      this.#readies(run, reason);
      this.fill();
    };
    this.#sleeping.set(run, ticker.after(Math.max(0, due - lifetime.now()), wait));
  }

  #readies(run: LiveRun, reason: ResumeReason): void {
    run.phase = "ready";
    run.reason = reason;
    this.#ready.add(run);
  }

  /** How an attempt that did not succeed goes on. */
  #afterFailure(row: Run, { error, stack, steps, how }: Failure): RunEvent {
    const delay = how === "for-good" ? null : attemptDelayMs(row.attempt, this.config.retry);
    if (delay !== null) {
      return {
        event: "run.retrying",
        data: { ...this.deadline(delay), attempt: row.attempt + 1, error, stack, steps },
      };
    }
    if (how === "timed-out") return { event: "run.timed-out", data: { error } };
    return { event: "run.failed", data: { error, stack, steps } };
  }

  deadline(ms: number, now = this.#host.lifetime.now()): { until: number; due: number } {
    const due = now + Math.ceil(ms);
    return { due, until: this.#host.lifetime.wallAt(due) };
  }

  /** The attempt is over, without success: the run is tried again, or ends. */
  fails(run: LiveRun, failure: Failure): void {
    let due = 0;
    this.#host.ledger.add({
      write: (draft) => {
        const row = draft.row(run);
        if (row === null) return;
        const event = this.#afterFailure(row, failure);
        if (event.event === "run.retrying") due = event.data.due;
        draft.run(run, event);
      },
      kept: () => {
        run.ranMs = 0;
        this.settled(run, () => this.sleep(run, due, "retry"));
      },
    });
  }

  /** After a commit that ended the run, or put it to sleep. Its slot is free once no code of it is under way. */
  settled(run: LiveRun, sleep: () => void): void {
    if (run.isOver) this.#host.ended(run);
    this.#worker.onceLeft(run, () => {
      this.release(run);
      if (!run.isOver) sleep();
    });
  }

  record(run: LiveRun, event: RunEvent, kept: () => void): void {
    this.#host.ledger.add({ write: (draft) => void draft.run(run, event), kept });
  }

  // ── what a person asks ───────────────────────────────────────────────

  /** Ends a run that has not ended, wherever it stands. Resolves after the commit. */
  cancel(run: LiveRun, why: string | null): Promise<void> {
    return this.#host.ledger.commit((draft) => {
      draft.run(run, { event: "run.cancelled", data: { error: why } });
      draft.afterwards(() => this.#abandon(run));
    });
  }

  /** It has ended by other means than its worker. */
  #abandon(run: LiveRun): void {
    this.#host.ended(run);
    this.#queued.delete(run);
    this.#ready.delete(run);
    this.#sleeping.get(run)?.cancel();
    this.#sleeping.delete(run);
    // Its slot is free once its code has settled.
    if (this.#worker.abort(run)) return;
    // One whose start is being committed is let go after that.
    if (run.phase !== "committing") this.release(run);
  }

  /** Another configuration. `changed`: what runs must go on with the new one, from a step boundary. */
  replace(config: WorkflowConfig, location: Result<Location, Problem>, changed: boolean): void {
    this.config = config;
    this.location = location;
    if (changed) this.#worker.renew();
    this.fill();
  }

  tellPeers(peers: PeerFiles): void {
    this.#worker.tellPeers(peers);
  }

  /** Runs reach a step boundary, and stay as they are for the next kernel. */
  stop(): Promise<void> {
    this.#stopping = true;
    return this.#worker.stop();
  }

  kill(why: string): void {
    this.#worker.kill(why);
  }
}
