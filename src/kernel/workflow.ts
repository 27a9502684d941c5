/**
 * One workflow: its runs, who has a slot, and what its worker says of them. Invariants kept here:
 * - G3: a run has one ending; what a worker says of one that has ended changes nothing.
 * - A run in a slot is either being started, waits for the worker, or is in it; no more have one than `concurrency`.
 * - Woken, retried and interrupted runs come before queued ones; queued ones start in the order of their ids.
 * - Memory follows the commit, as everywhere in the kernel.
 */
import { formatDuration } from "../base/duration.ts";
import type { JsonObject } from "../base/json.ts";
import { ok, type Result } from "../base/result.ts";
import {
  DEFAULT_CONCURRENCY,
  DEFAULT_GRACE_PERIOD_MS,
  DEFAULT_MAX_QUEUE,
  DEFAULT_RETRY_BACKOFF,
  DEFAULT_RETRY_INTERVAL_MS,
  DEFAULT_RETRY_MAX_INTERVAL_MS,
} from "../config/defaults.ts";
import { parseWorkflowMessage } from "../ipc/parse.ts";
import type { WorkflowMessage, WorkflowMessageOf, WorkflowParentMessage } from "../ipc/workflow-definitions.ts";
import type { WorkflowConfig } from "../model/config.ts";
import { formatProblem, type Problem } from "../model/problem.ts";
import type { Run, RunEvent, RunEventData } from "../model/run.ts";
import { STRIKES } from "./blame.ts";
import type { Draft } from "./draft.ts";
import type { Ledger } from "./ledger.ts";
import type { Lifetime } from "./lifetime.ts";
import type { LiveRun, ResumeReason, RunOrder } from "./live-run.ts";
import type { Location } from "./modules-on-disk.ts";
import { EMPTY_HISTORY, type RunHistory, replayOf } from "./run-history.ts";
import type { Handle } from "./ticker.ts";
import { type Crew, type Death, type LifeHost, type LifeState, WorkerLife } from "./worker-life.ts";
import type { WorkerCommand } from "./worker-process.ts";

/** What runs need of the kernel beyond their workflow. */
export interface WorkflowHost extends LifeHost {
  readonly ledger: Ledger;
  readonly lifetime: Lifetime;
  /** Nothing new may be started: the store cannot be written, or there is no room. */
  readonly isHeld: boolean;
  command(): WorkerCommand;
  /** The first message of a new worker. */
  init(workflow: Workflow, generation: number): WorkflowParentMessage;
  /** What the logs say of a run that has begun, what it inherits from another included, and what it was made of. */
  history(row: Run): Result<{ readonly history: RunHistory; readonly order: RunOrder }, Problem>;
  output(workflow: Workflow, message: WorkflowMessageOf<"log">, taken: () => void): void;
  /** After the commit of its ending. */
  ended(run: LiveRun): void;
}

/** The import of the module, which is no run. */
const MODULE = "module";
type Task = LiveRun | typeof MODULE;

/** A run that has a slot and is to be told to the worker. */
interface Handed {
  readonly order: RunOrder;
  readonly history: RunHistory;
}

/** Characters of JSON up to which the input of a queued run is kept in memory. */
const REMEMBERED_INPUT = 2_048;
/** A workflow without work keeps its worker for this long. */
const IDLE_MS = 10_000;
/** A suspect that has run alone for this long is innocent. */
const INNOCENT_MS = 60_000;

export class Workflow implements Crew<WorkflowParentMessage, WorkflowMessage, Task> {
  readonly name: string;
  readonly noun = "run";
  readonly memoryBytes = null;
  config: WorkflowConfig;
  location: Result<Location, Problem>;
  readonly #host: WorkflowHost;
  readonly #life: WorkerLife<WorkflowParentMessage, WorkflowMessage, Task>;

  readonly #queued = new Set<LiveRun>();
  readonly #ready = new Set<LiveRun>();
  readonly #sleeping = new Map<LiveRun, Handle>();
  readonly #slots = new Set<LiveRun>();
  readonly #handed = new Map<LiveRun, Handed>();
  /** Told to the worker, by id, until it has ended there. */
  readonly #inWorker = new Map<number, LiveRun>();
  readonly #interrupted = new Set<LiveRun>();
  readonly #suspects = new Set<LiveRun>();
  #loadDeaths = 0;
  #unstarted = 0;
  #ackUpTo = 0;
  #ackLogs = 0;
  #idle: Handle | null = null;
  #stopping = false;

  constructor(config: WorkflowConfig, location: Result<Location, Problem>, host: WorkflowHost) {
    this.name = config.name;
    this.config = config;
    this.location = location;
    this.#host = host;
    this.#life = new WorkerLife(this, host);
  }

  get counts(): { readonly running: number; readonly queued: number; readonly sleeping: number } {
    return {
      running: this.#slots.size,
      queued: this.#queued.size,
      sleeping: this.#sleeping.size + this.#ready.size,
    };
  }

  get state(): LifeState {
    return this.#life.state;
  }

  get pid(): number | null {
    return this.#life.pid;
  }

  get #free(): number {
    return Math.max(0, (this.config.concurrency ?? DEFAULT_CONCURRENCY) - this.#slots.size);
  }

  get #code(): string {
    return this.location.ok ? this.location.value.print.slice(0, 16) : "";
  }

  // ── letting runs in ──────────────────────────────────────────────────

  /** Inside a transaction: logs the run as queued, and as started or dropped where that is decided already. */
  admit(draft: Draft, run: LiveRun, order: RunOrder): "started" | "queued" | "dropped" {
    const { input, trigger, retryOf, fromStep } = order;
    draft.run(run, { event: "run.queued", data: { input, trigger, retry_of: retryOf, from_step: fromStep } });
    const admitted = draft.admitted(this);
    const waiting = this.#queued.size + admitted.queued;
    const free = Math.max(0, this.#free - this.#ready.size - admitted.started);
    if (free > 0 && waiting === 0 && !this.#host.isHeld && !this.#stopping) {
      admitted.started++;
      draft.run(run, { event: "run.started", data: { attempt: 1, code: this.#code } });
      return "started";
    }
    const { config } = this;
    const maxQueue = config.overflow === "drop" ? 0 : (config.maxQueue ?? DEFAULT_MAX_QUEUE);
    if (waiting >= free + maxQueue) {
      const why =
        config.overflow === "drop"
          ? `${this.#slots.size + admitted.started} of it are running and \`overflow\` is drop`
          : `${waiting} of it are queued, as many as \`max_queue\` allows`;
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
    if (waits !== null) this.#sleep(run, waits.due, waits.reason);
    else if (row.state === "queued") this.#queued.add(run);
    else this.#readies(run, "restart");
  }

  /** Gives free slots to those that wait. */
  fill(): void {
    if (this.#host.isHeld || this.#stopping) return;
    while (this.#free > 0) {
      const [next] = this.#ready.size > 0 ? this.#ready : this.#queued;
      if (next === undefined) break;
      this.#ready.delete(next);
      this.#queued.delete(next);
      this.#slots.add(next);
      this.#begin(next);
    }
    this.#watchIdle();
  }

  #begin(run: LiveRun): void {
    run.phase = "starting";
    let handed: Handed | null = null;
    this.#host.ledger.add({
      write: (draft) => {
        const row = draft.row(run);
        if (row === null) throw new Error(`run ${run.id} was never queued`);
        const found = run.order === null ? this.#host.history(row) : ok({ history: EMPTY_HISTORY, order: run.order });
        if (found.ok) {
          handed = found.value;
          draft.run(run, this.#beginning(run, row, handed.history), this.#isNewCode(handed.history));
        } else draft.run(run, { event: "run.failed", data: { error: formatProblem(found.error), stack: null } });
      },
      kept: () => {
        if (run.isOver || handed === null) return this.#settled(run, () => {});
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

  /** What was seen of a worker's death is not in the logs; all else is. */
  #factsOf(run: LiveRun, history: RunHistory): { readonly deaths: number; readonly ranMs: number } {
    return run.reason === "worker-died" ? run : history;
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
    this.#handed.set(run, handed);
    if (!this.location.ok) return this.#failToLoad(this.location.error);
    if (this.#life.isOpen) this.#life.schedule();
    else if (!this.#life.restarting) this.#life.start();
  }

  #release(run: LiveRun): void {
    run.phase = "gone";
    this.#slots.delete(run);
    this.#suspects.delete(run);
    this.#handed.delete(run);
    this.#inWorker.delete(run.id);
    this.#interrupted.delete(run);
    this.fill();
    this.#life.schedule();
  }

  // ── waiting ──────────────────────────────────────────────────────────

  #sleep(run: LiveRun, due: number, reason: ResumeReason): void {
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

  /** How an attempt that did not succeed goes on. `timedOut`: it passed its timeout. */
  #afterFailure(row: Run, failure: Failure): RunEvent {
    const { retry } = this.config;
    const { error, stack, step, timedOut } = failure;
    if (retry === null || row.attempt > retry.limit) {
      if (timedOut) return { event: "run.timed-out", data: { error } };
      return { event: "run.failed", data: { error, stack } };
    }
    const first = retry.intervalMs ?? DEFAULT_RETRY_INTERVAL_MS;
    const most = retry.maxIntervalMs ?? DEFAULT_RETRY_MAX_INTERVAL_MS;
    const delay = Math.min(most, first * (retry.backoff ?? DEFAULT_RETRY_BACKOFF) ** Math.max(0, row.attempt - 1));
    const attempt = row.attempt + 1;
    return { event: "run.retrying", data: { ...this.#deadline(Math.round(delay)), attempt, error, stack, step } };
  }

  #deadline(ms: number, now = this.#host.lifetime.now()): { until: number; due: number } {
    const due = now + Math.ceil(ms);
    return { due, until: this.#host.lifetime.wallAt(due) };
  }

  /** The attempt is over, without success: the run is tried again, or ends. */
  #fails(run: LiveRun, failure: Failure, kept: () => void): void {
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
        kept();
        run.ranMs = 0;
        this.#settled(run, () => this.#sleep(run, due, "retry"));
      },
    });
  }

  /** After a commit that ended the run, or put it to sleep. */
  #settled(run: LiveRun, sleep: () => void): void {
    this.#release(run);
    if (run.isOver) this.#host.ended(run);
    else sleep();
  }

  // ── what a person asks ───────────────────────────────────────────────

  /** Ends a run that has not ended, wherever it stands. Resolves after the commit. */
  cancel(run: LiveRun, why: string | null): Promise<void> {
    return new Promise((resolve) => {
      this.#host.ledger.add({
        write: (draft) => void draft.run(run, { event: "run.cancelled", data: { error: why } }),
        kept: () => {
          this.#abandon(run);
          resolve();
        },
      });
    });
  }

  /** It has ended by other means than its worker. */
  #abandon(run: LiveRun): void {
    this.#host.ended(run);
    this.#queued.delete(run);
    this.#ready.delete(run);
    this.#sleeping.get(run)?.cancel();
    this.#sleeping.delete(run);
    if (this.#inWorker.has(run.id)) {
      this.#life.post({ type: "cancel", generation: this.#life.generation, run: run.id });
      // Its slot is free once its code has settled.
      return this.#life.limit(run, this.config.gracePeriodMs ?? DEFAULT_GRACE_PERIOD_MS);
    }
    // One whose start is being committed is let go after that.
    if (run.phase !== "starting") this.#release(run);
  }

  /** Another configuration. `changed`: what runs must go on with the new one, from a step boundary. */
  replace(config: WorkflowConfig, location: Result<Location, Problem>, changed: boolean): void {
    this.config = config;
    this.location = location;
    this.#loadDeaths = 0;
    if (changed && this.#life.pid !== null) this.#leave();
    else this.fill();
  }

  /** Lets its worker go at a step boundary; who was in it goes on in the next. */
  #leave(): void {
    const gone = this.#life.leave("retire", true);
    this.#life.shutDown(Number.POSITIVE_INFINITY);
    void gone.then(() => {
      this.#resume("reload");
      this.fill();
      this.#life.start();
    });
  }

  tellPeers(peers: { name: string; database: string }[]): void {
    if (this.pid !== null) this.#life.post({ type: "peers", generation: this.#life.generation, peers });
  }

  /** Runs reach a step boundary, and stay as they are for the next kernel. */
  stop(): Promise<void> {
    this.#stopping = true;
    this.#idle?.cancel();
    return this.#life.leave("stop", true);
  }

  kill(why: string): void {
    this.#life.kill(why);
  }

  // ── the worker's crew ────────────────────────────────────────────────

  get title(): string {
    return `workflow "${this.name}"`;
  }

  get about(): JsonObject {
    return { workflow: this.name };
  }

  command(): WorkerCommand {
    return this.#host.command();
  }

  isWanted(): boolean {
    return this.#handed.size > 0 && this.location.ok;
  }

  parse = parseWorkflowMessage;

  init(generation: number): WorkflowParentMessage {
    this.#ackUpTo = 0;
    this.#ackLogs = 0;
    return this.#host.init(this, generation);
  }

  nameOf(task: Task): string {
    return task === MODULE ? "its module" : `run ${task.id}`;
  }

  speakOf(task: Task): string {
    return `${this.title}, ${this.nameOf(task)}`;
  }

  describeLimit(task: Task): string {
    const grace = formatDuration(this.config.gracePeriodMs ?? DEFAULT_GRACE_PERIOD_MS);
    const { timeoutMs } = this.config;
    if (task !== MODULE && task.isOver) return `it had not settled within ${grace} of being cancelled`;
    return `it had not settled at its hard limit, ${timeoutMs === null ? "" : `${formatDuration(timeoutMs)} timeout and `}${grace} grace period`;
  }

  awaits(): boolean {
    return this.#unstarted > 0;
  }

  dispatch(): void {
    const { generation } = this.#life;
    if (this.#ackUpTo > 0 || this.#ackLogs > 0) {
      this.#life.post({ type: "ack", generation, upTo: this.#ackUpTo, logs: this.#ackLogs });
      this.#ackUpTo = 0;
      this.#ackLogs = 0;
    }
    if (!this.#life.isOpen || this.#handed.size === 0 || this.#stopping) return;
    for (const run of this.#sendable()) this.#send(run);
  }

  /** While there are suspects: one of them, alone with those found innocent since; nobody else. */
  #sendable(): LiveRun[] {
    if (this.#suspects.size === 0) return [...this.#handed.keys()];
    if ([...this.#inWorker.values()].some((run) => this.#suspects.has(run))) return [];
    const waiting = [...this.#suspects].filter((run) => this.#handed.has(run));
    waiting.sort((a, b) => a.cleared - b.cleared || a.id - b.id);
    return waiting.slice(0, 1);
  }

  #send(run: LiveRun): void {
    const handed = this.#handed.get(run);
    if (handed === undefined || run.row === null) return;
    const { order, history } = handed;
    const { trigger, input } = order;
    this.#handed.delete(run);
    this.#inWorker.set(run.id, run);
    this.#unstarted++;
    run.phase = "sent";
    this.#life.post({
      type: "run",
      generation: this.#life.generation,
      run: run.id,
      attempt: run.row.attempt,
      trace: run.trace,
      trigger: { id: trigger.id, sense: trigger.sense, at: trigger.at, payload: input, reflex: trigger.reflex },
      timeoutMs: this.#timeLeft(run),
      ...replayOf(history, this.#host.lifetime.now()),
    });
    this.#life.expects();
  }

  #timeLeft(run: LiveRun): number | null {
    const { timeoutMs } = this.config;
    return timeoutMs === null ? null : Math.max(1, timeoutMs - run.ranMs);
  }

  unsettle(): void {
    this.#unstarted = 0;
    for (const run of this.#inWorker.values()) this.#interrupted.add(run);
    this.#inWorker.clear();
  }

  died({ how, suspects, culprit, overdue, at }: Death<Task>): boolean {
    for (const { task, startedAt } of suspects) {
      // Of several, none is charged with the time in which another may have kept it from settling.
      if (task !== MODULE && suspects.length === 1) task.ranMs += at - startedAt;
      if (task !== MODULE && suspects.length > 1 && overdue && task.isOver) this.#sayDeaf(task);
    }
    let held = false;
    if (culprit === null) this.#suspect(suspects.flatMap(({ task }) => (task === MODULE ? [] : [task])));
    else if (culprit.task === MODULE) held = this.#diedLoading(how);
    else held = this.#answers(culprit.task, how, overdue);
    this.#resume("worker-died");
    return held;
  }

  /** Beside others it is not named as who is to blame; and it is not run again to be found out. */
  #sayDeaf(run: LiveRun): void {
    this.#host.journal.log({
      level: "warn",
      source: `workflow:${this.name}`,
      event: "run.killed",
      message: `${this.nameOf(run)} was ${run.row?.state} and had not settled when its worker was killed`,
      data: { run: run.id },
      trace: run.trace,
    });
  }

  #suspect(runs: readonly LiveRun[]): void {
    if (runs.length > 1) for (const run of runs) this.#suspects.add(run);
  }

  #diedLoading(how: string): boolean {
    this.#loadDeaths++;
    if (this.#loadDeaths < STRIKES) return false;
    this.#loadDeaths = 0;
    this.#failHanded({
      error: `its worker died ${STRIKES} times while it loaded the module: ${how}`,
      stack: null,
      step: null,
      timedOut: false,
    });
    return true;
  }

  /** True when the run has to answer for it with its end, or its attempt's. */
  #answers(run: LiveRun, how: string, overdue: boolean): boolean {
    if (run.isOver) return true;
    if (overdue) {
      this.#interrupted.delete(run);
      const error = `it was killed: ${this.describeLimit(run)}`;
      this.#fails(run, { error, stack: null, step: null, timedOut: true }, () => {});
      return true;
    }
    run.deaths++;
    if (run.deaths < STRIKES) return false;
    this.#interrupted.delete(run);
    const error = `its worker died ${STRIKES} times while it ran alone: ${how}`;
    this.#host.ledger.add({
      write: (draft) => void draft.run(run, { event: "run.failed", data: { error, stack: null } }),
      kept: () => this.#settled(run, () => {}),
    });
    return true;
  }

  /** Those that were in a worker that is gone keep their slots and begin again. */
  #resume(reason: ResumeReason): void {
    const interrupted = [...this.#interrupted];
    this.#interrupted.clear();
    for (const run of interrupted) {
      if (run.isOver) {
        this.#release(run);
        continue;
      }
      run.reason = reason;
      if (!this.#stopping) this.#begin(run);
    }
  }

  /** After a while without work the worker leaves. */
  #watchIdle(): void {
    if (this.#slots.size > 0 || this.pid === null || this.#idle !== null) return;
    this.#idle = this.#host.ticker.after(IDLE_MS, () => {
      this.#idle = null;
      if (this.#slots.size === 0 && this.#life.isOpen) {
        void this.#life.leave("retire", false).then(() => this.#life.start());
      }
    });
  }

  // ── messages ─────────────────────────────────────────────────────────

  output(stream: "stdout" | "stderr", line: string): void {
    const level = stream === "stdout" ? "info" : "error";
    const [only] = this.#inWorker.size === 1 ? this.#inWorker.values() : [];
    const head = { type: "log", generation: this.#life.generation, run: only?.id ?? null, level } as const;
    const trace = only?.trace ?? null;
    this.#host.output(this, { ...head, event: "output", trace, message: line, data: null, dropped: 0 }, () => {});
  }

  receive(message: WorkflowMessage): void {
    switch (message.type) {
      case "ready":
        return this.#isReady(message);
      case "started":
        return this.#started(message.run);
      case "log":
        return this.#host.output(this, message, () => {
          this.#ackLogs++;
          this.#life.schedule();
        });
      case "error":
        return this.#life.complaint(`workflow:${this.name}`, message);
      case "bye":
        return;
      default: {
        const run = this.#inWorker.get(message.run);
        if (run?.phase !== "under-way") {
          return this.#life.malformed(`"${message.type}" of run ${message.run}, which is not under way`);
        }
        return this.#said(run, message);
      }
    }
  }

  #isReady({ problem }: WorkflowMessageOf<"ready">): void {
    if (!this.#life.isReady()) return this.#life.malformed("a second ready");
    this.#loadDeaths = 0;
    if (problem !== null) return this.#failToLoad(problem);
    const { pid } = this;
    this.#host.journal.log({
      level: "info",
      source: "kernel",
      event: "worker.started",
      message: `worker ${pid} of ${this.title} is up`,
      data: { ...this.about, pid, generation: this.#life.generation },
      trace: null,
    });
    this.#life.schedule();
  }

  #failToLoad(problem: Problem): void {
    const error = formatProblem(problem);
    const { kind, file, line, column } = problem;
    const data = { kind, file, line, column };
    const source = `workflow:${this.name}`;
    this.#host.journal.logFolded({
      level: "error",
      source,
      event: "workflow.failed",
      message: error,
      data,
      trace: null,
    });
    this.#failHanded({ error, stack: null, step: null, timedOut: false });
    // The next run looks again: the module may have been mended.
    if (this.#life.isOpen) void this.#life.leave("retire", false).then(() => this.#life.start());
  }

  #failHanded(failure: Failure): void {
    for (const run of [...this.#handed.keys()]) {
      this.#handed.delete(run);
      run.phase = "starting";
      this.#fails(run, failure, () => {});
    }
  }

  #started(id: number | null): void {
    if (id === null) {
      if (!this.#life.loads(MODULE)) this.#life.malformed('"started" of its module');
      return;
    }
    const run = this.#inWorker.get(id);
    if (run?.phase !== "sent") return this.#life.malformed(`"started" of run ${id}, which was not sent`);
    run.phase = "under-way";
    this.#unstarted--;
    const left = this.#timeLeft(run);
    const graceMs = this.config.gracePeriodMs ?? DEFAULT_GRACE_PERIOD_MS;
    this.#life.begins(run, left === null ? Number.POSITIVE_INFINITY : left + graceMs);
    if (run.isOver) this.#life.limit(run, graceMs);
    if (this.#suspects.has(run)) {
      const { generation } = this.#life;
      this.#host.ticker.after(INNOCENT_MS, () => {
        if (this.#life.generation === generation && this.#inWorker.has(run.id)) this.#clear(run);
      });
    }
  }

  /** It has not killed its worker. */
  #clear(run: LiveRun): void {
    if (!this.#suspects.delete(run)) return;
    run.cleared++;
    this.#life.schedule();
  }

  #said(run: LiveRun, message: OfRun): void {
    switch (message.type) {
      case "step-started": {
        const { step, nth, attempt } = message;
        return this.#record(run, { event: "step.started", data: { step, nth, attempt } }, () => {});
      }
      case "step-completed": {
        const { step, nth, attempt, result, durationMs: duration_ms } = message;
        const data = { step, nth, attempt, result: result as RunEventData["step.completed"]["result"], duration_ms };
        return this.#recordAndAck(run, message.seq, { event: "step.completed", data }, () => {
          run.deaths = 0;
          this.#clear(run);
        });
      }
      case "step-failed": {
        const { step, nth, attempt, error, stack, durationMs: duration_ms, retryInMs } = message;
        const again = retryInMs === null ? { until: null, due: null } : this.#deadline(retryInMs);
        const data = { step, nth, attempt, error, stack, duration_ms, ...again };
        return this.#recordAndAck(run, message.seq, { event: "step.failed", data }, () => {});
      }
      case "sleep": {
        const data = { nth: message.nth, ...this.#deadline(message.ms) };
        return this.#recordAndAck(run, message.seq, { event: "sleep.started", data }, () => {});
      }
      case "suspended":
        return this.#suspended(run, message);
      case "completed": {
        this.#leaves(run);
        const ran_ms = Math.round(run.ranMs + message.ranMs);
        const output = message.output as RunEventData["run.completed"]["output"];
        return this.#record(run, { event: "run.completed", data: { output, ran_ms } }, () =>
          this.#settled(run, () => {}),
        );
      }
      case "failed": {
        this.#leaves(run);
        const { error, stack, step } = message;
        return this.#fails(run, { error, stack, step, timedOut: false }, () => {});
      }
      case "timed-out": {
        this.#leaves(run);
        const error = `it passed its timeout of ${formatDuration(this.config.timeoutMs ?? 0)}`;
        return this.#fails(run, { error, stack: null, step: null, timedOut: true }, () => {});
      }
      case "stopped":
        this.#leaves(run);
        return this.#release(run);
    }
  }

  /** Its execution is over in the worker; its slot is free after the commit. */
  #leaves(run: LiveRun): void {
    this.#life.ends(run);
    this.#inWorker.delete(run.id);
    run.phase = "starting";
  }

  #suspended(run: LiveRun, message: WorkflowMessageOf<"suspended">): void {
    this.#leaves(run);
    const now = this.#host.lifetime.now();
    const { due, until } = this.#deadline(message.leftMs, now);
    const sleeps = message.sleeps.map(({ nth, ms }) => ({ nth, ...this.#deadline(ms, now) }));
    const ran_ms = Math.round(run.ranMs + message.ranMs);
    this.#record(run, { event: "run.sleeping", data: { until, due, sleeps, ran_ms } }, () => {
      run.ranMs = ran_ms;
      run.cleared++;
      this.#settled(run, () => this.#sleep(run, due, "slept"));
    });
  }

  #record(run: LiveRun, event: RunEvent, kept: () => void): void {
    this.#host.ledger.add({ write: (draft) => void draft.run(run, event), kept });
  }

  /** As `record`; the thread waits for it. */
  #recordAndAck(run: LiveRun, seq: number, event: RunEvent, kept: () => void): void {
    const { generation } = this.#life;
    this.#record(run, event, () => {
      if (generation === this.#life.generation) {
        this.#ackUpTo = Math.max(this.#ackUpTo, seq);
        this.#life.schedule();
      }
      kept();
    });
  }
}

type OfRun = Exclude<WorkflowMessage, { type: "ready" | "started" | "log" | "error" | "bye" }>;

interface Failure {
  readonly error: string;
  readonly stack: string | null;
  /** The step whose failure it was, and which is run again. */
  readonly step: RunEventData["run.retrying"]["step"];
  readonly timedOut: boolean;
}
