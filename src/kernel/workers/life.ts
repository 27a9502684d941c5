/**
 * The worker of a crew (a group's senses, a workflow's runs), from spawn to reaped and again. Invariants kept here:
 * - G4: a new worker starts only after the old one was reaped.
 * - G5: a worker that passes a limit, floods or falls silent is killed; only who was alone at a death answers for it.
 * - A message of another generation changes nothing.
 */
import { formatDuration } from "../../base/duration.ts";
import type { EventData } from "../../model/events.ts";
import { LOAD_HARD_MS, type WorkerExit, type WorkerProcess } from "../../spawn/worker-process.ts";
import { judge } from "./blame.ts";
import type { Crew, LifeHost } from "./crew.ts";
import { Departure } from "./departure.ts";
import { answersFor, describeKill, describeStuck, type Kill, Killing } from "./kill.ts";
import type { Leaving, LifeState } from "./life-state.ts";
import { type Activity, Limits, SILENCE_MS } from "./limits.ts";
import { Mail } from "./mail.ts";
import { MemoryWatch, NO_SAMPLES } from "./memory.ts";
import { Restarts } from "./restarts.ts";
import { type Complaint, describeEnd, WorkerLog } from "./worker-log.ts";

export type { LifeState };
/** A worker that was told to leave aborts what runs; it has this long for that. */
export const LEAVE_MS = 10_000;
/** Rows of log a worker may have sent that are not committed yet. */
export const LOG_CREDIT = 256;
const MALFORMED_LIMIT = 1_000;

/** The message that asks a worker to leave. */
interface Shutdown {
  readonly type: "shutdown";
  readonly generation: number;
}

export class WorkerLife<Down extends object, Up extends { readonly generation: number; readonly type: string }, Task> {
  readonly #crew: Crew<Down, Up, Task>;
  readonly #host: LifeHost;
  readonly #limits: Limits<Task>;
  readonly #mail: Mail<Down | Shutdown>;
  readonly #log: WorkerLog;
  readonly #restarts: Restarts;

  #state: LifeState = "backoff";
  #worker: WorkerProcess<Down | Shutdown> | null = null;
  #killing: Killing<Task>;
  #memory: MemoryWatch | null = null;
  #generation = 0;
  readonly #departure = new Departure();
  #saidBye = false;
  #malformed = 0;
  /** Why a killed worker is not gone, while it is not. */
  #stuckFor: string | null = null;

  constructor(crew: Crew<Down, Up, Task>, host: LifeHost) {
    this.#crew = crew;
    this.#host = host;
    this.#killing = new Killing(host.ticker);
    this.#restarts = new Restarts(host.ticker, host.world.chance);
    this.#log = new WorkerLog(crew, host.journal);
    this.#mail = new Mail(
      host.world.turns,
      () => crew.dispatch(),
      (frame) => void this.#worker?.send(frame),
    );
    this.#limits = new Limits(host.ticker, {
      owesAnswer: () => crew.awaits() || this.#state === "starting",
      late: ({ task }) => crew.isLate(task),
      overdue: (activity) => this.#killOverdue(activity),
      silent: () => this.#kill({ kind: "silent", forMs: SILENCE_MS }),
    });
  }

  get state(): LifeState {
    return this.#state;
  }

  /** While it is stuck: what it was killed for, and what was under way. */
  get stuckFor(): string | null {
    return this.#stuckFor;
  }

  /** It can be given work. */
  get isOpen(): boolean {
    return this.#state === "up" && this.leaving === null;
  }

  get leaving(): Leaving | null {
    return this.#departure.how;
  }

  get generation(): number {
    return this.#generation;
  }

  get pid(): number | null {
    return this.#worker?.pid ?? null;
  }

  get restarts(): number {
    return this.#restarts.count;
  }

  /** How many tasks are under way. */
  get busy(): number {
    return this.#limits.size;
  }

  /** Awake milliseconds of its newest message. */
  get heardAt(): number {
    return this.#limits.heardAt;
  }

  /** Resident bytes of the worker and its children, 0 without one. */
  get memory(): number {
    return this.pid === null ? 0 : this.#host.world.heldBytes(this.pid);
  }

  // ── from spawn to reaped ─────────────────────────────────────────────

  /** Does nothing while there is one, or nothing for one to do. */
  start(): void {
    if (this.#worker || this.leaving || !this.#crew.isWanted()) return;
    this.#restarts.cancel();
    const generation = this.#host.nextGeneration();
    this.#generation = generation;
    this.#state = "starting";
    this.#killing = new Killing(this.#host.ticker);
    this.#saidBye = false;
    this.#malformed = 0;
    this.#limits.clear();
    try {
      this.#worker = this.#host.world.spawn<Down | Shutdown>(this.#crew.command(), {
        message: (raw) => this.#receive(generation, raw),
        output: (stream, line) => this.#crew.output(stream, line),
        exit: (exit) => this.#exited(exit),
      });
    } catch (error) {
      this.#died(`the worker could not be started: ${(error as Error).message}`, {});
      return;
    }
    this.#worker.send([this.#crew.init(generation)]);
    this.#limits.expects();
    this.#watchMemory(this.#crew.memoryBytes);
  }

  #watchMemory(limitBytes: number | null): void {
    if (limitBytes === null) return;
    const over = (held: number): void => this.#kill({ kind: "over-memory", heldBytes: held, limitBytes });
    this.#memory = new MemoryWatch(this.#host.ticker, limitBytes, () => this.memory, over);
  }

  /** Its next worker is on its way: after a death it waits for its turn. */
  get restarting(): boolean {
    return this.#restarts.isPending;
  }

  /**
   * Ends the worker, and with `stop` for good. A busy one is let finish when it retires. Resolves once it is reaped, or once
   * it is stuck: nobody can wait for a process that does not go (G15).
   */
  leave(how: Leaving, busy: boolean): Promise<void> {
    this.#restarts.cancel();
    // Once it is to stop nothing starts it again; a retired one is started anew by whoever retired it.
    if (how === "stop" || this.#worker !== null) this.#departure.begin(how);
    if (this.#worker === null) return Promise.resolve();
    const gone = this.#departure.wait();
    if (this.#state === "stuck") this.#letGo();
    else if (how === "stop" || this.#state !== "up" || !busy) this.shutDown(LEAVE_MS);
    return gone;
  }

  /** Whoever waits for its end waits no longer, and what was under way is given back. */
  #letGo(): void {
    this.#unsettle();
    this.#departure.over();
  }

  /** It is told to leave, and killed when it has not within `limitMs` (Infinity: it takes the time it needs). */
  shutDown(limitMs: number): void {
    if (this.#state !== "up") return this.kill("it is no longer needed");
    this.#departure.begin("retire");
    this.#mail.post({ type: "shutdown", generation: this.#generation });
    const worker = this.#worker;
    if (!Number.isFinite(limitMs)) return;
    this.#host.ticker.afterAwake(limitMs, () => {
      if (this.#worker === worker) this.kill(`it did not leave within ${formatDuration(limitMs)}`);
    });
  }

  kill(why: string): void {
    this.#kill({ kind: "asked", why });
  }

  #killOverdue(activity: Activity<Task>): void {
    const wasTold = this.#crew.wasTold(activity.task);
    const isProven = wasTold || this.#limits.size === 1;
    this.#kill({ kind: "over-time", activity, isProven, wasTold });
  }

  #kill(reason: Kill<Task>): void {
    const worker = this.#worker;
    if (worker !== null) this.#killing.kill(worker, reason, (first) => this.#isStuck(worker.pid, first));
  }

  #isStuck(pid: number, kill: Kill<Task>): void {
    const names = this.#limits.activities.map(({ task }) => this.#crew.nameOf(task));
    const why = describeStuck(kill, this.#crew, names);
    this.#state = "stuck";
    this.#stuckFor = why;
    this.#log.isStuck(pid, why, names);
    if (this.leaving !== null) this.#letGo();
  }

  #exited(exit: WorkerExit): void {
    const { pid = 0 } = this.#worker ?? {};
    this.#worker = null;
    this.#stuckFor = null;
    this.#killing.reaped();
    this.#limits.stop();
    this.#memory?.stop();
    this.#mail.discard();
    if (this.leaving) return this.#left(exit, pid);
    const kill = this.#killing.reason;
    const how = kill === null ? describeEnd(exit, this.#saidBye) : describeKill(kill, this.#crew);
    this.#died(how, { pid, code: exit.code, signal: exit.signal });
  }

  #left(exit: WorkerExit, pid: number): void {
    this.#memory = null;
    if (!this.#saidBye && this.#killing.reason === null) this.#log.diedStopping(pid, exit);
    this.#state = "backoff";
    this.#letGo();
  }

  #unsettle(): void {
    const running = this.#limits.activities;
    this.#limits.clear();
    this.#crew.unsettle(running, this.#host.ticker.awakeMs());
  }

  #died(how: string, data: EventData<"worker.exited">): void {
    const now = this.#host.ticker.awakeMs();
    const running = this.#limits.activities;
    const kill = this.#killing.reason;
    const told =
      kill?.kind === "over-time" && kill.wasTold ? running.filter(({ task }) => task === kill.activity.task) : [];
    const { suspects, strike: alone } = judge(told.length > 0 ? told : running);
    const culprit = alone !== null && answersFor(alone, kill, this.#memory?.samples ?? NO_SAMPLES) ? alone : null;
    this.#memory = null;
    this.#unsettle();
    this.#restarts.died();
    const names = suspects.map(({ task }) => this.#crew.nameOf(task));
    this.#log.died(how, names, data);
    const overdue = kill?.kind === "over-time" && !kill.activity.loading;
    if (this.#crew.died({ how, suspects, culprit, overdue, at: now })) this.#restarts.forgive();
    this.#state = "backoff";
    this.#restarts.plan(() => this.start());
  }

  // ── messages ─────────────────────────────────────────────────────────

  post(message: Down): void {
    this.#mail.post(message);
  }

  /** Something changed: at the end of the turn the crew dispatches, and what was posted leaves in one frame. */
  schedule(): void {
    this.#mail.schedule();
  }

  #receive(generation: number, raw: unknown): void {
    const parsed = this.#crew.parse(raw);
    if (!parsed.ok) return this.malformed(parsed.error.what);
    const message = parsed.value;
    if (generation !== this.#generation || message.generation !== this.#generation) {
      return this.malformed(`"${message.type}" of generation ${message.generation}`);
    }
    this.#limits.hears();
    if (message.type === "bye") this.#saidBye = true;
    else this.#crew.receive(message);
  }

  malformed(what: string): void {
    this.#malformed++;
    if (this.#malformed > MALFORMED_LIMIT) return this.kill("it sent nothing but malformed messages");
    this.#log.malformed(what);
  }

  complaint(source: string, complaint: Complaint): void {
    this.#log.complaint(source, complaint);
  }

  // ── what is under way ────────────────────────────────────────────────

  /** It has loaded what it could and takes work. False when it had said so before. */
  isReady(): boolean {
    if (this.#state !== "starting") return false;
    this.#limits.clear();
    this.#state = "up";
    this.#memory?.isReady();
    return true;
  }

  /** A module is being loaded. False when this is not the time for it. */
  loads(task: Task): boolean {
    if (this.#state !== "starting") return false;
    this.#limits.clear();
    this.#begins(task, { softMs: Number.POSITIVE_INFINITY, hardMs: LOAD_HARD_MS, loading: true });
    return true;
  }

  /**
   * User code was entered for `task`. The crew hears when it is late at `softMs` (Infinity: never), and the worker is
   * killed when the task has not ended after `hardMs`.
   */
  begins(task: Task, softMs: number, hardMs: number): void {
    this.#begins(task, { softMs, hardMs, loading: false });
  }

  #begins(task: Task, limit: Pick<Activity<Task>, "softMs" | "hardMs" | "loading">): void {
    this.#limits.begins(task, limit, (this.#memory?.samples ?? NO_SAMPLES).newest);
  }

  /** Another hard limit for what is under way, counted from now. */
  limit(task: Task, hardMs: number): void {
    this.#limits.extend(task, hardMs);
  }

  ends(task: Task): void {
    this.#limits.ends(task);
  }

  /** An answer is owed from now on. */
  expects(): void {
    this.#limits.expects();
  }
}
