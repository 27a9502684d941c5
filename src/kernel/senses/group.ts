/**
 * Owns one group of senses: the life of its worker, the modules in the worker, and its messages. Its computes are in
 * `flights.ts`. Twin of `runs/run-worker.ts`.
 */
import { formatDuration } from "../../base/duration.ts";
import { limitsOf } from "../../config/defaults.ts";
import type { LeftOverRow, ParentMessage, WorkerMessage, WorkerMessageOf } from "../../ipc/definitions.ts";
import type { Notes } from "../../ipc/notes.ts";
import { parseWorkerMessage } from "../../ipc/parse.ts";
import type { GroupConfig } from "../../model/config.ts";
import type { PeerFiles } from "../../spawn/peer-files.ts";
import type { WorkerCommand } from "../../spawn/worker-process.ts";
import type { Sense } from "../memory/sense.ts";
import type { Crew, Death, LifeHost } from "../workers/crew.ts";
import { type LifeState, WorkerLife } from "../workers/life.ts";
import type { Computes } from "./computes.ts";
import { Flights } from "./flights.ts";
import { type LoadOutcome, LoadWaiters } from "./load-waiters.ts";
import { ackMessage, type Loading } from "./loading.ts";
import type { Quarantines } from "./quarantines.ts";

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
  readonly #life: WorkerLife<ParentMessage, WorkerMessage, Sense>;

  readonly #flights: Flights;
  readonly #waiters = new LoadWaiters();

  constructor(config: GroupConfig, { host, computes, loading, quarantines }: GroupParts) {
    this.name = config.name;
    this.config = config;
    this.#computes = computes;
    this.#loading = loading;
    this.#life = new WorkerLife(this, host);
    const { seats } = this;
    this.#flights = new Flights({ seats, life: this.#life, ticker: host.ticker, computes, loading, quarantines });
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

  /** Why the killed worker is not gone. Null where no worker is stuck. */
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

  /** Resolves once a starting worker has loaded its senses, or is dead. */
  whenLoaded(): Promise<LoadOutcome> {
    if (this.#life.state === "up") return Promise.resolve("ready");
    if (this.#life.state !== "starting") return Promise.resolve(this.isWanted() ? "died" : "idle");
    return this.#waiters.wait();
  }

  /** Lets the computes finish, then ends the worker. Resolves once the worker is reaped. */
  retire(): Promise<void> {
    this.#waiters.end("idle");
    return this.#life.leave("retire", this.#flights.count > 0);
  }

  /** Aborts the computes and ends the worker. */
  stop(): Promise<void> {
    this.#waiters.end("idle");
    return this.#life.leave("stop", this.#flights.count > 0);
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
    const senses = this.#loadable();
    this.#flights.anew(senses);
    return this.#loading.init(this.name, senses, generation);
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

  /** A worker reports nothing of a compute between its start and its end. */
  wasTold(): boolean {
    return false;
  }

  get places(): number {
    return this.#loadable().length;
  }

  noted(notes: Notes, areOver: boolean): void {
    this.#flights.noted(notes, areOver);
  }

  soonestLimitMs(): number {
    return this.#flights.soonestLimitMs;
  }

  isLate(sense: Sense): void {
    this.#computes.isLate(sense);
  }

  awaits(): boolean {
    return this.#flights.isAwaited;
  }

  unsettle(): void {
    this.#waiters.end("died");
    this.#flights.unsettle();
  }

  died(death: Death<Sense>): boolean {
    return this.#flights.died(death);
  }

  dispatch(): void {
    this.#flights.dispatch();
  }

  // ── requests of the kernel ───────────────────────────────────────────

  wake(sense: Sense): void {
    this.#flights.wake(sense);
  }

  forget(sense: Sense): void {
    this.#flights.forget(sense);
  }

  suspect(sense: Sense): void {
    this.#flights.suspect(sense);
  }

  /** Names the databases of all senses anew to a worker that stays. */
  tellPeers(peers: PeerFiles): void {
    if (this.pid !== null) this.#life.post({ type: "peers", generation: this.#life.generation, peers });
  }

  // ── messages ─────────────────────────────────────────────────────────

  receive(message: WorkerMessage): void {
    switch (message.type) {
      case "started":
        return message.id === null ? this.#loads(message) : this.#flights.started(message, message.id);
      case "behind":
        return this.#flights.behind(message);
      case "signal":
        for (const row of message.signals) this.#flights.signal(row);
        return;
      case "no-signal":
        for (const row of message.computes) this.#flights.noSignal(row);
        return;
      case "left-over":
        for (const row of message.rows) this.#leftover(message.sense, row);
        return;
      case "error":
        return message.id === null ? this.#complaint(message) : this.#flights.failure(message, message.id);
      case "ready":
        return this.#isReady(message);
      case "log":
        return this.#loading.output(this.name, message, () =>
          this.#life.post(ackMessage(this.#life.generation, [], 1)),
        );
    }
  }

  #isReady(message: WorkerMessageOf<"ready">): void {
    if (!this.#life.isReady()) return this.#life.malformed("a second ready");
    this.#loading.isReady(this.name, this.pid, this.seats, message);
    this.#flights.loaded();
    this.#waiters.end("ready");
    this.#life.schedule();
  }

  #loads({ sense: name }: WorkerMessageOf<"started">): void {
    const sense = this.seats.get(name);
    if (sense === undefined || !this.#life.loads(sense)) this.#life.malformed(`"started" of ${name}`);
  }

  #leftover(name: string, row: LeftOverRow): void {
    const sense = this.seats.get(name);
    const { outbox } = row;
    if (!sense) return this.#life.malformed(`a left-over signal of ${name}`);
    const acknowledge = (): void => this.#flights.acknowledge(sense.name, outbox);
    const refused = this.#computes.leftOver(sense, row, acknowledge);
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
