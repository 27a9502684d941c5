/**
 * Owns the executions of one workflow's runs in its worker: which runs wait for the worker, which are in it, and which run
 * answers for its death. Invariants kept here:
 * - A run that was told to stop and did not is blamed for the worker's death; others are not.
 * - Runs under way at a death run again one at a time, until each is known to be innocent. A run that was alone at three
 *   deaths ends.
 */
import type { WorkflowMessage, WorkflowParentMessage } from "../../ipc/workflow-definitions.ts";
import type { LiveRun, ResumeReason } from "../memory/run.ts";
import { STRIKES } from "../workers/blame.ts";
import type { Death } from "../workers/crew.ts";
import type { WorkerLife } from "../workers/life.ts";
import type { Activity } from "../workers/limits.ts";
import { Suspects } from "../workers/suspects.ts";
import { Begins } from "./begins.ts";
import { isLingering, Lingering } from "./lingering.ts";
import { failedStep } from "./run-history.ts";
import { describeLimit, graceMsOf, hardMsOf, timeLeftOf, timeoutPassed } from "./run-policy.ts";
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
  /** Id → run that was sent to the worker, until its execution there is over. */
  readonly #inWorker = new Map<number, LiveRun>();
  readonly #sender: RunSender;
  /** Hears that runs have begun. */
  readonly begins: Begins;
  readonly #lingering = new Lingering();
  readonly #suspects = new Suspects<LiveRun>();
  /** Runs that heard of their end in this worker, and had not settled then. */
  readonly #overdue = new Set<LiveRun>();
  /** Runs whose worker is gone, until they are resumed. */
  #interrupted: LiveRun[] = [];

  constructor(slots: Slots, host: RunWorkerHost, life: WorkerLife<WorkflowParentMessage, WorkflowMessage, Task>) {
    this.#slots = slots;
    this.#host = host;
    this.#life = life;
    this.#sender = new RunSender(host, life, {
      sends: (run, assignment) => this.#sends(run, assignment),
      timeLeft: (run) => timeLeftOf(run, slots.config),
      causeOf: ({ order }) => host.causeOf(slots, order),
    });
    this.begins = new Begins({
      ticker: host.ticker,
      heardAt: () => life.tasks.heardAt,
      begins: (run, at) => this.#begin(run, at),
      malformed: (what) => life.malformed(what),
    });
  }

  /** Ids of the runs in the worker. */
  get ids(): number[] {
    return [...this.#inWorker.keys()];
  }

  /** The run in the worker, where exactly one run is there. */
  get only(): LiveRun | null {
    const [only = null] = this.#inWorker.size === 1 ? this.#inWorker.values() : [];
    return only;
  }

  /** The worker owes an answer: it has not begun a run that was sent, or has a piece of a run. */
  get isAwaited(): boolean {
    return this.begins.areAwaited || this.#sender.runs.length > 0;
  }

  /** Called when a worker begins. */
  anew(): void {
    this.#overdue.clear();
  }

  // ── from the workflow to the worker ──────────────────────────────────

  hand(run: LiveRun, assignment: Assignment): void {
    run.to("handed");
    this.#handed.set(run, assignment);
    this.#life.schedule();
  }

  /** Ends the execution of a run that has ended by other means. False when the run has no execution. */
  abort(run: LiveRun): boolean {
    this.#sender.takeBack(run);
    if (!this.#inWorker.has(run.id)) return false;
    this.#life.post({ type: "cancel", generation: this.#life.generation, run: run.id });
    this.#life.tasks.limit(run, graceMsOf(this.#slots.config));
    return true;
  }

  /** Calls `act` as soon as no code of `run` is under way in the worker. */
  onceLeft(run: LiveRun, act: () => void): void {
    this.#lingering.onceLeft(run, act);
  }

  /** Forgets a run that no longer has a slot. */
  forget(run: LiveRun): void {
    this.#suspects.clear(run);
    this.#handed.delete(run);
    this.#sender.takeBack(run);
    this.#inWorker.delete(run.id);
    this.begins.forget(run);
    this.#overdue.delete(run);
    this.#life.schedule();
  }

  /** Sends the runs that wait for the worker. While there are suspects, only one run is sent. */
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
    this.begins.sends(run);
    run.stepsBegun = 0;
    run.failedBefore = history.isFurther ? failedStep(history) : null;
    run.to("sent");
  }

  /** Called when the worker has taken a piece of a run's past. */
  taken = (id: number): void => this.#sender.taken(id);

  // ── the end of the worker ────────────────────────────────────────────

  /** Called when the worker is gone. `at`: awake milliseconds. */
  unsettle(running: readonly Activity<Task>[], at: number): void {
    // When several runs die together none is charged the time, because any of them may have blocked the others.
    const isCharged = this.#life.leaving !== null || running.length === 1;
    for (const { task, startedAt } of running) {
      if (task !== MODULE && isCharged && !isLingering(task)) task.ranMs += at - startedAt;
    }
    this.begins.clear();
    this.#sender.clear();
    const interrupted = [...this.#inWorker.values()].filter((run) => !isLingering(run));
    for (const run of interrupted) run.to("interrupted");
    this.#interrupted.push(...interrupted);
    this.#inWorker.clear();
    // At the end of the turn, because lingering runs give their slots to others.
    const left = this.#lingering.all();
    this.#host.world.turns.atEnd(() => {
      for (const run of left) this.#hasLeft(run);
    });
  }

  /** Called after `unsettle`, where nobody asked the worker to leave. True when the culprit is held back. */
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

  /** Among several runs this run is not named as the culprit, and is not run again to find the culprit. */
  #sayDeaf(run: LiveRun): void {
    const message = `run ${run.id} was ${run.row?.state} and had not settled when its worker was killed`;
    const voice = this.#host.journal.of(`workflow:${this.#slots.name}`, run.trace);
    voice.warn("run.killed", message, { run: run.id });
  }

  /** Ends the attempts of all runs that had passed their timeouts, whichever run the worker was killed for. */
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

  /** True when the run answers for the death with its end, or with the end of its attempt. */
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

  /** Lets runs whose worker is gone begin again. They have kept their slots. */
  resume(reason: ResumeReason): void {
    const interrupted = this.#interrupted.filter(({ phase }) => phase === "interrupted");
    this.#interrupted = [];
    for (const run of interrupted) this.#slots.interrupted(run, reason);
  }

  /** True when the run is known to have been told of its end in time. */
  wasTold(task: Task): boolean {
    return task !== MODULE && (this.#overdue.has(task) || isLingering(task));
  }

  // ── what the worker reports ──────────────────────────────────────────

  #begin(run: LiveRun, at: number): void {
    run.to("under-way");
    this.#life.tasks.begins(run, Number.POSITIVE_INFINITY, hardMsOf(run, this.#slots.config), at);
    if (run.isOver) this.#life.tasks.limit(run, graceMsOf(this.#slots.config));
    if (this.#suspects.has(run)) this.#clearLater(run);
  }

  /** A suspect that runs alone for a while has not killed its worker. */
  #clearLater(run: LiveRun): void {
    const { generation } = this.#life;
    this.#host.ticker.after(INNOCENT_MS, () => {
      if (this.#life.generation === generation && this.#inWorker.has(run.id)) this.clear(run);
    });
  }

  /** The run that a message is about. Null where the message is not believed. */
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

  /** Steps that are still under way were told to end, and have the grace period for that. */
  ends(run: LiveRun, lingers: boolean): void {
    if (!lingers) return this.leaves(run);
    this.#overdue.delete(run);
    this.#life.tasks.limit(run, graceMsOf(this.#slots.config));
    this.#lingering.begin(run);
  }

  leaves(run: LiveRun): void {
    this.#overdue.delete(run);
    this.#life.tasks.ends(run);
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
