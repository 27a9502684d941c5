/**
 * The worker of one workflow: what it is told of runs, and what it says of them. Invariants kept here:
 * - Of a run nothing is believed that is not under way in this worker.
 * - A run that heard of its end and did not settle answers for the worker's; nobody beside it does.
 * - Runs under way at its death are run again one at a time, until each is known to be innocent; one that was alone at
 *   three deaths ends.
 */
import { formatDuration } from "../../base/duration.ts";
import type { Result } from "../../base/result.ts";
import { DEFAULT_GRACE_PERIOD_MS } from "../../config/defaults.ts";
import { parseWorkflowMessage } from "../../ipc/parse.ts";
import type { WorkflowMessage, WorkflowMessageOf, WorkflowParentMessage } from "../../ipc/workflow-definitions.ts";
import type { WorkflowConfig } from "../../model/config.ts";
import { formatProblem, type Problem } from "../../model/problem.ts";
import type { RunEvent, RunEventData } from "../../model/run.ts";
import type { CountedSleep, SleepPlace } from "../../model/run-places.ts";
import type { Location } from "../../spawn/modules-on-disk.ts";
import type { PeerFiles } from "../../spawn/peer-files.ts";
import type { WorkerCommand } from "../../spawn/worker-process.ts";
import type { LiveRun, ResumeReason, RunOrder } from "../memory/run.ts";
import type { Lifetime } from "../time/lifetime.ts";
import type { Handle } from "../time/ticker.ts";
import { STRIKES } from "../workers/blame.ts";
import type { Crew, Death, LifeHost } from "../workers/crew.ts";
import { WorkerLife } from "../workers/life.ts";
import type { Activity } from "../workers/limits.ts";
import { replayOf } from "./replay.ts";
import type { RunHistory } from "./run-history.ts";
import type { Failure } from "./run-policy.ts";

/** What runs' workers need of the kernel. */
export interface RunWorkerHost extends LifeHost {
  readonly lifetime: Lifetime;
  command(): WorkerCommand;
  /** The first message of a new worker. */
  init(workflow: WorkflowModule, generation: number): WorkflowParentMessage;
  output(workflow: WorkflowModule, message: WorkflowMessageOf<"log">, taken: () => void): void;
}

/** What a worker is started for. */
export interface WorkflowModule {
  readonly name: string;
  readonly config: WorkflowConfig;
  readonly location: Result<Location, Problem>;
}

/** Who gives out the slots, and does what follows from what the worker says. */
export interface RunDesk extends WorkflowModule {
  /** A run has a slot. */
  readonly isBusy: boolean;
  /** Commits an event of a run. */
  record(run: LiveRun, event: RunEvent, kept: () => void): void;
  deadline(ms: number, now?: number): { readonly until: number; readonly due: number };
  /** After a commit that ended the run, or put it to sleep. */
  settled(run: LiveRun, sleep: () => void): void;
  sleep(run: LiveRun, due: number, reason: ResumeReason): void;
  /** The attempt is over, without success. */
  fails(run: LiveRun, failure: Failure): void;
  release(run: LiveRun): void;
  /** It was in a worker that is gone, and keeps its slot. */
  interrupted(run: LiveRun, reason: ResumeReason): void;
}

/** A run that has a slot and is to be told to the worker. */
export interface Handed {
  readonly order: RunOrder;
  readonly history: RunHistory;
}

/** The import of the module, which is no run. */
const MODULE = "module";
type Task = LiveRun | typeof MODULE;

/** A workflow without work keeps its worker for this long. */
const IDLE_MS = 10_000;
/** A reload that has waited so long for steps says what it waits for. */
const SAY_WAITING_MS = 10_000;
/** A suspect that has run alone for this long is innocent. */
const INNOCENT_MS = 60_000;

export class RunWorker implements Crew<WorkflowParentMessage, WorkflowMessage, Task> {
  readonly noun = "run";
  readonly memoryBytes = null;
  readonly #desk: RunDesk;
  readonly #host: RunWorkerHost;
  readonly #life: WorkerLife<WorkflowParentMessage, WorkflowMessage, Task>;

  readonly #handed = new Map<LiveRun, Handed>();
  /** Told to the worker, by id, until it has ended there. */
  readonly #inWorker = new Map<number, LiveRun>();
  readonly #interrupted = new Set<LiveRun>();
  /** Those that have ended there but for their steps: what is to be done once these have, where that is known. */
  readonly #lingering = new Map<LiveRun, (() => void) | null>();
  readonly #suspects = new Set<LiveRun>();
  /** Those that heard of their end in this worker, and had not settled then. */
  readonly #told = new Set<LiveRun>();
  #loadDeaths = 0;
  #unstarted = 0;
  #ackUpTo = 0;
  #ackLogs = 0;
  #idle: Handle | null = null;

  constructor(desk: RunDesk, host: RunWorkerHost) {
    this.#desk = desk;
    this.#host = host;
    this.#life = new WorkerLife(this, host);
  }

  get pid(): number | null {
    return this.#life.pid;
  }

  /** Of the worker there is, or was last. */
  get generation(): number {
    return this.#life.generation;
  }

  // ── what its workflow asks ───────────────────────────────────────────

  /** It has a slot, and its start is committed. */
  hand(run: LiveRun, handed: Handed): void {
    this.#handed.set(run, handed);
    if (!this.#desk.location.ok) return this.#failToLoad(this.#desk.location.error);
    if (this.#life.isOpen) this.#life.schedule();
    else if (!this.#life.restarting) this.#life.start();
  }

  /** Ends the execution of a run that has ended by other means. False: it has none. */
  abort(run: LiveRun): boolean {
    if (!this.#inWorker.has(run.id)) return false;
    this.#life.post({ type: "cancel", generation: this.#life.generation, run: run.id });
    this.#life.limit(run, this.#desk.config.gracePeriodMs ?? DEFAULT_GRACE_PERIOD_MS);
    return true;
  }

  /** Calls `act` as soon as no code of `run` is under way in the worker. */
  onceLeft(run: LiveRun, act: () => void): void {
    if (this.#lingering.has(run)) this.#lingering.set(run, act);
    else act();
  }

  /** It has no slot any more. */
  forget(run: LiveRun): void {
    this.#lingering.delete(run);
    this.#suspects.delete(run);
    this.#handed.delete(run);
    this.#inWorker.delete(run.id);
    this.#interrupted.delete(run);
    this.#told.delete(run);
    this.#life.schedule();
  }

  /** Another one, with another config or code, from a step boundary of each run on. */
  renew(): void {
    this.#loadDeaths = 0;
    if (this.pid === null) return;
    // Steps take the time they need; a worker without a run has nothing to wait for.
    const isBusy = this.#inWorker.size > 0;
    const gone = this.#life.leave("retire", isBusy);
    if (isBusy) this.#life.shutDown(Number.POSITIVE_INFINITY);
    const waiting = isBusy ? this.#host.ticker.after(SAY_WAITING_MS, () => this.#sayWaiting()) : null;
    void gone.then(() => {
      waiting?.cancel();
      this.#resume("reload");
      this.#life.start();
    });
  }

  #sayWaiting(): void {
    const runs = [...this.#inWorker.keys()];
    const message = `what was changed waits for ${runs.map((run) => `run ${run}`).join(", ")} to reach the end of a step, and new runs wait for it; \`nerve cancel\` ends a run`;
    this.#host.journal.of(`workflow:${this.#desk.name}`).warn("workflow.waiting", message, { runs });
  }

  tellPeers(peers: PeerFiles): void {
    if (this.pid !== null) this.#life.post({ type: "peers", generation: this.#life.generation, peers });
  }

  /** Runs reach a step boundary, and stay as they are for the next kernel. */
  stop(): Promise<void> {
    this.#idle?.cancel();
    return this.#life.leave("stop", true);
  }

  kill(why: string): void {
    this.#life.kill(why);
  }

  /** Nobody has a slot: after a while it leaves. */
  idles(): void {
    if (this.pid === null || this.#idle !== null) return;
    this.#idle = this.#host.ticker.after(IDLE_MS, () => {
      this.#idle = null;
      if (!this.#desk.isBusy && this.#life.isOpen) this.#leave();
    });
  }

  #leave(): void {
    void this.#life.leave("retire", false).then(() => this.#life.start());
  }

  // ── the worker's crew ────────────────────────────────────────────────

  get title(): string {
    return `workflow "${this.#desk.name}"`;
  }

  get about(): { readonly workflow: string } {
    return { workflow: this.#desk.name };
  }

  command(): WorkerCommand {
    return this.#host.command();
  }

  isWanted(): boolean {
    return this.#handed.size > 0 && this.#desk.location.ok;
  }

  parse = parseWorkflowMessage;

  init(generation: number): WorkflowParentMessage {
    this.#told.clear();
    this.#ackUpTo = 0;
    this.#ackLogs = 0;
    return this.#host.init(this.#desk, generation);
  }

  nameOf(task: Task): string {
    return task === MODULE ? "its module" : `run ${task.id}`;
  }

  speakOf(task: Task): string {
    return `${this.title}, ${this.nameOf(task)}`;
  }

  describeLimit(task: Task): string {
    const grace = formatDuration(this.#desk.config.gracePeriodMs ?? DEFAULT_GRACE_PERIOD_MS);
    const { timeoutMs } = this.#desk.config;
    if (isLingering(task)) return `steps it had left under way had not settled within ${grace} of its end`;
    if (task !== MODULE && task.isOver) return `it had not settled within ${grace} of being cancelled`;
    return `it had not settled at its hard limit, ${timeoutMs === null ? "" : `${formatDuration(timeoutMs)} timeout and `}${grace} grace period`;
  }

  wasTold(task: Task): boolean {
    return task !== MODULE && (this.#told.has(task) || isLingering(task));
  }

  /** Its worker reports a timeout, or `overdue`. */
  isLate(): void {}

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
    if (!this.#life.isOpen || this.#handed.size === 0) return;
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
    const { timeoutMs } = this.#desk.config;
    return timeoutMs === null ? null : Math.max(1, timeoutMs - run.ranMs);
  }

  unsettle(running: readonly Activity<Task>[], at: number): void {
    // At a death of several none is charged with the time in which another may have kept it from settling.
    const isCharged = this.#life.leaving !== null || running.length === 1;
    for (const { task, startedAt } of running) {
      if (task !== MODULE && isCharged && !isLingering(task)) task.ranMs += at - startedAt;
    }
    this.#unstarted = 0;
    for (const run of this.#inWorker.values()) if (!isLingering(run)) this.#interrupted.add(run);
    this.#inWorker.clear();
    // Once this end has been dealt with: they give slots to others.
    const left = [...this.#lingering.keys()];
    queueMicrotask(() => {
      for (const run of left) this.#hasLeft(run);
    });
  }

  died({ how, suspects, culprit, overdue }: Death<Task>): boolean {
    for (const { task } of suspects) {
      if (task !== MODULE && suspects.length > 1 && overdue && task.isOver) this.#sayDeaf(task);
    }
    let held = false;
    if (culprit === null) this.#suspect(suspects.flatMap(({ task }) => (task === MODULE ? [] : [task])));
    else if (culprit.task === MODULE) held = this.#diedLoading(how);
    else held = this.#answers(culprit.task, how, overdue);
    this.#endTold();
    this.#resume("worker-died");
    return held;
  }

  /** Beside others it is not named as who is to blame; and it is not run again to be found out. */
  #sayDeaf(run: LiveRun): void {
    const message = `${this.nameOf(run)} was ${run.row?.state} and had not settled when its worker was killed`;
    const voice = this.#host.journal.of(`workflow:${this.#desk.name}`, run.trace);
    voice.warn("run.killed", message, { run: run.id });
  }

  /** Whoever the worker was killed for: these had passed their timeouts. */
  #endTold(): void {
    for (const run of this.#told) {
      if (!this.#interrupted.has(run) || run.isOver) continue;
      this.#interrupted.delete(run);
      const error = `${this.#timeoutPassed}, and had not settled when its worker died`;
      this.#desk.fails(run, { error, stack: null, steps: [], how: "timed-out" });
    }
  }

  get #timeoutPassed(): string {
    return `it passed its timeout of ${formatDuration(this.#desk.config.timeoutMs ?? 0)}`;
  }

  #suspect(runs: readonly LiveRun[]): void {
    const among = runs.filter((run) => !isLingering(run));
    if (among.length > 1) for (const run of among) this.#suspects.add(run);
  }

  #diedLoading(how: string): boolean {
    this.#loadDeaths++;
    if (this.#loadDeaths < STRIKES) return false;
    this.#loadDeaths = 0;
    this.#failHanded({
      error: `its worker died ${STRIKES} times while it loaded the module: ${how}`,
      stack: null,
      steps: [],
      how: "threw",
    });
    return true;
  }

  /** True when the run has to answer for it with its end, or its attempt's. */
  #answers(run: LiveRun, how: string, overdue: boolean): boolean {
    if (run.isOver || isLingering(run)) return true;
    if (overdue) {
      this.#interrupted.delete(run);
      const error = `it was killed: ${this.describeLimit(run)}`;
      this.#desk.fails(run, { error, stack: null, steps: [], how: "timed-out" });
      return true;
    }
    run.deaths++;
    if (run.deaths < STRIKES) return false;
    this.#interrupted.delete(run);
    const error = `its worker died ${STRIKES} times while it ran alone: ${how}`;
    this.#desk.record(run, { event: "run.failed", data: { error, stack: null, steps: [] } }, () =>
      this.#desk.settled(run, () => {}),
    );
    return true;
  }

  /** Those that were in a worker that is gone keep their slots and begin again. */
  #resume(reason: ResumeReason): void {
    const interrupted = [...this.#interrupted];
    this.#interrupted.clear();
    for (const run of interrupted) this.#desk.interrupted(run, reason);
  }

  // ── messages ─────────────────────────────────────────────────────────

  output(stream: "stdout" | "stderr", line: string): void {
    const level = stream === "stdout" ? "info" : "error";
    const [only] = this.#inWorker.size === 1 ? this.#inWorker.values() : [];
    const head = { type: "log", generation: this.#life.generation, run: only?.id ?? null, level } as const;
    const trace = only?.trace ?? null;
    this.#host.output(this.#desk, { ...head, event: "output", trace, message: line, data: null, dropped: 0 }, () => {});
  }

  receive(message: WorkflowMessage): void {
    switch (message.type) {
      case "ready":
        return this.#isReady(message);
      case "started":
        return this.#started(message.run);
      case "log":
        return this.#host.output(this.#desk, message, () => {
          this.#ackLogs++;
          this.#life.schedule();
        });
      case "error":
        return this.#life.complaint(`workflow:${this.#desk.name}`, message);
      case "bye":
        return;
      default: {
        const run = this.#inWorker.get(message.run);
        const isHeard = run?.phase === "under-way" || (run?.phase === "lingering" && LINGERS.has(message.type));
        if (run === undefined || !isHeard) {
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
    const data = { ...this.about, pid, generation: this.#life.generation };
    this.#host.journal.of("kernel").info("worker.started", `worker ${pid} of ${this.title} is up`, data);
    this.#life.schedule();
  }

  #failToLoad(problem: Problem): void {
    const error = formatProblem(problem);
    this.#host.journal.logProblem(`workflow:${this.#desk.name}`, "workflow.failed", problem);
    this.#failHanded({ error, stack: null, steps: [], how: "threw" });
    // The next run looks again: the module may have been mended.
    if (this.#life.isOpen) this.#leave();
  }

  #failHanded(failure: Failure): void {
    for (const run of [...this.#handed.keys()]) {
      this.#handed.delete(run);
      run.phase = "committing";
      this.#desk.fails(run, failure);
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
    const graceMs = this.#desk.config.gracePeriodMs ?? DEFAULT_GRACE_PERIOD_MS;
    const hardMs = left === null ? Number.POSITIVE_INFINITY : left + graceMs;
    this.#life.begins(run, Number.POSITIVE_INFINITY, hardMs);
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
        return this.#desk.record(run, { event: "step.started", data: { step, nth, attempt } }, () => {});
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
        const { step, nth, attempt, error, name, stack, durationMs: duration_ms, retryInMs } = message;
        const again = retryInMs === null ? { until: null, due: null } : this.#desk.deadline(retryInMs);
        const data = { step, nth, attempt, error, name, message: message.message, stack, duration_ms, ...again };
        return this.#recordAndAck(run, message.seq, { event: "step.failed", data }, () => {});
      }
      case "sleep": {
        const { duration, name, nth } = message;
        const data = { ...sleepPlace(duration, name, nth), ...this.#desk.deadline(message.ms) };
        return this.#recordAndAck(run, message.seq, { event: "sleep.started", data }, () => {});
      }
      case "slept": {
        const { duration, name, nth } = message;
        return this.#recordAndAck(
          run,
          message.seq,
          { event: "sleep.ended", data: sleepPlace(duration, name, nth) },
          () => {},
        );
      }
      case "suspended":
        return this.#suspended(run, message);
      case "completed": {
        this.#ends(run, message.lingers);
        const ran_ms = Math.round(run.ranMs + message.ranMs);
        const output = message.output as RunEventData["run.completed"]["output"];
        return this.#desk.record(run, { event: "run.completed", data: { output, ran_ms } }, () =>
          this.#desk.settled(run, () => {}),
        );
      }
      case "failed": {
        this.#ends(run, message.lingers);
        const { error, stack, steps, again } = message;
        return this.#desk.fails(run, { error, stack, steps, how: again ? "threw" : "for-good" });
      }
      case "timed-out": {
        this.#leaves(run);
        return this.#desk.fails(run, { error: this.#timeoutPassed, stack: null, steps: [], how: "timed-out" });
      }
      case "overdue":
        this.#told.add(run);
        return;
      case "stopped": {
        if (isLingering(run)) return this.#hasLeft(run);
        this.#leaves(run);
        return this.#desk.release(run);
      }
    }
  }

  /** Its execution has ended. Steps that are still under way were told to end, and have the grace period for it. */
  #ends(run: LiveRun, lingers: boolean): void {
    if (!lingers) return this.#leaves(run);
    this.#told.delete(run);
    this.#lingering.set(run, null);
    this.#life.limit(run, this.#desk.config.gracePeriodMs ?? DEFAULT_GRACE_PERIOD_MS);
    run.phase = "lingering";
  }

  #hasLeft(run: LiveRun): void {
    const act = this.#lingering.get(run);
    if (act === undefined) return;
    this.#lingering.delete(run);
    this.#leaves(run);
    act?.();
  }

  /** Its execution is over in the worker; its slot is free after the commit. */
  #leaves(run: LiveRun): void {
    this.#told.delete(run);
    this.#life.ends(run);
    this.#inWorker.delete(run.id);
    run.phase = "committing";
  }

  #suspended(run: LiveRun, message: WorkflowMessageOf<"suspended">): void {
    this.#leaves(run);
    const now = this.#host.lifetime.now();
    const { due, until } = this.#desk.deadline(message.leftMs, now);
    const sleeps = message.sleeps.map(({ duration, name, nth, ms }) => ({
      ...sleepPlace(duration, name, nth),
      ...this.#desk.deadline(ms, now),
    }));
    const ran_ms = Math.round(run.ranMs + message.ranMs);
    this.#desk.record(run, { event: "run.sleeping", data: { until, due, sleeps, ran_ms } }, () => {
      run.ranMs = ran_ms;
      run.cleared++;
      this.#desk.settled(run, () => this.#desk.sleep(run, due, "slept"));
    });
  }

  /** The thread waits for its commit. */
  #recordAndAck(run: LiveRun, seq: number, event: RunEvent, kept: () => void): void {
    const { generation } = this.#life;
    this.#desk.record(run, event, () => {
      if (generation === this.#life.generation) {
        this.#ackUpTo = Math.max(this.#ackUpTo, seq);
        this.#life.schedule();
      }
      kept();
    });
  }
}

/** What a run that lingers still says: a step that finishes counts. */
const LINGERS: ReadonlySet<WorkflowMessage["type"]> = new Set(["step-completed", "stopped"]);

/** Without a duration the sleep was begun by an earlier version. */
const sleepPlace = (duration: string | null, name: string | null, nth: number): SleepPlace | CountedSleep =>
  duration === null ? { nth } : { duration, name, nth };

const isLingering = (task: Task): boolean => task !== MODULE && task.phase === "lingering";

type OfRun = Exclude<WorkflowMessage, { type: "ready" | "started" | "log" | "error" | "bye" }>;
