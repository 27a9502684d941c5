/**
 * Owns the computes of one group in its worker: which senses are ready, which computes are under way, and which sense answers
 * for the death of the worker. Twin of `runs/executions.ts`. Invariants kept here:
 * - G4: one compute of a sense is under way.
 * - G5: senses under way at a death of their worker run again one at a time.
 * - A result that answers no started compute changes nothing.
 */
import { limitsOf } from "../../config/defaults.ts";
import type { ParentMessage, WorkerMessage, WorkerMessageOf } from "../../ipc/definitions.ts";
import type { Sense } from "../memory/sense.ts";
import type { Ticker } from "../time/ticker.ts";
import type { Death } from "../workers/crew.ts";
import { LEAVE_MS, type WorkerLife } from "../workers/life.ts";
import { Suspects } from "../workers/suspects.ts";
import type { ComputeResult, Computes } from "./computes.ts";
import { ackMessage, computeMessage, type Loading } from "./loading.ts";
import { pausesMadeLate } from "./pauses.ts";
import type { LoneDeath, Quarantines } from "./quarantines.ts";

export interface FlightsParts {
  readonly seats: ReadonlyMap<string, Sense>;
  readonly life: WorkerLife<ParentMessage, WorkerMessage, Sense>;
  readonly ticker: Ticker;
  readonly computes: Computes;
  readonly loading: Loading;
  readonly quarantines: Quarantines;
}

export class Flights {
  readonly #seats: ReadonlyMap<string, Sense>;
  readonly #life: WorkerLife<ParentMessage, WorkerMessage, Sense>;
  readonly #ticker: Ticker;
  readonly #computes: Computes;
  readonly #loading: Loading;
  readonly #quarantines: Quarantines;

  readonly #ready = new Set<Sense>();
  readonly #suspects = new Suspects<Sense>();
  /** Flights whose start is being committed. */
  #beginning = 0;
  /** Flights that were sent, and whose `started` has not come. */
  #unstarted = 0;

  constructor({ seats, life, ticker, computes, loading, quarantines }: FlightsParts) {
    this.#seats = seats;
    this.#life = life;
    this.#ticker = ticker;
    this.#computes = computes;
    this.#loading = loading;
    this.#quarantines = quarantines;
  }

  get count(): number {
    return this.#life.tasks.count + this.#unstarted + this.#beginning;
  }

  /** The worker owes an answer: it was sent a compute that it has not begun. */
  get isAwaited(): boolean {
    return this.#unstarted > 0;
  }

  // ── from the kernel to the worker ────────────────────────────────────

  /** `sense` has something to compute for, or may start again. */
  wake(sense: Sense): void {
    this.#ready.add(sense);
    this.#life.schedule();
  }

  /** Nothing pending of `sense` is wanted any longer. */
  forget(sense: Sense): void {
    this.#ready.delete(sense);
    this.#suspects.clear(sense);
    this.#life.schedule();
  }

  /** From now on `sense` must run alone, until it settles. */
  suspect(sense: Sense): void {
    this.#suspects.add(sense);
  }

  dispatch(): void {
    if (!this.#life.isOpen || this.#ready.size === 0) return;
    if (this.#suspects.size > 0 && this.count > 0) return;
    this.#begin(this.#suspects.inTurns(this.#startable()));
  }

  /** The ready senses that may begin now. A sense that may not is no longer ready, and is woken when that changes. */
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
      for (const [{ name }, flight] of flights) this.#life.post(computeMessage(generation, name, flight));
      this.#life.expects();
    });
  }

  // ── the begin and the end of the worker ──────────────────────────────

  /** Called when a worker begins. */
  anew(): void {
    this.#suspects.retain((sense) => this.#seats.get(sense.name) === sense);
  }

  /** Called when the worker has loaded its senses. */
  loaded(): void {
    for (const sense of this.#seats.values()) {
      if (sense.loaded && sense.diedLoading) {
        sense.absolve();
        this.#suspects.clear(sense);
      }
      if (sense.pending !== null) this.#ready.add(sense);
    }
  }

  /** Called when the worker is gone. Flights without a result go back to what they were before. */
  unsettle(): void {
    this.#unstarted = 0;
    this.#beginning = 0;
    for (const sense of this.#seats.values()) {
      sense.unload();
      if (sense.flight !== null && !sense.flight.settling) this.#computeAgain(sense);
    }
  }

  /** The flight of `sense` never settles, and the sense is not to blame for that. */
  #computeAgain(sense: Sense): void {
    sense.lose();
    this.#computes.overtake(sense);
    this.#ready.add(sense);
  }

  /** Called after `unsettle`. True when the culprit is held back. */
  died({ how, suspects, culprit, at }: Death<Sense>): boolean {
    for (const { task } of suspects) this.#suspects.add(task);
    this.#suspects.neighboursFirst();
    if (culprit === null) return false;
    const sense = culprit.task;
    sense.charge(culprit.loading);
    const compute = culprit.loading ? null : (sense.diedInFlight?.id ?? null);
    if (!culprit.loading) this.#computes.died(sense);
    const death: LoneDeath = { how, compute, afterMs: Math.round(at - culprit.startedAt) };
    if (!this.#quarantines.strike(sense, death)) return false;
    this.#suspects.clear(sense);
    return true;
  }

  // ── the worker's messages ────────────────────────────────────────────

  started({ sense: name }: WorkerMessageOf<"started">, id: number): void {
    const sense = this.#seats.get(name);
    const flight = sense?.flight;
    if (!sense || !flight || flight.id !== id || flight.startedAt !== null) {
      return this.#life.malformed(`"started" for compute ${id} of ${name}, which is not under way`);
    }
    sense.start(this.#life.tasks.heardAt, this.#ticker.pausedMs);
    this.#unstarted--;
    const { timeoutMs, gracePeriodMs } = limitsOf(sense.config);
    this.#life.tasks.begins(sense, timeoutMs, timeoutMs + gracePeriodMs);
  }

  behind({ sense: name, id }: WorkerMessageOf<"behind">): void {
    const flight = this.#seats.get(name)?.flight;
    if (!flight || flight.id !== id || flight.startedAt === null || flight.settling) {
      return this.#life.malformed(`"behind" for compute ${id} of ${name}, which is not under way`);
    }
    this.#computes.leavesMore(flight);
  }

  result(message: ComputeResult, id: number): void {
    const sense = this.#seats.get(message.sense ?? "");
    const flight = sense?.flight;
    if (!sense || !flight || flight.id !== id || flight.startedAt === null || flight.settling) {
      return this.#life.malformed(`"${message.type}" for compute ${id} of ${message.sense}, which is not under way`);
    }
    this.#life.tasks.ends(sense);
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
    const outbox = message.type === "signal" ? (message.more.at(-1)?.outbox ?? message.outbox) : null;
    this.#computes.settle(sense, flight, message, () => {
      if (outbox !== null) {
        this.#life.post(ackMessage(this.#life.generation, [{ sense: sense.name, upTo: outbox }], 0));
      }
      this.#settled(sense);
    });
  }

  /** A result is taken: the sense is free for its next compute, and has not killed its worker. */
  #settled(sense: Sense): void {
    this.#suspects.clear(sense);
    if (sense.pending !== null) this.#ready.add(sense);
    this.#life.schedule();
    if (this.#life.leaving === "retire" && this.count === 0) this.#life.shutDown(LEAVE_MS);
  }
}
