/**
 * Owns the computes of one group in its worker: which senses are ready, which computes are under way, and which sense answers
 * for the death of the worker. Twin of `runs/executions.ts`. Invariants kept here:
 * - G4: one compute of a sense is under way.
 * - G5: senses under way at a death of their worker run again one at a time.
 * - A result that answers no compute which was sent changes nothing, and neither does such a note.
 */
import { limitsOf } from "../../config/defaults.ts";
import type {
  AskedCompute,
  EmittedSignals,
  ParentMessage,
  SilentCompute,
  WorkerMessage,
  WorkerMessageOf,
} from "../../ipc/definitions.ts";
import type { Notes } from "../../ipc/notes.ts";
import type { Sense } from "../memory/sense.ts";
import type { Ticker } from "../time/ticker.ts";
import type { Death } from "../workers/crew.ts";
import { LEAVE_MS, type WorkerLife } from "../workers/life.ts";
import { Suspects } from "../workers/suspects.ts";
import type { Computes, Flown } from "./computes.ts";
import { ackMessage, askedCompute, type Loading } from "./loading.ts";
import { notedStarts } from "./noted.ts";
import { pausesMadeLate } from "./pauses.ts";
import type { LoneDeath, Quarantines } from "./quarantines.ts";
import { soonestLimitMs, taskLimitsOf } from "./task-limits.ts";

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
  /** Flights that were sent, and whose start is not known. */
  #unstarted = 0;
  /** The senses of the worker, at their places for notes. */
  #places: readonly Sense[] = [];
  /** Rows of outboxes that are committed. */
  #acknowledged: { readonly sense: string; readonly upTo: number }[] = [];
  #soonestLimitMs = Number.POSITIVE_INFINITY;

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

  /** The worker owes an answer: it was sent a compute that is not known to have begun. */
  get isAwaited(): boolean {
    return this.#unstarted > 0;
  }

  get soonestLimitMs(): number {
    return this.#soonestLimitMs;
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

  /** A row of an outbox is committed. The rows of a turn are one message. */
  acknowledge(sense: string, upTo: number): void {
    this.#acknowledged.push({ sense, upTo });
    this.#life.schedule();
  }

  #sendAcks(): void {
    if (this.#acknowledged.length === 0) return;
    const outbox = this.#acknowledged;
    this.#acknowledged = [];
    this.#life.post(ackMessage(this.#life.generation, outbox, 0));
  }

  dispatch(): void {
    this.#sendAcks();
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
      const sentAt = this.#ticker.awakeMs();
      const computes: AskedCompute[] = [];
      for (const { sense, flight } of flights) {
        sense.send(sentAt, this.#ticker.pausedMs);
        computes.push(askedCompute(sense.name, flight));
      }
      this.#life.post({ type: "compute", generation, computes });
      this.#life.expects();
    });
  }

  // ── the begin and the end of the worker ──────────────────────────────

  /** Called when a worker of these senses begins. */
  anew(senses: readonly Sense[]): void {
    this.#places = senses;
    this.#soonestLimitMs = soonestLimitMs(senses);
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
    this.#acknowledged = [];
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
    if (!sense || !flight || flight.id !== id || flight.sentAt === null || flight.start === "said") {
      return this.#life.malformed(`"started" for compute ${id} of ${name}, which is not under way`);
    }
    const isKnown = flight.start === "noted";
    sense.start("said");
    if (!isKnown) this.#starts(sense, this.#life.tasks.heardAt);
  }

  /** Takes up what the worker has noted: of computes that were sent, and of which it has said nothing. */
  noted(notes: Notes, areOver: boolean): void {
    if (this.#unstarted === 0) return;
    for (const { sense, sentAt, forMs } of notedStarts(this.#places, notes, areOver)) {
      sense.start("noted");
      this.#starts(sense, Math.max(sentAt, this.#ticker.awakeAt(forMs)));
    }
  }

  #starts(sense: Sense, at: number): void {
    this.#unstarted--;
    const { softMs, hardMs } = taskLimitsOf(sense);
    this.#life.tasks.begins(sense, softMs, hardMs, at);
  }

  behind({ sense: name, id }: WorkerMessageOf<"behind">): void {
    const sense = this.#seats.get(name);
    const flight = sense?.flight;
    if (!sense || !flight || flight.id !== id || flight.sentAt === null || flight.settling) {
      return this.#life.malformed(`"behind" for compute ${id} of ${name}, which is not under way`);
    }
    sense.leavesMore();
  }

  signal(row: EmittedSignals): void {
    const flown = this.#ends("signal", row.sense, row.id);
    if (flown !== null) this.#computes.signal(flown, row, this.#landed);
  }

  noSignal(row: SilentCompute): void {
    const flown = this.#ends("no-signal", row.sense, row.id);
    if (flown !== null) this.#computes.noSignal(flown, row, this.#landed);
  }

  failure(message: WorkerMessageOf<"error">, id: number): void {
    const flown = this.#ends("error", message.sense, id);
    if (flown === null) return;
    const { sense, flight } = flown;
    if (message.kind === "aborted") {
      sense.abort();
      return this.#computes.overtake(sense);
    }
    if (message.kind === "lost") {
      this.#loading.lost(sense, message.message);
      sense.abort();
      this.#computes.overtake(sense);
      return this.#settled(sense);
    }
    const isTimedOut = message.kind === "timed-out";
    if (isTimedOut && pausesMadeLate(flight, message.durationMs, limitsOf(sense.config).timeoutMs, this.#ticker)) {
      this.#computeAgain(sense);
      return this.#life.schedule();
    }
    this.#computes.failure(flown, message, this.#landed);
  }

  /** A result has come. Null: it answers no compute that was sent. */
  #ends(type: string, name: string | null, id: number): Flown | null {
    const sense = this.#seats.get(name ?? "");
    const flight = sense?.flight;
    if (!sense || !flight || flight.id !== id || flight.sentAt === null || flight.settling) {
      this.#life.malformed(`"${type}" for compute ${id} of ${name}, which is not under way`);
      return null;
    }
    if (flight.start === "unknown") this.#unstarted--;
    else this.#life.tasks.ends(sense);
    return { sense, flight };
  }

  /** A result of `sense` is committed, and with it the rows of its outbox up to `outbox`. */
  readonly #landed = (sense: Sense, outbox: number | null): void => {
    if (outbox !== null) this.acknowledge(sense.name, outbox);
    this.#settled(sense);
  };

  /** A result is taken: the sense is free for its next compute, and has not killed its worker. */
  #settled(sense: Sense): void {
    this.#suspects.clear(sense);
    if (sense.pending !== null) this.#ready.add(sense);
    this.#life.schedule();
    if (this.#life.leaving === "retire" && this.count === 0) this.#life.shutDown(LEAVE_MS);
  }
}
