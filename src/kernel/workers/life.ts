/**
 * Owns the worker of a crew (a group's senses, a workflow's runs), from spawn to reaped and again. Invariants kept here:
 * - G4: a new worker starts only after the old one was reaped.
 * - G5: a worker that passes a limit, floods or falls silent is killed; only a task that was alone answers for a death.
 * - A message of another generation changes nothing.
 */
import { formatDuration } from "../../base/duration.ts";
import { oncePerTurn } from "../../base/turns.ts";
import type { EventData } from "../../model/events.ts";
import type { WorkerEvents, WorkerExit, WorkerProcess } from "../../spawn/worker-process.ts";
import type { Crew, LifeHost } from "./crew.ts";
import { Departure, type Shutdown } from "./departure.ts";
import { describeKill, describeStuck, type Kill, Killing, verdictOn } from "./kill.ts";
import type { Leaving, LifeState } from "./life-state.ts";
import { type Activity, SILENCE_MS } from "./limits.ts";
import { Mail } from "./mail.ts";
import { Restarts } from "./restarts.ts";
import { Tasks } from "./tasks.ts";
import { type Complaint, describeEnd, WorkerLog } from "./worker-log.ts";

export type { LifeState };
/** A worker that was told to leave aborts its tasks. It has this long for that. */
export const LEAVE_MS = 10_000;
/** At most this many log rows of a worker may be sent and not committed yet. */
export const LOG_CREDIT = 256;
const MALFORMED_LIMIT = 1_000;

export class WorkerLife<Down extends object, Up extends { readonly generation: number; readonly type: string }, Task> {
  readonly tasks: Tasks<Task>;
  readonly #crew: Crew<Down, Up, Task>;
  readonly #host: LifeHost;
  readonly #mail: Mail<Down | Shutdown>;
  readonly #log: WorkerLog;
  readonly #restarts: Restarts;
  readonly #hears: () => void;
  #state: LifeState = "backoff";
  #worker: WorkerProcess<Down | Shutdown> | null = null;
  #killing: Killing<Task>;
  #generation = 0;
  readonly #departure = new Departure();
  #saidBye = false;
  #malformed = 0;
  /** Why a killed worker is not gone. Null while no worker is stuck. */
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
    this.#hears = oncePerTurn(host.world.turns, () => this.tasks.hears());
    this.tasks = new Tasks(host.ticker, {
      reveal: () => this.#reveal(),
      soonestMs: () => crew.soonestLimitMs(),
      owesAnswer: () => crew.awaits() || this.#state === "starting",
      late: ({ task }) => crew.isLate(task),
      overdue: (activity) => this.#killOverdue(activity),
      silent: () => this.#kill({ kind: "silent", forMs: SILENCE_MS }),
      heldBytes: () => this.memory,
      overMemory: (heldBytes, limitBytes) => this.#kill({ kind: "over-memory", heldBytes, limitBytes }),
    });
  }

  get state(): LifeState {
    return this.#state;
  }

  /** Why the stuck worker was killed, and what was under way. Null while no worker is stuck. */
  get stuckFor(): string | null {
    return this.#stuckFor;
  }

  /** The worker takes work. */
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

  /** Resident bytes of the worker and its children, 0 without a worker. */
  get memory(): number {
    return this.pid === null ? 0 : this.#host.world.heldBytes(this.pid);
  }

  // ── from spawn to reaped ─────────────────────────────────────────────

  /** Does nothing while there is a worker, or no work for one. */
  start(): void {
    if (this.#worker || this.leaving || !this.#crew.isWanted()) return;
    this.#restarts.cancel();
    const generation = this.#host.nextGeneration();
    this.#generation = generation;
    this.#state = "starting";
    this.#killing = new Killing(this.#host.ticker);
    this.#saidBye = false;
    this.#malformed = 0;
    this.tasks.clear();
    try {
      const events: WorkerEvents = {
        message: (raw) => this.#receive(generation, raw),
        output: (stream, line) => this.#crew.output(stream, line),
        exit: (exit) => this.#exited(exit),
      };
      this.#worker = this.#host.world.spawn<Down | Shutdown>(this.#crew.command(), events, this.#crew.places);
    } catch (error) {
      this.#died(`the worker could not be started: ${(error as Error).message}`, {});
      return;
    }
    this.#worker.send([this.#crew.init(generation)]);
    this.tasks.anew(this.#crew.memoryBytes);
  }

  /** The next worker is on its way: after a death it waits for its turn. */
  get restarting(): boolean {
    return this.#restarts.isPending;
  }

  /**
   * Ends the worker, and with `stop` for good. A busy worker that retires may finish first. Resolves once the worker is
   * reaped, or once it is stuck: nobody can wait for a process that does not go (G15).
   */
  leave(how: Leaving, busy: boolean): Promise<void> {
    this.#restarts.cancel();
    // After a stop nothing starts a worker again. After a retirement whoever asked for it starts the next one.
    if (how === "stop" || this.#worker !== null) this.#departure.begin(how);
    if (this.#worker === null) return Promise.resolve();
    const gone = this.#departure.wait();
    if (this.#state === "stuck") this.#letGo();
    else if (how === "stop" || this.#state !== "up" || !busy) this.shutDown(LEAVE_MS);
    return gone;
  }

  /** Ends the waits for the end of the worker, and gives back what was under way. */
  #letGo(): void {
    this.#unsettle();
    this.#departure.over();
  }

  /** Tells the worker to leave, and kills it when it has not left within `limitMs`. Infinity: it takes the time it needs. */
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
    const isProven = wasTold || this.tasks.count === 1;
    this.#kill({ kind: "over-time", activity, isProven, wasTold });
  }

  #kill(reason: Kill<Task>): void {
    const worker = this.#worker;
    if (worker !== null) this.#killing.kill(worker, reason, (first) => this.#isStuck(worker.pid, first));
  }

  #isStuck(pid: number, kill: Kill<Task>): void {
    this.#reveal();
    const names = this.tasks.all.map(({ task }) => this.#crew.nameOf(task));
    const why = describeStuck(kill, this.#crew, names);
    this.#state = "stuck";
    this.#stuckFor = why;
    this.#log.isStuck(pid, why, names);
    if (this.leaving !== null) this.#letGo();
  }

  /** Takes up what the worker has noted of its tasks and not said. */
  #reveal(areOver = false): void {
    const notes = this.#worker?.notes ?? null;
    if (notes !== null) this.#crew.noted(notes, areOver);
  }

  #exited(exit: WorkerExit): void {
    this.#reveal();
    // Whoever closes the channel is over, and its result cannot leave.
    if (exit.channelBroke || this.tasks.count === 0) this.#reveal(true);
    const { pid = 0 } = this.#worker ?? {};
    this.#worker = null;
    this.#stuckFor = null;
    this.#killing.reaped();
    this.tasks.stop();
    this.#mail.discard();
    if (this.leaving) return this.#left(exit, pid);
    const kill = this.#killing.reason;
    const how = kill === null ? describeEnd(exit, this.#saidBye) : describeKill(kill, this.#crew);
    this.#died(how, { pid, code: exit.code, signal: exit.signal });
  }

  #left(exit: WorkerExit, pid: number): void {
    this.tasks.forgetSamples();
    if (!this.#saidBye && this.#killing.reason === null) this.#log.diedStopping(pid, exit);
    this.#state = "backoff";
    this.#letGo();
  }

  #unsettle(): void {
    const running = this.tasks.all;
    this.tasks.clear();
    this.#crew.unsettle(running, this.#host.ticker.awakeMs());
  }

  #died(how: string, data: EventData<"worker.exited">): void {
    const now = this.#host.ticker.awakeMs();
    const kill = this.#killing.reason;
    const { suspects, culprit } = verdictOn(this.tasks.all, kill, this.tasks.samples);
    this.tasks.forgetSamples();
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

  /** Something has changed. At the end of the turn the crew dispatches, and the posted messages leave in one frame. */
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
    this.#hears();
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

  /** The worker has loaded its modules and takes work. False when it has said so before. */
  isReady(): boolean {
    if (this.#state !== "starting") return false;
    this.#state = "up";
    this.tasks.isReady();
    return true;
  }

  /** A module is being loaded. False when the worker loads nothing now. */
  loads(task: Task): boolean {
    if (this.#state !== "starting") return false;
    this.tasks.loads(task);
    return true;
  }

  /** The worker owes an answer from now on. */
  expects(): void {
    this.tasks.expects();
  }
}
