/**
 * One group of senses and its worker, from spawn to reaped and again. Invariants kept here:
 * - G4: a new worker starts only after the old one was reaped; one compute a sense is under way.
 * - G5: a worker that passes a limit, floods or falls silent is killed; only who was alone at a death gets a strike.
 * - A result that answers no started compute, or comes from another generation, changes nothing.
 */
import { backoffMs, RESTART_BACKOFF } from "../base/backoff.ts";
import type { Clock } from "../base/clock.ts";
import { formatDuration } from "../base/duration.ts";
import type { JsonObject } from "../base/json.ts";
import { descendants, residentBytes } from "../base/processes.ts";
import { formatSize } from "../base/size.ts";
import type { ParentMessage, WorkerMessageOf } from "../ipc/definitions.ts";
import { parseWorkerMessage } from "../ipc/parse.ts";
import type { GroupConfig } from "../model/config.ts";
import type { Owed } from "../store/sense-state.ts";
import { judge } from "./blame.ts";
import type { Journal } from "./journal.ts";
import type { Batch, Flight, Sense } from "./sense.ts";
import type { Handle, Ticker } from "./ticker.ts";
import { spawnWorker, type WorkerCommand, type WorkerExit, type WorkerProcess } from "./worker-process.ts";

export type GroupState = "starting" | "up" | "backoff" | "stuck";

/** Milliseconds: how long a compute may run, soft and hard. */
export interface Limits {
  readonly timeoutMs: number;
  readonly gracePeriodMs: number;
}

/** What the engine does for a group: everything that is durable or concerns more than one group. */
export interface GroupHost {
  readonly clock: Clock;
  readonly ticker: Ticker;
  readonly journal: Journal;
  nextGeneration(): number;
  nextComputeId(): number;
  command(): WorkerCommand;
  /** The first message of a new worker for these senses. */
  init(group: Group, senses: readonly Sense[], generation: number): ParentMessage;
  limits(sense: Sense): Limits;
  /** True when the sense may start now; arms whatever will wake its group when it may. */
  mayStart(sense: Sense): boolean;
  /** Calls `send` once the start is durable where that is asked for; at once otherwise. */
  begin(starting: readonly Sense[], send: () => void): void;
  /** A result of a compute, or (`flight` null) a row an earlier worker left in its outbox. */
  signal(group: Group, sense: Sense, flight: Flight | null, message: WorkerMessageOf<"signal">): void;
  noSignal(group: Group, sense: Sense, flight: Flight): void;
  failed(group: Group, sense: Sense, flight: Flight, message: WorkerMessageOf<"error">): void;
  output(group: Group, message: WorkerMessageOf<"log">, taken: () => void): void;
  ready(group: Group, message: WorkerMessageOf<"ready">): void;
  /** `sense` was alone when its worker died. True when it is quarantined for it. */
  strike(sense: Sense, death: Death): boolean;
}

/** A worker's death with one compute under way. */
export interface Death {
  /** What ended it. */
  readonly how: string;
  /** The compute, or null while the module was being loaded. */
  readonly compute: number | null;
  /** Milliseconds since it had started. */
  readonly afterMs: number;
}

interface Running {
  readonly sense: Sense;
  readonly startedAt: number;
  readonly limitMs: number;
  /** The module is being loaded, no compute runs. */
  readonly loading: boolean;
  /** Bytes of the newest sample when it began; null once another compute has run beside it. 0 in a group without a limit. */
  heldBefore: number | null;
}

/** A module that loops at its top level is killed this long after it began to load. */
const LOAD_HARD_MS = 15_000;
/** A worker that owes a `started` and says nothing for this long is not coming back. */
const SILENCE_MS = 10_000;
const REAP_MS = 5_000;
/** A worker that was told to leave aborts what runs; it has this long for that. */
const LEAVE_MS = 10_000;
const HEALTHY_MS = 60_000;
const MEMORY_SAMPLE_MS = 500;
const MALFORMED_LIMIT = 1_000;

export class Group {
  readonly name: string;
  readonly seats = new Map<string, Sense>();
  config: GroupConfig;
  restarts = 0;
  readonly #host: GroupHost;

  #state: GroupState = "backoff";
  #worker: WorkerProcess<ParentMessage> | null = null;
  #generation = 0;
  #failures = 0;
  #lastDeathAt = Number.NEGATIVE_INFINITY;
  /** Why we killed it, or null when it died by itself. */
  #killedFor: { readonly why: string; readonly sense: Sense | null; readonly held: number | null } | null = null;
  #leaving: "retire" | "stop" | null = null;
  #gone: (() => void)[] = [];
  #saidBye = false;

  readonly #ready = new Set<Sense>();
  readonly #running = new Map<Sense, Running>();
  readonly #suspects = new Set<Sense>();
  #suspectsTurn = true;
  /** Flights whose start is being committed, and those sent whose `started` has not come. */
  #beginning = 0;
  #unstarted = 0;
  #heardAt = 0;
  #malformed = 0;
  #overMemory = false;
  /** Newest sample of what the worker and its children hold, and the one taken when it got ready. */
  #sampledBytes = 0;
  #heldAtReady = 0;

  #outgoing: ParentMessage[] = [];
  #scheduled = false;
  #check: { readonly at: number; readonly handle: Handle } | null = null;
  #memoryWatch: Handle | null = null;
  #restart: Handle | null = null;
  #reap: Handle | null = null;

  constructor(config: GroupConfig, host: GroupHost) {
    this.name = config.name;
    this.config = config;
    this.#host = host;
  }

  get state(): GroupState {
    return this.#state;
  }

  get pid(): number | null {
    return this.#worker?.pid ?? null;
  }

  /** Resident bytes of the worker and its children, 0 without one. */
  get memory(): number {
    const pid = this.pid;
    return pid === null ? 0 : [pid, ...descendants(pid)].reduce((sum, id) => sum + residentBytes(id), 0);
  }

  // ── life of the worker ───────────────────────────────────────────────

  start(): void {
    if (this.#worker || this.#leaving) return;
    this.#restart?.cancel();
    const senses = [...this.seats.values()].filter(
      (sense) => sense.location && !(sense.quarantine && sense.diedLoading),
    );
    if (senses.length === 0) return;
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
    for (const sense of this.seats.values()) sense.loaded = false;
    for (const sense of this.#suspects) if (this.seats.get(sense.name) !== sense) this.#suspects.delete(sense);
    try {
      this.#worker = spawnWorker<ParentMessage>(host.command(), {
        message: (raw) => this.#receive(generation, raw),
        frameEnd: () => {},
        output: (stream, line) => this.#rawOutput(stream, line),
        exit: (exit) => this.#exited(exit),
      });
    } catch (error) {
      this.#died(`the worker could not be started: ${(error as Error).message}`, {});
      return;
    }
    this.#worker.send([host.init(this, senses, generation)]);
    this.#watch(this.#heardAt + SILENCE_MS);
    if (this.config.memoryBytes !== null) this.#watchMemory(this.config.memoryBytes);
  }

  /** Lets what runs finish, then ends the worker. Resolves once it is reaped. */
  retire(): Promise<void> {
    return this.#leave("retire");
  }

  /** Aborts what runs and ends the worker. */
  stop(): Promise<void> {
    return this.#leave("stop");
  }

  #leave(how: "retire" | "stop"): Promise<void> {
    this.#restart?.cancel();
    // Once it is to stop nothing starts it again; a retired one is started anew by whoever retired it.
    if (how === "stop" || (this.#worker !== null && this.#leaving === null)) this.#leaving = how;
    if (this.#worker === null) return Promise.resolve();
    const gone = new Promise<void>((resolve) => this.#gone.push(resolve));
    if (how === "stop" || this.#state !== "up" || this.#flights() === 0) this.#shutdown();
    return gone;
  }

  #shutdown(): void {
    if (this.#state !== "up") return this.kill("it is not needed any more", null);
    this.#post({ type: "shutdown", generation: this.#generation });
    const worker = this.#worker;
    this.#host.ticker.after(LEAVE_MS, () => {
      if (this.#worker === worker) this.kill(`it did not leave within ${formatDuration(LEAVE_MS)}`, null);
    });
  }

  /** `held`: the bytes it is killed for, where that is why. */
  kill(why: string, sense: Sense | null, held: number | null = null): void {
    const worker = this.#worker;
    if (worker === null) return;
    this.#killedFor ??= { why, sense, held };
    worker.kill();
    this.#reap ??= this.#host.ticker.after(REAP_MS, () => {
      this.#state = "stuck";
      const message = `worker ${worker.pid} of group "${this.name}" was killed and is not gone after ${formatDuration(REAP_MS)}; nothing is started in its place until it is`;
      this.#log("error", "worker.exited", message, { pid: worker.pid, state: "stuck" });
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
    const how = this.#killedFor?.why ?? describeExit(exit, this.#saidBye);
    this.#died(how, { pid, code: exit.code, signal: exit.signal });
  }

  #left(exit: WorkerExit, pid: number): void {
    this.#settleNothing();
    if (!this.#saidBye && this.#killedFor === null) {
      this.#log("warn", "worker.exited", `the worker of group "${this.name}" died while it was stopping`, {
        pid,
        code: exit.code,
        signal: exit.signal,
      });
    }
    if (this.#leaving === "retire") this.#leaving = null;
    this.#state = "backoff";
    const gone = this.#gone;
    this.#gone = [];
    for (const resolve of gone) resolve();
  }

  /** Flights without a result go back to what they were before; whoever had started is run again alone. */
  #settleNothing(): void {
    this.#running.clear();
    this.#unstarted = 0;
    this.#beginning = 0;
    for (const sense of this.seats.values()) {
      const { flight } = sense;
      sense.loaded = false;
      if (flight === null || flight.settling) continue;
      flight.batch.left--;
      sense.flight = null;
      if (flight.owed === null) sense.tick ??= flight.trigger;
      this.#ready.add(sense);
    }
  }

  #died(how: string, data: JsonObject): void {
    const { clock, ticker } = this.#host;
    const now = clock.monotonicMs();
    const running = [...this.#running.values()];
    const verdict = judge(running.map(({ sense }) => sense.name));
    const last = verdict.strike === null ? null : (running[0] ?? null);
    const alone = last !== null && this.#answersFor(last) ? last : null;
    const compute = alone?.sense.flight?.id ?? null;
    this.#settleNothing();
    this.#failures = now - this.#lastDeathAt > HEALTHY_MS ? 1 : this.#failures + 1;
    this.#lastDeathAt = now;
    this.restarts++;
    const names = [...verdict.suspects];
    const among = names.length > 1 ? `; under way were ${names.join(", ")}, which are run again one at a time` : "";
    this.#log("error", "worker.exited", `the worker of group "${this.name}" died: ${how}${among}`, {
      ...data,
      suspects: names,
    });
    for (const { sense } of running) this.#suspects.add(sense);
    // The neighbours have waited for the worker; a suspect may cost them another one.
    this.#suspectsTurn = false;
    if (alone !== null) {
      alone.sense.diedLoading = alone.loading;
      const death: Death = { how, compute, afterMs: Math.round(now - alone.startedAt) };
      if (this.#host.strike(alone.sense, death)) {
        this.#suspects.delete(alone.sense);
        this.#failures = 1;
      }
    }
    const delay = backoffMs(this.#failures, RESTART_BACKOFF, Math.random());
    this.#state = "backoff";
    if (delay === 0) this.start();
    else this.#restart = ticker.after(delay, () => this.start());
  }

  /** Memory may have been filled by what ran before: then being the last one proves nothing. */
  #answersFor({ heldBefore }: Running): boolean {
    const held = this.#killedFor?.held ?? null;
    if (held === null) return true;
    return heldBefore !== null && held - heldBefore >= ((this.config.memoryBytes ?? 0) - this.#heldAtReady) / 2;
  }

  // ── computes ─────────────────────────────────────────────────────────

  /** `sense` has something to compute for, or may start again. */
  wake(sense: Sense): void {
    this.#ready.add(sense);
    this.#schedule();
  }

  /** What is pending of it is not wanted any more. */
  forget(sense: Sense): void {
    this.#ready.delete(sense);
    this.#suspects.delete(sense);
    this.#schedule();
  }

  /** From now on it must run alone, until it settles. */
  suspect(sense: Sense): void {
    this.#suspects.add(sense);
  }

  #flights(): number {
    return this.#running.size + this.#unstarted + this.#beginning;
  }

  #dispatch(): void {
    if (this.#state !== "up" || this.#leaving || this.#ready.size === 0) return;
    if (this.#suspects.size > 0) return this.#dispatchApart();
    this.#send([...this.#ready]);
  }

  /** While there are suspects: one of them alone, then the others, in turns. */
  #dispatchApart(): void {
    if (this.#flights() > 0) return;
    for (let turn = 0; turn < 2; turn++) {
      const suspects = this.#suspectsTurn;
      this.#suspectsTurn = !suspects;
      const chosen = [...this.#ready].filter((sense) => this.#suspects.has(sense) === suspects);
      if (suspects) {
        for (const sense of chosen) if (this.#send([sense]) > 0) return;
      } else if (this.#send(chosen) > 0) return;
    }
  }

  /** How many were sent. */
  #send(senses: readonly Sense[]): number {
    const host = this.#host;
    const starting: Sense[] = [];
    const batch: Batch = { left: 0 };
    for (const sense of senses) {
      const trigger = sense.pending;
      if (trigger === null || sense.flight !== null) {
        this.#ready.delete(sense);
        continue;
      }
      if (!sense.loaded || !host.mayStart(sense)) {
        this.#ready.delete(sense);
        continue;
      }
      this.#ready.delete(sense);
      const owed = trigger === sense.owed ? trigger : null;
      // One compute answers both: it begins after both were decided.
      sense.tick = null;
      sense.flight = { id: host.nextComputeId(), trigger, owed, batch, startedAt: null, settling: false };
      batch.left++;
      starting.push(sense);
    }
    if (starting.length === 0) return 0;
    this.#beginning += starting.length;
    const generation = this.#generation;
    host.begin(starting, () => {
      if (generation !== this.#generation || this.#state !== "up") return;
      this.#beginning -= starting.length;
      this.#unstarted += starting.length;
      for (const { name, flight } of starting)
        if (flight) this.#post(computeMessage(generation, name, flight.id, flight.trigger));
      this.#heardAt = host.clock.monotonicMs();
      this.#watch(this.#heardAt + SILENCE_MS);
    });
    return starting.length;
  }

  /** A result was taken: the sense is free for its next compute. Called after the commit where there was one. */
  settled(sense: Sense, flight: Flight): void {
    if (sense.flight === flight) sense.flight = null;
    this.#suspects.delete(sense);
    sense.diedLoading = false;
    if (sense.pending !== null) this.#ready.add(sense);
    this.#schedule();
    if (this.#leaving === "retire" && this.#flights() === 0) this.#shutdown();
  }

  ack(sense: string, upTo: number | null, logs: number): void {
    const outbox = upTo === null ? [] : [{ sense, upTo }];
    this.#post({ type: "ack", generation: this.#generation, outbox, logs });
  }

  /** The senses there are have changed, this worker stays. */
  tellPeers(peers: { name: string; database: string }[]): void {
    if (this.#worker) this.#post({ type: "peers", generation: this.#generation, peers });
  }

  #post(message: ParentMessage): void {
    this.#outgoing.push(message);
    this.#schedule();
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    queueMicrotask(() => {
      this.#scheduled = false;
      this.#dispatch();
      if (this.#outgoing.length === 0) return;
      const frame = this.#outgoing;
      this.#outgoing = [];
      this.#worker?.send(frame);
    });
  }

  // ── messages ─────────────────────────────────────────────────────────

  #receive(generation: number, raw: unknown): void {
    const parsed = parseWorkerMessage(raw);
    if (!parsed.ok) return this.#malformedMessage(parsed.error.what);
    const message = parsed.value;
    if (generation !== this.#generation || message.generation !== this.#generation) {
      return this.#malformedMessage(`"${message.type}" of generation ${message.generation}`);
    }
    this.#heardAt = this.#host.clock.monotonicMs();
    switch (message.type) {
      case "started":
        return this.#started(message);
      case "signal":
        return message.id === null ? this.#leftover(message) : this.#result(message, message.id);
      case "no-signal":
        return this.#result(message, message.id);
      case "error":
        return message.id === null ? this.#complaint(message) : this.#result(message, message.id);
      case "ready":
        return this.#isReady(message);
      case "log":
        return this.#host.output(this, message, () => this.ack(this.name, null, 1));
      case "bye":
        this.#saidBye = true;
        return;
    }
  }

  #isReady(message: WorkerMessageOf<"ready">): void {
    if (this.#state !== "starting") return this.#malformedMessage("a second ready");
    this.#running.clear();
    this.#state = "up";
    this.#sampledBytes = this.config.memoryBytes === null ? 0 : this.memory;
    this.#heldAtReady = this.#sampledBytes;
    this.#host.ready(this, message);
    for (const sense of this.seats.values()) {
      if (sense.loaded && sense.diedLoading) this.settledLoading(sense);
      if (sense.pending !== null) this.#ready.add(sense);
    }
    this.#schedule();
  }

  /** A module that once killed its worker has loaded after all. */
  settledLoading(sense: Sense): void {
    sense.diedLoading = false;
    this.#suspects.delete(sense);
  }

  #started(message: WorkerMessageOf<"started">): void {
    const sense = this.seats.get(message.sense);
    const startedAt = this.#heardAt;
    if (message.id === null) {
      if (sense === undefined || this.#state !== "starting")
        return this.#malformedMessage(`"started" of ${message.sense}`);
      this.#running.clear();
      this.#running.set(sense, {
        sense,
        startedAt,
        limitMs: LOAD_HARD_MS,
        loading: true,
        heldBefore: this.#sampledBytes,
      });
      return this.#watch(startedAt + LOAD_HARD_MS);
    }
    const flight = sense?.flight;
    if (!sense || !flight || flight.id !== message.id || flight.startedAt !== null) {
      return this.#malformedMessage(`"started" for compute ${message.id} of ${message.sense}, which is not under way`);
    }
    flight.startedAt = startedAt;
    this.#unstarted--;
    const { timeoutMs, gracePeriodMs } = this.#host.limits(sense);
    const heldBefore = this.#running.size === 0 ? this.#sampledBytes : null;
    // Of more than one none is alone any more already.
    if (this.#running.size === 1) for (const other of this.#running.values()) other.heldBefore = null;
    this.#running.set(sense, { sense, startedAt, limitMs: timeoutMs + gracePeriodMs, loading: false, heldBefore });
    this.#watch(startedAt + timeoutMs + gracePeriodMs);
  }

  #result(message: WorkerMessageOf<"signal" | "no-signal" | "error">, id: number): void {
    const sense = this.seats.get(message.sense ?? "");
    const flight = sense?.flight;
    if (!sense || !flight || flight.id !== id || flight.startedAt === null || flight.settling) {
      return this.#malformedMessage(`"${message.type}" for compute ${id} of ${message.sense}, which is not under way`);
    }
    this.#running.delete(sense);
    if (message.type === "error" && message.kind === "aborted") {
      // Stopped, not settled: what was owed stays owed.
      flight.batch.left--;
      sense.flight = null;
      return;
    }
    flight.settling = true;
    flight.batch.left--;
    sense.stats.took(message.durationMs);
    if (message.type === "signal") this.#host.signal(this, sense, flight, message);
    else if (message.type === "no-signal") this.#host.noSignal(this, sense, flight);
    else this.#host.failed(this, sense, flight, message);
  }

  #leftover(message: WorkerMessageOf<"signal">): void {
    const sense = this.seats.get(message.sense);
    if (!sense || message.outbox === null)
      return this.#malformedMessage(`a left-over signal of ${message.sense} without its outbox row`);
    this.#host.signal(this, sense, null, message);
  }

  #complaint(message: WorkerMessageOf<"error">): void {
    const source = message.sense === null ? "kernel" : `sense:${message.sense}`;
    this.#host.journal.logFolded({
      level: "error",
      source,
      event: message.kind === "malformed-message" ? "worker.malformed" : "worker.error",
      message: `in the worker of group "${this.name}": ${message.message}`,
      data: message.stack === null ? { group: this.name } : { group: this.name, stack: message.stack },
      trace: null,
    });
  }

  #malformedMessage(what: string): void {
    this.#malformed++;
    if (this.#malformed > MALFORMED_LIMIT) return this.kill("it sent nothing but malformed messages", null);
    this.#host.journal.logFolded({
      level: "error",
      source: "kernel",
      event: "worker.malformed",
      message: `the worker of group "${this.name}" sent ${what}; it is ignored`,
      data: { group: this.name },
      trace: null,
    });
  }

  #rawOutput(stream: "stdout" | "stderr", line: string): void {
    const [only] = this.seats.size === 1 ? this.seats.keys() : [];
    const level = stream === "stdout" ? "info" : "error";
    const head = { type: "log", generation: this.#generation, sense: only ?? null, level, event: "output" } as const;
    this.#host.output(this, { ...head, trace: null, message: line, data: null, dropped: 0 }, () => {});
  }

  // ── limits ───────────────────────────────────────────────────────────

  /** Looks again at `at` at the latest. One look is armed at a time, so a busy group arms few. */
  #watch(at: number): void {
    if (this.#check && this.#check.at <= at) return;
    this.#check?.handle.cancel();
    const delay = Math.max(0, at - this.#host.clock.monotonicMs());
    this.#check = { at, handle: this.#host.ticker.after(delay, () => this.#look()) };
  }

  #look(): void {
    this.#check = null;
    const now = this.#host.clock.monotonicMs();
    for (const { sense, startedAt, limitMs, loading } of this.#running.values()) {
      if (now - startedAt < limitMs) continue;
      const { timeoutMs, gracePeriodMs } = this.#host.limits(sense);
      const limit = loading
        ? `loading it took longer than ${formatDuration(LOAD_HARD_MS)}`
        : `it had not settled at its hard limit, ${formatDuration(timeoutMs)} timeout and ${formatDuration(gracePeriodMs)} grace period`;
      return this.kill(
        this.#running.size === 1 ? `sense "${sense.name}": ${limit}` : "a compute passed its hard limit",
        sense,
      );
    }
    if (this.#running.size > 0) {
      return this.#watch(
        Math.min(...[...this.#running.values()].map((running) => running.startedAt + running.limitMs)),
      );
    }
    if (this.#unstarted === 0 && this.#state !== "starting") return;
    if (now - this.#heardAt >= SILENCE_MS)
      return this.kill(`it did not answer for ${formatDuration(SILENCE_MS)}`, null);
    this.#watch(this.#heardAt + SILENCE_MS);
  }

  #watchMemory(limit: number): void {
    this.#memoryWatch = this.#host.ticker.after(MEMORY_SAMPLE_MS, () => {
      const used = this.memory;
      this.#sampledBytes = used;
      if (used > limit && this.#overMemory) {
        return this.kill(`it held ${formatSize(used)}, over the group's ${formatSize(limit)}`, null, used);
      }
      this.#overMemory = used > limit;
      this.#watchMemory(limit);
    });
  }

  #log(level: "info" | "warn" | "error", event: string, message: string, data: JsonObject): void {
    const entry = { level, source: "kernel", event, message, data: { group: this.name, ...data }, trace: null };
    this.#host.journal.log(entry);
  }
}

const computeMessage = (generation: number, sense: string, id: number, trigger: Owed): ParentMessage => ({
  type: "compute",
  generation,
  id,
  sense,
  now: trigger.at,
  cause: trigger.cause,
  trace: trigger.trace,
});

function describeExit(exit: WorkerExit, saidBye: boolean): string {
  if (exit.channelBroke) return "its channel broke";
  if (exit.signal !== null) return `killed by ${exit.signal}`;
  if (saidBye) return "it left on its own";
  return `it exited with code ${exit.code ?? "unknown"}`;
}
