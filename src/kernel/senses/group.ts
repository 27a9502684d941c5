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
import type { Sense } from "../memory/sense.ts";
import type { Ticker } from "../time/ticker.ts";
import type { Crew, Death, LifeHost } from "../workers/crew.ts";
import { LEAVE_MS, type LifeState, WorkerLife } from "../workers/life.ts";
import { Suspects } from "../workers/suspects.ts";
import type { Computes } from "./computes.ts";
import { type LoadOutcome, LoadWaiters } from "./load-waiters.ts";
import { computeMessage, type Loading } from "./loading.ts";
import { pausesMadeLate } from "./pauses.ts";
import type { LoneDeath, Quarantines } from "./quarantines.ts";

export interface GroupParts {
  readonly host: LifeHost;
  readonly computes: Computes;
  readonly loading: Loading;
  readonly quarantines: Quarantines;
}

export class Group implements Crew<ParentMessage, WorkerMessage, Sense> {
  readonly name: string;
  readonly seats = new Map<string, Sense>();
  readonly noun = "compute";
  config: GroupConfig;
  readonly #computes: Computes;
  readonly #loading: Loading;
  readonly #quarantines: Quarantines;
  readonly #life: WorkerLife<ParentMessage, WorkerMessage, Sense>;

  readonly #ready = new Set<Sense>();
  readonly #suspects = new Suspects<Sense>();
  readonly #ticker: Ticker;
  readonly #waiters = new LoadWaiters();
  /** Flights whose start is being committed, and those sent whose `started` has not come. */
  #beginning = 0;
  #unstarted = 0;

  constructor(config: GroupConfig, { host, computes, loading, quarantines }: GroupParts) {
    this.name = config.name;
    this.config = config;
    this.#computes = computes;
    this.#loading = loading;
    this.#quarantines = quarantines;
    this.#ticker = host.ticker;
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
  whenLoaded(): Promise<LoadOutcome> {
    if (this.#life.state === "up") return Promise.resolve("ready");
    if (this.#life.state !== "starting") return Promise.resolve(this.isWanted() ? "died" : "idle");
    return this.#waiters.wait();
  }

  /** Lets what runs finish, then ends the worker. Resolves once it is reaped. */
  retire(): Promise<void> {
    this.#waiters.end("idle");
    return this.#life.leave("retire", this.#flights() > 0);
  }

  /** Aborts what runs and ends the worker. */
  stop(): Promise<void> {
    this.#waiters.end("idle");
    return this.#life.leave("stop", this.#flights() > 0);
  }

  kill(why: string): void {
    this.#life.kill(why);
  }

  command(): WorkerCommand {
    return this.#loading.command();
  }

  parse = parseWorkerMessage;

  init(generation: number): ParentMessage {
    for (const sense of this.seats.values()) sense.unload();
    this.#suspects.retain((sense) => this.seats.get(sense.name) === sense);
    return this.#loading.init(this.name, this.#loadable(), generation);
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

  isLate(sense: Sense): void {
    this.#computes.isLate(sense);
  }

  awaits(): boolean {
    return this.#unstarted > 0;
  }

  /** Flights without a result go back to what they were before. */
  unsettle(): void {
    this.#waiters.end("died");
    this.#unstarted = 0;
    this.#beginning = 0;
    for (const sense of this.seats.values()) {
      sense.unload();
      if (sense.flight !== null && !sense.flight.settling) this.#computeAgain(sense);
    }
  }

  /** What is under way for it never settles, through no decision of ours. */
  #computeAgain(sense: Sense): void {
    sense.lose();
    this.#computes.overtake(sense);
    this.#ready.add(sense);
  }

  died({ how, suspects, culprit, at }: Death<Sense>): boolean {
    for (const { task } of suspects) this.#suspects.add(task);
    this.#suspects.neighboursFirst();
    if (culprit === null) return false;
    const sense = culprit.task;
    sense.charge(culprit.loading);
    const compute = culprit.loading ? null : sense.diedInFlight;
    const death: LoneDeath = { how, compute, afterMs: Math.round(at - culprit.startedAt) };
    if (!this.#quarantines.strike(sense, death)) return false;
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

  /** Who of those that are ready may begin now; whoever may not is no longer ready, and is woken when that changes. */
  #startable(): Sense[] {
    const startable: Sense[] = [];
    for (const sense of this.#ready) {
      if (this.#computes.mayBegin(sense)) startable.push(sense);
      else this.#ready.delete(sense);
    }
    return startable;
  }

  #begin(starting: readonly Sense[]): void {
    if (starting.length === 0) return;
    for (const sense of starting) this.#ready.delete(sense);
    this.#beginning += starting.length;
    const { generation } = this.#life;
    this.#computes.begin(starting, (flights) => {
      if (generation !== this.#life.generation || this.#life.state !== "up") return;
      this.#beginning -= flights.length;
      this.#unstarted += flights.length;
      for (const [{ name }, { id, trigger }] of flights) this.#life.post(computeMessage(generation, name, id, trigger));
      this.#life.expects();
    });
  }

  /** A result is taken: the sense is free for its next compute, and has not killed its worker. */
  #settled(sense: Sense): void {
    this.#suspects.clear(sense);
    if (sense.pending !== null) this.#ready.add(sense);
    this.#life.schedule();
    if (this.#life.leaving === "retire" && this.#flights() === 0) this.#life.shutDown(LEAVE_MS);
  }

  /** What the kernel has committed: outbox rows of a sense, or rows of log. */
  #ack(outbox: ParentMessageOf<"ack">["outbox"], logs: number): void {
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
        return this.#loading.output(this.name, message, () => this.#ack([], 1));
    }
  }

  #isReady(message: WorkerMessageOf<"ready">): void {
    if (!this.#life.isReady()) return this.#life.malformed("a second ready");
    this.#loading.isReady(this.name, this.pid, this.seats, message);
    for (const sense of this.seats.values()) {
      if (sense.loaded && sense.diedLoading) {
        sense.absolve();
        this.#suspects.clear(sense);
      }
      if (sense.pending !== null) this.#ready.add(sense);
    }
    this.#waiters.end("ready");
    this.#life.schedule();
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
    sense.start(this.#life.heardAt, this.#ticker.pausedMs);
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
      sense.abort();
      return this.#computes.overtake(sense);
    }
    if (message.type === "error" && message.kind === "lost") {
      this.#loading.lost(sense, message.message);
      sense.abort();
      this.#computes.overtake(sense);
      return this.#settled(sense);
    }
    const isTimedOut = message.type === "error" && message.kind === "timed-out";
    if (isTimedOut && pausesMadeLate(flight, limitsOf(sense.config).timeoutMs, this.#ticker)) {
      this.#computeAgain(sense);
      return this.#life.schedule();
    }
    const outbox = message.type === "signal" ? message.outbox : null;
    this.#computes.settle(sense, flight, message, () => {
      if (outbox !== null) this.#ack([{ sense: sense.name, upTo: outbox }], 0);
      this.#settled(sense);
    });
  }

  #leftover(message: WorkerMessageOf<"signal">): void {
    const sense = this.seats.get(message.sense);
    const { outbox } = message;
    if (!sense || outbox === null) {
      return this.#life.malformed(`a left-over signal of ${message.sense} without its outbox row`);
    }
    const acknowledge = (): void => this.#ack([{ sense: sense.name, upTo: outbox }], 0);
    const refused = this.#computes.leftOver(sense, message, acknowledge);
    if (refused !== null) this.#life.malformed(`${refused} in row ${outbox} of the outbox of ${sense.name}`);
  }

  #complaint(message: WorkerMessageOf<"error">): void {
    this.#life.complaint(message.sense === null ? "kernel" : `sense:${message.sense}`, message);
  }

  output(stream: "stdout" | "stderr", line: string): void {
    const [only = null] = this.seats.size === 1 ? this.seats.keys() : [];
    this.#loading.printed(this.name, only, stream, line);
  }
}
