/**
 * One group of senses: which of them computes next, and what its worker says of them. Invariants kept here:
 * - G4: one compute a sense is under way.
 * - G5: senses under way at a death of their worker are run again one at a time.
 * - A result that answers no started compute changes nothing.
 */

import { formatDuration } from "../../base/duration.ts";
import { limitsOf } from "../../config/defaults.ts";
import type { ParentMessage, ParentMessageOf, WorkerMessage, WorkerMessageOf } from "../../ipc/definitions.ts";
import { parseWorkerMessage } from "../../ipc/parse.ts";
import type { GroupConfig } from "../../model/config.ts";
import type { PeerFiles } from "../../spawn/peer-files.ts";
import type { WorkerCommand } from "../../spawn/worker-process.ts";
import type { Owed } from "../../store/sense-state.ts";
import type { Batch, Flight, Sense } from "../memory/sense.ts";
import type { Crew, Death, LifeHost } from "../workers/crew.ts";
import { LEAVE_MS, type LifeState, WorkerLife } from "../workers/life.ts";
import { Suspects } from "../workers/suspects.ts";

/** What the engine does for a group: everything that is durable or concerns more than one group. */
export interface GroupHost extends LifeHost {
  nextComputeId(): number;
  command(): WorkerCommand;
  /** The first message of a new worker for these senses. */
  init(group: Group, senses: readonly Sense[], generation: number): ParentMessage;
  /** True when the sense may start now; arms whatever will wake its group when it may. */
  mayStart(sense: Sense): boolean;
  /** The compute that was under way for it never settles. */
  lost(sense: Sense): void;
  /** Calls `send` once the start is durable where that is asked for; at once otherwise. */
  begin(starting: readonly Sense[], send: () => void): void;
  /** A result of a compute, or (`flight` null) a row an earlier worker left in its outbox. */
  signal(group: Group, sense: Sense, flight: Flight | null, message: WorkerMessageOf<"signal">): void;
  noSignal(group: Group, sense: Sense, flight: Flight): void;
  failed(group: Group, sense: Sense, flight: Flight, message: WorkerMessageOf<"error">): void;
  /** A compute has passed its timeout, whatever becomes of it. */
  timedOut(sense: Sense, flight: Flight): void;
  output(group: Group, message: WorkerMessageOf<"log">, taken: () => void): void;
  ready(group: Group, message: WorkerMessageOf<"ready">): void;
  /** `sense` was alone when its worker died. True when it is quarantined for it. */
  strike(sense: Sense, death: LoneDeath): boolean;
}

/** `died`: while its worker loaded the senses. `idle`: no worker is loading any. */
export type Loading = "ready" | "died" | "idle";

/** A worker's death with one compute under way. */
export interface LoneDeath {
  /** What ended it. */
  readonly how: string;
  /** The compute, or null while the module was being loaded. */
  readonly compute: number | null;
  /** Milliseconds since it had started. */
  readonly afterMs: number;
}

export class Group implements Crew<ParentMessage, WorkerMessage, Sense> {
  readonly name: string;
  readonly seats = new Map<string, Sense>();
  readonly noun = "compute";
  config: GroupConfig;
  readonly #host: GroupHost;
  readonly #life: WorkerLife<ParentMessage, WorkerMessage, Sense>;

  readonly #ready = new Set<Sense>();
  readonly #suspects = new Suspects<Sense>();
  /** Flights whose start is being committed, and those sent whose `started` has not come. */
  #beginning = 0;
  #unstarted = 0;
  /** Who waits for the worker that is starting to have loaded its senses. */
  #loading: ((outcome: Loading) => void)[] = [];

  constructor(config: GroupConfig, host: GroupHost) {
    this.name = config.name;
    this.config = config;
    this.#host = host;
    this.#life = new WorkerLife(this, host);
  }

  get title(): string {
    return `group "${this.name}"`;
  }

  get about(): { readonly group: string } {
    return { group: this.name };
  }

  get memoryBytes(): number | null {
    return this.config.memoryBytes;
  }

  get state(): LifeState {
    return this.#life.state;
  }

  get pid(): number | null {
    return this.#life.pid;
  }

  get memory(): number {
    return this.#life.memory;
  }

  /** Why its worker, which was killed, is not gone; null where that is not so. */
  get stuckFor(): string | null {
    return this.#life.stuckFor;
  }

  get restarts(): number {
    return this.#life.restarts;
  }

  // ── life of the worker ───────────────────────────────────────────────

  start(): void {
    this.#life.start();
  }

  isWanted(): boolean {
    return this.#loadable().length > 0;
  }

  #loadable(): Sense[] {
    return [...this.seats.values()].filter((sense) => sense.location && !(sense.quarantine && sense.diedLoading));
  }

  /** Resolves once the worker that is starting has loaded what it can, or is dead. */
  whenLoaded(): Promise<Loading> {
    if (this.#life.state === "up") return Promise.resolve("ready");
    if (this.#life.state !== "starting") return Promise.resolve(this.isWanted() ? "died" : "idle");
    return new Promise((resolve) => this.#loading.push(resolve));
  }

  #loadingEnds(outcome: Loading): void {
    const waiting = this.#loading;
    this.#loading = [];
    for (const resolve of waiting) resolve(outcome);
  }

  /** Lets what runs finish, then ends the worker. Resolves once it is reaped. */
  retire(): Promise<void> {
    this.#loadingEnds("idle");
    return this.#life.leave("retire", this.#flights() > 0);
  }

  /** Aborts what runs and ends the worker. */
  stop(): Promise<void> {
    this.#loadingEnds("idle");
    return this.#life.leave("stop", this.#flights() > 0);
  }

  kill(why: string): void {
    this.#life.kill(why);
  }

  command(): WorkerCommand {
    return this.#host.command();
  }

  parse = parseWorkerMessage;

  init(generation: number): ParentMessage {
    for (const sense of this.seats.values()) sense.loaded = false;
    this.#suspects.retain((sense) => this.seats.get(sense.name) === sense);
    return this.#host.init(this, this.#loadable(), generation);
  }

  nameOf(sense: Sense): string {
    return sense.name;
  }

  speakOf(sense: Sense): string {
    return `sense "${sense.name}"`;
  }

  describeLimit(sense: Sense): string {
    const { timeoutMs, gracePeriodMs } = limitsOf(sense.config);
    return `it had not settled at its hard limit, ${formatDuration(timeoutMs)} timeout and ${formatDuration(gracePeriodMs)} grace period`;
  }

  /** Nothing is said of a compute between its start and its end. */
  wasTold(): boolean {
    return false;
  }

  /** Where the worker cannot report it (it loops, or waits in the kernel), the compute is not silent for that. */
  isLate(sense: Sense): void {
    if (sense.flight !== null) this.#host.timedOut(sense, sense.flight);
  }

  awaits(): boolean {
    return this.#unstarted > 0;
  }

  /** Flights without a result go back to what they were before. */
  unsettle(): void {
    this.#loadingEnds("died");
    this.#unstarted = 0;
    this.#beginning = 0;
    for (const sense of this.seats.values()) {
      const { flight } = sense;
      sense.loaded = false;
      if (flight === null || flight.settling) continue;
      flight.batch.left--;
      sense.diedInFlight = flight.id;
      sense.flight = null;
      if (flight.owed === null) sense.tick ??= flight.trigger;
      this.#host.lost(sense);
      this.#ready.add(sense);
    }
  }

  died({ how, suspects, culprit, at }: Death<Sense>): boolean {
    for (const { task } of suspects) this.#suspects.add(task);
    this.#suspects.neighboursFirst();
    if (culprit === null) return false;
    const sense = culprit.task;
    sense.diedLoading = culprit.loading;
    const compute = culprit.loading ? null : sense.diedInFlight;
    const death: LoneDeath = { how, compute, afterMs: Math.round(at - culprit.startedAt) };
    if (!this.#host.strike(sense, death)) return false;
    this.#suspects.clear(sense);
    return true;
  }

  // ── computes ─────────────────────────────────────────────────────────

  /** `sense` has something to compute for, or may start again. */
  wake(sense: Sense): void {
    this.#ready.add(sense);
    this.#life.schedule();
  }

  /** What is pending of it is not wanted any more. */
  forget(sense: Sense): void {
    this.#ready.delete(sense);
    this.#suspects.clear(sense);
    this.#life.schedule();
  }

  /** From now on it must run alone, until it settles. */
  suspect(sense: Sense): void {
    this.#suspects.add(sense);
  }

  #flights(): number {
    return this.#life.busy + this.#unstarted + this.#beginning;
  }

  dispatch(): void {
    if (!this.#life.isOpen || this.#ready.size === 0) return;
    if (this.#suspects.size > 0 && this.#flights() > 0) return;
    this.#begin(this.#suspects.inTurns(this.#startable()));
  }

  /** Who of those that are ready may start now; whoever may not is no longer ready, and is woken when that changes. */
  #startable(): Sense[] {
    const startable: Sense[] = [];
    for (const sense of this.#ready) {
      const isFree = sense.pending !== null && sense.flight === null && sense.loaded;
      if (isFree && this.#host.mayStart(sense)) startable.push(sense);
      else this.#ready.delete(sense);
    }
    return startable;
  }

  #begin(starting: readonly Sense[]): void {
    if (starting.length === 0) return;
    const host = this.#host;
    const batch: Batch = { left: starting.length };
    for (const sense of starting) {
      this.#ready.delete(sense);
      const trigger = sense.pending;
      if (trigger === null) continue;
      const owed = trigger === sense.owed ? trigger : null;
      // One compute answers both: it begins after both were decided.
      sense.tick = null;
      sense.flight = {
        id: host.nextComputeId(),
        trigger,
        owed,
        batch,
        startedAt: null,
        settling: false,
        timedOut: false,
      };
    }
    this.#beginning += starting.length;
    const { generation } = this.#life;
    host.begin(starting, () => {
      if (generation !== this.#life.generation || this.#life.state !== "up") return;
      this.#beginning -= starting.length;
      this.#unstarted += starting.length;
      for (const { name, flight } of starting)
        if (flight) this.#life.post(computeMessage(generation, name, flight.id, flight.trigger));
      this.#life.expects();
    });
  }

  /** A result was taken: the sense is free for its next compute. Called after the commit where there was one. */
  settled(sense: Sense, flight: Flight): void {
    if (sense.flight === flight) sense.flight = null;
    this.#suspects.clear(sense);
    sense.diedLoading = false;
    if (sense.pending !== null) this.#ready.add(sense);
    this.#life.schedule();
    if (this.#life.leaving === "retire" && this.#flights() === 0) this.#life.shutDown(LEAVE_MS);
  }

  /** What the kernel has committed: outbox rows of a sense, or rows of log. */
  ack(outbox: ParentMessageOf<"ack">["outbox"], logs: number): void {
    this.#life.post({ type: "ack", generation: this.#life.generation, outbox, logs });
  }

  /** The senses there are have changed, this worker stays. */
  tellPeers(peers: PeerFiles): void {
    if (this.pid !== null) this.#life.post({ type: "peers", generation: this.#life.generation, peers });
  }

  // ── messages ─────────────────────────────────────────────────────────

  receive(message: WorkerMessage): void {
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
        return this.#host.output(this, message, () => this.ack([], 1));
    }
  }

  #isReady(message: WorkerMessageOf<"ready">): void {
    if (!this.#life.isReady()) return this.#life.malformed("a second ready");
    this.#host.ready(this, message);
    for (const sense of this.seats.values()) {
      if (sense.loaded && sense.diedLoading) this.#hasLoaded(sense);
      if (sense.pending !== null) this.#ready.add(sense);
    }
    this.#loadingEnds("ready");
    this.#life.schedule();
  }

  /** A module that once killed its worker has loaded after all. */
  #hasLoaded(sense: Sense): void {
    sense.diedLoading = false;
    this.#suspects.clear(sense);
  }

  #started(message: WorkerMessageOf<"started">): void {
    const sense = this.seats.get(message.sense);
    if (message.id === null) {
      if (sense === undefined || !this.#life.loads(sense)) this.#life.malformed(`"started" of ${message.sense}`);
      return;
    }
    const flight = sense?.flight;
    if (!sense || !flight || flight.id !== message.id || flight.startedAt !== null) {
      return this.#life.malformed(`"started" for compute ${message.id} of ${message.sense}, which is not under way`);
    }
    flight.startedAt = this.#life.heardAt;
    this.#unstarted--;
    const { timeoutMs, gracePeriodMs } = limitsOf(sense.config);
    this.#life.begins(sense, timeoutMs, timeoutMs + gracePeriodMs);
  }

  #result(message: WorkerMessageOf<"signal" | "no-signal" | "error">, id: number): void {
    const sense = this.seats.get(message.sense ?? "");
    const flight = sense?.flight;
    if (!sense || !flight || flight.id !== id || flight.startedAt === null || flight.settling) {
      return this.#life.malformed(`"${message.type}" for compute ${id} of ${message.sense}, which is not under way`);
    }
    this.#life.ends(sense);
    if (message.type === "error" && message.kind === "aborted") {
      // Stopped, not settled: what was owed stays owed.
      flight.batch.left--;
      sense.flight = null;
      this.#host.lost(sense);
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
      return this.#life.malformed(`a left-over signal of ${message.sense} without its outbox row`);
    this.#host.signal(this, sense, null, message);
  }

  #complaint(message: WorkerMessageOf<"error">): void {
    this.#life.complaint(message.sense === null ? "kernel" : `sense:${message.sense}`, message);
  }

  output(stream: "stdout" | "stderr", line: string): void {
    const [only] = this.seats.size === 1 ? this.seats.keys() : [];
    const level = stream === "stdout" ? "info" : "error";
    const head = {
      type: "log",
      generation: this.#life.generation,
      sense: only ?? null,
      level,
      event: "output",
    } as const;
    this.#host.output(this, { ...head, trace: null, message: line, data: null, dropped: 0 }, () => {});
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
