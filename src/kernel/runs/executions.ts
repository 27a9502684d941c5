/**
 * The executions of one workflow's runs in its worker: which runs wait for it, which are in it, and who answers for its
 * death. Invariants kept here:
 * - A run that was told to stop and did not is blamed for the worker's death; others are not.
 * - Runs under way at its death are run again one at a time, until each is known to be innocent; one that was alone at
 *   three deaths ends.
 */
import { DEFAULT_GRACE_PERIOD_MS } from "../../config/defaults.ts";
import type { WorkflowMessage, WorkflowParentMessage } from "../../ipc/workflow-definitions.ts";
import type { LiveRun, ResumeReason } from "../memory/run.ts";
import { STRIKES } from "../workers/blame.ts";
import type { Death } from "../workers/crew.ts";
import type { WorkerLife } from "../workers/life.ts";
import type { Activity } from "../workers/limits.ts";
import { Suspects } from "../workers/suspects.ts";
import { isLingering, Lingering } from "./lingering.ts";
import { failedStep } from "./run-history.ts";
import { describeLimit, timeoutPassed } from "./run-policy.ts";
import { type ExecutionEnds, isHeard, type RunReport } from "./run-reports.ts";
import { RunSender } from "./run-sender.ts";
import type { Assignment, Slots } from "./slots.ts";
import type { RunWorkerHost } from "./workflow-host.ts";

/** The import of the module, which is no run. */
export const MODULE = "module";
export type Task = LiveRun | typeof MODULE;

/** A suspect that has run alone for this long is innocent. */
const INNOCENT_MS = 60_000;

export class Executions implements ExecutionEnds {
  readonly #slots: Slots;
  readonly #host: RunWorkerHost;
  readonly #life: WorkerLife<WorkflowParentMessage, WorkflowMessage, Task>;

  readonly #handed = new Map<LiveRun, Assignment>();
  /** Sent to the worker, by id, until their executions are over there. */
  readonly #inWorker = new Map<number, LiveRun>();
  readonly #sender: RunSender;
  readonly #lingering = new Lingering();
  readonly #suspects = new Suspects<LiveRun>();
  /** Runs that heard of their end in this worker, and had not settled then. */
  readonly #overdue = new Set<LiveRun>();
  /** Runs whose worker is gone, until they are resumed. */
  #interrupted: LiveRun[] = [];
  #unstarted = 0;

  constructor(slots: Slots, host: RunWorkerHost, life: WorkerLife<WorkflowParentMessage, WorkflowMessage, Task>) {
    this.#slots = slots;
    this.#host = host;
    this.#life = life;
    this.#sender = new RunSender(host, life, {
      sends: (run, assignment) => this.#sends(run, assignment),
      timeLeft: (run) => this.#timeLeft(run),
      causeOf: ({ order }) => host.causeOf(slots, order),
    });
  }

  /** Ids of the runs in the worker. */
  get ids(): number[] {
    return [...this.#inWorker.keys()];
  }

  /** The run in the worker, where there is one alone. */
  get only(): LiveRun | null {
    const [only = null] = this.#inWorker.size === 1 ? this.#inWorker.values() : [];
    return only;
  }

  /** The worker was sent a run that it has not begun, or a piece of one. */
  get isAwaited(): boolean {
    return this.#unstarted > 0 || this.#sender.runs.length > 0;
  }

  get #graceMs(): number {
    return this.#slots.config.gracePeriodMs ?? DEFAULT_GRACE_PERIOD_MS;
  }

  /** A worker begins. */
  anew(): void {
    this.#overdue.clear();
  }

  // ── from the workflow to the worker ──────────────────────────────────

  hand(run: LiveRun, assignment: Assignment): void {
    run.to("handed");
    this.#handed.set(run, assignment);
    this.#life.schedule();
  }

  /** Ends the execution of a run that has ended by other means. False: it has none. */
  abort(run: LiveRun): boolean {
    this.#sender.takeBack(run);
    if (!this.#inWorker.has(run.id)) return false;
    this.#life.post({ type: "cancel", generation: this.#life.generation, run: run.id });
    this.#life.limit(run, this.#graceMs);
    return true;
  }

  /** Calls `act` as soon as no code of `run` is under way in the worker. */
  onceLeft(run: LiveRun, act: () => void): void {
    this.#lingering.onceLeft(run, act);
  }

  /** It has no slot any longer. */
  forget(run: LiveRun): void {
    this.#suspects.clear(run);
    this.#handed.delete(run);
    this.#sender.takeBack(run);
    this.#inWorker.delete(run.id);
    this.#overdue.delete(run);
    this.#life.schedule();
  }

  /** Sends the runs that wait for the worker; while there are suspects, one of them. */
  sendHanded(): void {
    if (this.#handed.size === 0) return;
    const underWay = [...this.#inWorker.values(), ...this.#sender.runs];
    const waiting = [...this.#handed.keys()].filter((run) => !this.#sender.isSending(run));
    const byInnocence = (a: LiveRun, b: LiveRun): number => a.cleared - b.cleared || a.id - b.id;
    for (const run of this.#suspects.oneAtATime(waiting, underWay, byInnocence)) this.#send(run);
  }

  #send(run: LiveRun): void {
    const assignment = this.#handed.get(run);
    if (assignment !== undefined && run.row !== null) this.#sender.send(run, run.row.attempt, assignment);
  }

  #sends(run: LiveRun, { history }: Assignment): void {
    this.#handed.delete(run);
    this.#inWorker.set(run.id, run);
    this.#unstarted++;
    run.stepsBegun = 0;
    run.failedBefore = history.isFurther ? failedStep(history) : null;
    run.to("sent");
  }

  /** The worker has a piece of the past of a run. */
  taken = (id: number): void => this.#sender.taken(id);

  #timeLeft(run: LiveRun): number | null {
    const { timeoutMs } = this.#slots.config;
    return timeoutMs === null ? null : Math.max(1, timeoutMs - run.ranMs);
  }

  // ── the end of the worker ────────────────────────────────────────────

  /** The worker is gone. `at`: awake milliseconds. */
  unsettle(running: readonly Activity<Task>[], at: number): void {
    // If several runs die together none is charged the time: any of them may have blocked the others.
    const isCharged = this.#life.leaving !== null || running.length === 1;
    for (const { task, startedAt } of running) {
      if (task !== MODULE && isCharged && !isLingering(task)) task.ranMs += at - startedAt;
    }
    this.#unstarted = 0;
    this.#sender.clear();
    const interrupted = [...this.#inWorker.values()].filter((run) => !isLingering(run));
    for (const run of interrupted) run.to("interrupted");
    this.#interrupted.push(...interrupted);
    this.#inWorker.clear();
    // Once this end has been dealt with: they give slots to others.
    const left = this.#lingering.all();
    this.#host.world.turns.atEnd(() => {
      for (const run of left) this.#hasLeft(run);
    });
  }

  /** After `unsettle`, where nobody asked the worker to leave. True: who did it is held back. */
  died({ how, suspects, culprit, overdue }: Death<Task>): boolean {
    const runs = suspects.flatMap(({ task }) => (task === MODULE ? [] : [task]));
    if (runs.length > 1 && overdue) for (const run of runs) if (run.isOver) this.#sayDeaf(run);
    let held = false;
    if (culprit === null) this.#suspect(runs);
    else if (culprit.task !== MODULE) held = this.#answers(culprit.task, how, overdue);
    this.#endOverdue();
    this.resume("worker-died");
    return held;
  }

  /** Beside others it is not named as who is to blame; and it is not run again to be found out. */
  #sayDeaf(run: LiveRun): void {
    const message = `run ${run.id} was ${run.row?.state} and had not settled when its worker was killed`;
    const voice = this.#host.journal.of(`workflow:${this.#slots.name}`, run.trace);
    voice.warn("run.killed", message, { run: run.id });
  }

  /** Whoever the worker was killed for: these had passed their timeouts. */
  #endOverdue(): void {
    const error = `${timeoutPassed(this.#slots.config)}, and had not settled when its worker died`;
    for (const run of this.#overdue) if (!run.isOver) this.#timesOut(run, error);
  }

  #timesOut(run: LiveRun, error: string): void {
    if (run.phase !== "interrupted") return;
    run.to("settling");
    this.#slots.fails(run, { error, stack: null, steps: [], how: "timed-out" });
  }

  #suspect(runs: readonly LiveRun[]): void {
    const among = runs.filter((run) => !isLingering(run));
    if (among.length > 1) for (const run of among) this.#suspects.add(run);
  }

  /** True when the run has to answer for it with its end, or its attempt's. */
  #answers(run: LiveRun, how: string, overdue: boolean): boolean {
    if (run.isOver || isLingering(run)) return true;
    if (overdue) {
      this.#timesOut(run, `it was killed: ${describeLimit(run, this.#slots.config)}`);
      return true;
    }
    run.deaths++;
    if (run.deaths < STRIKES) return false;
    run.to("settling");
    const error = `its worker died ${STRIKES} times while it ran alone: ${how}`;
    this.#slots.record(run, { event: "run.failed", data: { error, stack: null, steps: [] } }, () =>
      this.#slots.settled(run, null),
    );
    return true;
  }

  /** Runs whose worker is gone keep their slots and begin again. */
  resume(reason: ResumeReason): void {
    const interrupted = this.#interrupted.filter(({ phase }) => phase === "interrupted");
    this.#interrupted = [];
    for (const run of interrupted) this.#slots.interrupted(run, reason);
  }

  /** It is known to have been told of its end in time. */
  wasTold(task: Task): boolean {
    return task !== MODULE && (this.#overdue.has(task) || isLingering(task));
  }

  // ── what the worker reports ──────────────────────────────────────────

  started(id: number): void {
    const run = this.#inWorker.get(id);
    if (run?.phase !== "sent") return this.#life.malformed(`"started" of run ${id}, which was not sent`);
    run.to("under-way");
    this.#unstarted--;
    const left = this.#timeLeft(run);
    const hardMs = left === null ? Number.POSITIVE_INFINITY : left + this.#graceMs;
    this.#life.begins(run, Number.POSITIVE_INFINITY, hardMs);
    if (run.isOver) this.#life.limit(run, this.#graceMs);
    if (this.#suspects.has(run)) this.#clearLater(run);
  }

  /** A suspect that runs alone for a while has not killed its worker. */
  #clearLater(run: LiveRun): void {
    const { generation } = this.#life;
    this.#host.ticker.after(INNOCENT_MS, () => {
      if (this.#life.generation === generation && this.#inWorker.has(run.id)) this.clear(run);
    });
  }

  /** The run that a message is about, if that can be believed; null: it cannot. */
  hears(id: number, type: RunReport["type"]): LiveRun | null {
    const run = this.#inWorker.get(id);
    return run !== undefined && isHeard(run, type) ? run : null;
  }

  clear(run: LiveRun): void {
    if (!this.#suspects.clear(run)) return;
    run.cleared++;
    this.#life.schedule();
  }

  overdue(run: LiveRun): void {
    this.#overdue.add(run);
  }

  /** Steps that are still under way were told to end, and have the grace period for it. */
  ends(run: LiveRun, lingers: boolean): void {
    if (!lingers) return this.leaves(run);
    this.#overdue.delete(run);
    this.#life.limit(run, this.#graceMs);
    this.#lingering.begin(run);
  }

  leaves(run: LiveRun): void {
    this.#overdue.delete(run);
    this.#life.ends(run);
    this.#inWorker.delete(run.id);
    run.to("settling");
  }

  stopped(run: LiveRun): void {
    if (isLingering(run)) return this.#hasLeft(run);
    if (!run.isOver) return this.#life.malformed(`"stopped" of run ${run.id}, which has not ended`);
    this.leaves(run);
    this.#slots.release(run);
  }

  #hasLeft(run: LiveRun): void {
    if (!isLingering(run)) return;
    const act = this.#lingering.left(run);
    this.leaves(run);
    act();
  }
}
