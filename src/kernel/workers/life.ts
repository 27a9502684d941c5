/**
 * The worker of a crew (a group's senses, a workflow's runs), from spawn to reaped and again. Invariants kept here:
 * - G4: a new worker starts only after the old one was reaped.
 * - G5: a worker that passes a limit, floods or falls silent is killed; only who was alone at a death answers for it.
 * - A message of another generation changes nothing.
 */
import { backoffMs, RESTART_BACKOFF } from "../../base/backoff.ts";
import type { Clock } from "../../base/clock.ts";
import { formatDuration } from "../../base/duration.ts";
import { descendants, residentBytes } from "../../base/processes.ts";
import type { Result } from "../../base/result.ts";
import { formatSize } from "../../base/size.ts";
import type { MalformedMessage } from "../../ipc/definitions.ts";
import type { EventData } from "../../model/events.ts";
import {
  describeExit,
  LOAD_HARD_MS,
  spawnWorker,
  type WorkerCommand,
  type WorkerExit,
  type WorkerProcess,
} from "../../spawn/worker-process.ts";
import type { Journal } from "../commits/journal.ts";
import type { Voice } from "../commits/voice.ts";
import type { Handle, Ticker } from "../time/ticker.ts";
import { judge } from "./blame.ts";

export type LifeState = "starting" | "up" | "backoff" | "stuck";

/** What a life needs of the kernel. */
export interface LifeHost {
  readonly clock: Clock;
  readonly ticker: Ticker;
  readonly journal: Journal;
  nextGeneration(): number;
}

/** Something user code is doing: a compute, a run, or (`loading`) the import of a module. */
export interface Activity<Task> {
  readonly task: Task;
  /** Monotonic milliseconds. */
  readonly startedAt: number;
  /** Infinity where there is none. */
  readonly limitMs: number;
  readonly loading: boolean;
  /** Bytes of the newest sample when it began; null once another has run beside it. 0 without a memory limit. */
  heldBefore: number | null;
}

export interface Death<Task> {
  /** What ended it. */
  readonly how: string;
  /** Names of what was under way. */
  readonly suspects: readonly Activity<Task>[];
  /** The one that was alone and has to answer for it, or null. */
  readonly culprit: Activity<Task> | null;
  /** True when it was killed because a limit had passed. */
  readonly overdue: boolean;
  /** Monotonic milliseconds. */
  readonly at: number;
}

/** Whom the worker works for: all that differs between senses and workflows. */
export interface Crew<Down, Up, Task> {
  /** As in logs: `group "system"`. */
  readonly title: string;
  /** Beside the data of every log about it. */
  readonly about: { readonly group: string } | { readonly workflow: string };
  /** Of the worker and its children, or null: no limit. */
  readonly memoryBytes: number | null;
  command(): WorkerCommand;
  /** There is something for a worker to do. */
  isWanted(): boolean;
  parse(raw: unknown): Result<Up, MalformedMessage>;
  /** Its first message. */
  init(generation: number): Down;
  receive(message: Up): void;
  /** A line on the process's own stdout or stderr. */
  output(stream: "stdout" | "stderr", line: string): void;
  /** What one task is: `compute`. */
  readonly noun: string;
  /** As in a list: `load`; and as in a sentence: `sense "load"`. */
  nameOf(task: Task): string;
  speakOf(task: Task): string;
  /** Which limit a task has passed. */
  describeLimit(task: Task): string;
  /** It is known to have been told of its end in time: then it answers for its limit, whoever is beside it. */
  wasTold(task: Task): boolean;
  /** It was sent something it has not answered yet. */
  awaits(): boolean;
  /** Sends what there is to send. Called at the end of a turn in which something changed. */
  dispatch(): void;
  /** What was under way is not any more; it may be wanted again. `at`: monotonic milliseconds. */
  unsettle(running: readonly Activity<Task>[], at: number): void;
  /** After `unsettle`. True: whoever did it is held back, so the next worker starts as the first. */
  died(death: Death<Task>): boolean;
}

/** A worker that owes an answer and says nothing for this long is not coming back. */
const SILENCE_MS = 10_000;
const REAP_MS = 5_000;
/** A worker that was told to leave aborts what runs; it has this long for that. */
export const LEAVE_MS = 10_000;
/** Rows of log a worker may have sent that are not committed yet. */
export const LOG_CREDIT = 256;
const HEALTHY_MS = 60_000;
const MEMORY_SAMPLE_MS = 500;
const MALFORMED_LIMIT = 1_000;

/** Why a worker is killed. `held`: the memory it was killed for; `told`: who was told to end, and did not. */
interface Kill<Task> {
  readonly why: string;
  readonly overdue: boolean;
  readonly held: number | null;
  readonly told: Task | null;
}

/** `retire`: another may follow. `stop`: none does. */
type Leaving = "retire" | "stop";

export class WorkerLife<Down extends object, Up extends { readonly generation: number; readonly type: string }, Task> {
  restarts = 0;
  readonly #crew: Crew<Down, Up, Task>;
  readonly #host: LifeHost;

  #state: LifeState = "backoff";
  #worker: WorkerProcess<Down> | null = null;
  #generation = 0;
  #failures = 0;
  #lastDeathAt = Number.NEGATIVE_INFINITY;
  /** Why we killed it, or null when it died by itself. */
  #killedFor: Kill<Task> | null = null;
  #leaving: Leaving | null = null;
  #gone: (() => void)[] = [];
  #saidBye = false;

  readonly #running = new Map<Task, Activity<Task>>();
  #heardAt = 0;
  #malformed = 0;
  #overMemory = false;
  /** Newest sample of what the worker and its children hold, and the one taken when it got ready. */
  #sampledBytes = 0;
  #heldAtReady = 0;

  #outgoing: Down[] = [];
  #scheduled = false;
  #check: { readonly at: number; readonly handle: Handle } | null = null;
  #memoryWatch: Handle | null = null;
  #restart: Handle | null = null;
  #reap: Handle | null = null;

  constructor(crew: Crew<Down, Up, Task>, host: LifeHost) {
    this.#crew = crew;
    this.#host = host;
  }

  get state(): LifeState {
    return this.#state;
  }

  /** It can be given work. */
  get isOpen(): boolean {
    return this.#state === "up" && this.#leaving === null;
  }

  get leaving(): Leaving | null {
    return this.#leaving;
  }

  get generation(): number {
    return this.#generation;
  }

  get pid(): number | null {
    return this.#worker?.pid ?? null;
  }

  /** How many tasks are under way. */
  get busy(): number {
    return this.#running.size;
  }

  /** Monotonic milliseconds of its newest message. */
  get heardAt(): number {
    return this.#heardAt;
  }

  /** Resident bytes of the worker and its children, 0 without one. */
  get memory(): number {
    const pid = this.pid;
    return pid === null ? 0 : [pid, ...descendants(pid)].reduce((sum, id) => sum + residentBytes(id), 0);
  }

  // ── from spawn to reaped ─────────────────────────────────────────────

  /** Does nothing while there is one, or nothing for one to do. */
  start(): void {
    if (this.#worker || this.#leaving || !this.#crew.isWanted()) return;
    this.#restart?.cancel();
    this.#restart = null;
    const host = this.#host;
    const generation = host.nextGeneration();
    this.#generation = generation;
    this.#state = "starting";
    this.#killedFor = null;
    this.#saidBye = false;
    this.#malformed = 0;
    this.#overMemory = false;
    this.#sampledBytes = 0;
    this.#heldAtReady = 0;
    this.#heardAt = host.clock.monotonicMs();
    try {
      this.#worker = spawnWorker<Down>(this.#crew.command(), {
        message: (raw) => this.#receive(generation, raw),
        frameEnd: () => {},
        output: (stream, line) => this.#crew.output(stream, line),
        exit: (exit) => this.#exited(exit),
      });
    } catch (error) {
      this.#died(`the worker could not be started: ${(error as Error).message}`, {});
      return;
    }
    this.#worker.send([this.#crew.init(generation)]);
    this.#watch(this.#heardAt + SILENCE_MS);
    if (this.#crew.memoryBytes !== null) this.#watchMemory(this.#crew.memoryBytes);
  }

  /** Its next worker is on its way: after a death it waits for its turn. */
  get restarting(): boolean {
    return this.#restart !== null;
  }

  /** Ends the worker, and with `stop` for good. A busy one is let finish when it retires. Resolves once it is reaped. */
  leave(how: Leaving, busy: boolean): Promise<void> {
    this.#restart?.cancel();
    this.#restart = null;
    // Once it is to stop nothing starts it again; a retired one is started anew by whoever retired it.
    if (how === "stop" || (this.#worker !== null && this.#leaving === null)) this.#leaving = how;
    if (this.#worker === null) return Promise.resolve();
    const gone = new Promise<void>((resolve) => this.#gone.push(resolve));
    if (how === "stop" || this.#state !== "up" || !busy) this.shutDown(LEAVE_MS);
    return gone;
  }

  /** It is told to leave, and killed when it has not within `limitMs` (Infinity: it takes the time it needs). */
  shutDown(limitMs: number): void {
    if (this.#state !== "up") return this.kill("it is not needed any more");
    this.#leaving ??= "retire";
    this.post({ type: "shutdown", generation: this.#generation } as unknown as Down);
    const worker = this.#worker;
    if (!Number.isFinite(limitMs)) return;
    this.#host.ticker.after(limitMs, () => {
      if (this.#worker === worker) this.kill(`it did not leave within ${formatDuration(limitMs)}`);
    });
  }

  kill(why: string): void {
    this.#kill({ why, overdue: false, held: null, told: null });
  }

  #kill(reason: Kill<Task>): void {
    const worker = this.#worker;
    if (worker === null) return;
    this.#killedFor ??= reason;
    worker.kill();
    this.#reap ??= this.#host.ticker.after(REAP_MS, () => {
      this.#state = "stuck";
      const message = `worker ${worker.pid} of ${this.#crew.title} was killed and is not gone after ${formatDuration(REAP_MS)}; nothing is started in its place until it is`;
      this.#voice.error("worker.exited", message, { ...this.#crew.about, pid: worker.pid, state: "stuck" });
    });
  }

  #exited(exit: WorkerExit): void {
    const { pid = 0 } = this.#worker ?? {};
    this.#worker = null;
    for (const handle of [this.#reap, this.#check?.handle, this.#memoryWatch]) handle?.cancel();
    this.#reap = null;
    this.#check = null;
    this.#memoryWatch = null;
    this.#outgoing = [];
    if (this.#leaving) return this.#left(exit, pid);
    const how = this.#killedFor?.why ?? describeEnd(exit, this.#saidBye);
    this.#died(how, { pid, code: exit.code, signal: exit.signal });
  }

  #left(exit: WorkerExit, pid: number): void {
    const running = [...this.#running.values()];
    this.#running.clear();
    this.#crew.unsettle(running, this.#host.clock.monotonicMs());
    if (!this.#saidBye && this.#killedFor === null) {
      const data = { ...this.#crew.about, pid, code: exit.code, signal: exit.signal };
      this.#voice.warn("worker.exited", `the worker of ${this.#crew.title} died while it was stopping`, data);
    }
    if (this.#leaving === "retire") this.#leaving = null;
    this.#state = "backoff";
    const gone = this.#gone;
    this.#gone = [];
    for (const resolve of gone) resolve();
  }

  #died(how: string, exit: EventData<"worker.exited">): void {
    const { clock, ticker } = this.#host;
    const now = clock.monotonicMs();
    const running = [...this.#running.values()];
    const told = running.filter(({ task }) => task === this.#killedFor?.told);
    const { suspects, strike: alone } = judge(told.length > 0 ? told : running);
    const culprit = alone !== null && this.#answersFor(alone) ? alone : null;
    this.#running.clear();
    this.#crew.unsettle(running, now);
    this.#failures = now - this.#lastDeathAt > HEALTHY_MS ? 1 : this.#failures + 1;
    this.#lastDeathAt = now;
    this.restarts++;
    const names = suspects.map(({ task }) => this.#crew.nameOf(task));
    const among = names.length > 1 ? `; under way were ${names.join(", ")}, which are run again one at a time` : "";
    const message = `the worker of ${this.#crew.title} died: ${how}${among}`;
    this.#voice.error("worker.exited", message, { ...this.#crew.about, ...exit, suspects: names });
    const overdue = this.#killedFor?.overdue ?? false;
    if (this.#crew.died({ how, suspects, culprit, overdue, at: now })) this.#failures = 1;
    const delay = backoffMs(this.#failures, RESTART_BACKOFF, Math.random());
    this.#state = "backoff";
    if (delay === 0) return this.start();
    this.#restart = ticker.after(delay, () => {
      this.#restart = null;
      this.start();
    });
  }

  /** Memory may have been filled by what ran before: then being the last one proves nothing. */
  #answersFor({ heldBefore }: Activity<Task>): boolean {
    const held = this.#killedFor?.held ?? null;
    if (held === null) return true;
    return heldBefore !== null && held - heldBefore >= ((this.#crew.memoryBytes ?? 0) - this.#heldAtReady) / 2;
  }

  // ── messages ─────────────────────────────────────────────────────────

  post(message: Down): void {
    this.#outgoing.push(message);
    this.schedule();
  }

  /** Something changed: at the end of the turn the crew dispatches, and what was posted leaves in one frame. */
  schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    queueMicrotask(() => {
      this.#scheduled = false;
      this.#crew.dispatch();
      if (this.#outgoing.length === 0) return;
      const frame = this.#outgoing;
      this.#outgoing = [];
      this.#worker?.send(frame);
    });
  }

  #receive(generation: number, raw: unknown): void {
    const parsed = this.#crew.parse(raw);
    if (!parsed.ok) return this.malformed(parsed.error.what);
    const message = parsed.value;
    if (generation !== this.#generation || message.generation !== this.#generation) {
      return this.malformed(`"${message.type}" of generation ${message.generation}`);
    }
    this.#heardAt = this.#host.clock.monotonicMs();
    if (message.type === "bye") this.#saidBye = true;
    else this.#crew.receive(message);
  }

  malformed(what: string): void {
    this.#malformed++;
    if (this.#malformed > MALFORMED_LIMIT) return this.kill("it sent nothing but malformed messages");
    const message = `the worker of ${this.#crew.title} sent ${what}; it is ignored`;
    this.#host.journal.folding("kernel").error("worker.malformed", message, this.#crew.about);
  }

  /** What a worker says was wrong outside of any task. */
  complaint(
    source: string,
    said: { readonly kind: string; readonly message: string; readonly stack: string | null },
  ): void {
    const { kind, message, stack } = said;
    const event = kind === "malformed-message" ? "worker.malformed" : "worker.error";
    const data = stack === null ? this.#crew.about : { ...this.#crew.about, stack };
    this.#host.journal.folding(source).error(event, `in the worker of ${this.#crew.title}: ${message}`, data);
  }

  /** It has loaded what it could and takes work. False when it had said so before. */
  isReady(): boolean {
    if (this.#state !== "starting") return false;
    this.#running.clear();
    this.#state = "up";
    this.#sampledBytes = this.#crew.memoryBytes === null ? 0 : this.memory;
    this.#heldAtReady = this.#sampledBytes;
    return true;
  }

  // ── what is under way, and its limits ────────────────────────────────

  /** A module is being loaded. False when this is not the time for it. */
  loads(task: Task): boolean {
    if (this.#state !== "starting") return false;
    this.#running.clear();
    const limitMs = LOAD_HARD_MS;
    const startedAt = this.#heardAt;
    this.#running.set(task, { task, startedAt, limitMs, loading: true, heldBefore: this.#sampledBytes });
    this.#watch(startedAt + limitMs);
    return true;
  }

  /** User code was entered for `task`; it is killed when it has not ended after `limitMs`. */
  begins(task: Task, limitMs: number): void {
    const startedAt = this.#heardAt;
    const heldBefore = this.#running.size === 0 ? this.#sampledBytes : null;
    // Of more than one none is alone any more already.
    if (this.#running.size === 1) for (const other of this.#running.values()) other.heldBefore = null;
    this.#running.set(task, { task, startedAt, limitMs, loading: false, heldBefore });
    if (Number.isFinite(limitMs)) this.#watch(startedAt + limitMs);
  }

  /** Another limit for what is under way, counted from now. */
  limit(task: Task, limitMs: number): void {
    const activity = this.#running.get(task);
    if (!activity) return;
    const now = this.#host.clock.monotonicMs();
    this.#running.set(task, { ...activity, limitMs: now - activity.startedAt + limitMs });
    this.#watch(now + limitMs);
  }

  ends(task: Task): void {
    this.#running.delete(task);
  }

  /** An answer is owed from now on. */
  expects(): void {
    this.#heardAt = this.#host.clock.monotonicMs();
    this.#watch(this.#heardAt + SILENCE_MS);
  }

  /** Looks again at `at` at the latest. One look is armed at a time, so a busy worker arms few. */
  #watch(at: number): void {
    if (this.#check && this.#check.at <= at) return;
    this.#check?.handle.cancel();
    const delay = Math.max(0, at - this.#host.clock.monotonicMs());
    this.#check = { at, handle: this.#host.ticker.after(delay, () => this.#look()) };
  }

  #look(): void {
    this.#check = null;
    const now = this.#host.clock.monotonicMs();
    for (const activity of this.#running.values()) {
      if (now - activity.startedAt < activity.limitMs) continue;
      const limit = activity.loading
        ? `loading it took longer than ${formatDuration(LOAD_HARD_MS)}`
        : this.#crew.describeLimit(activity.task);
      const told = this.#crew.wasTold(activity.task) ? activity.task : null;
      const why =
        this.#running.size === 1 || told !== null
          ? `${this.#crew.speakOf(activity.task)}: ${limit}`
          : `a ${this.#crew.noun} passed its hard limit`;
      return this.#kill({ why, overdue: !activity.loading, held: null, told });
    }
    const next = Math.min(...[...this.#running.values()].map(({ startedAt, limitMs }) => startedAt + limitMs));
    if (Number.isFinite(next)) return this.#watch(next);
    if (this.#running.size > 0 || (!this.#crew.awaits() && this.#state !== "starting")) return;
    if (now - this.#heardAt >= SILENCE_MS) return this.kill(`it did not answer for ${formatDuration(SILENCE_MS)}`);
    this.#watch(this.#heardAt + SILENCE_MS);
  }

  #watchMemory(limit: number): void {
    this.#memoryWatch = this.#host.ticker.after(MEMORY_SAMPLE_MS, () => {
      const used = this.memory;
      this.#sampledBytes = used;
      if (used > limit && this.#overMemory) {
        const why = `it held ${formatSize(used)}, over the group's ${formatSize(limit)}`;
        return this.#kill({ why, overdue: false, held: used, told: null });
      }
      this.#overMemory = used > limit;
      this.#watchMemory(limit);
    });
  }

  get #voice(): Voice {
    return this.#host.journal.of("kernel");
  }
}

function describeEnd(exit: WorkerExit, saidBye: boolean): string {
  if (exit.channelBroke) return "its channel broke";
  return saidBye && exit.signal === null ? "it left on its own" : describeExit(exit);
}
