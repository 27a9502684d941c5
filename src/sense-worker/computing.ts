/**
 * Owns the computes of a worker: in the order in which they came, each begun in its own turn, their results sent with the next
 * `started` or at the turn's end.
 */
import type { AskedCompute as Compute, ParentMessageOf, WorkerMessage } from "../ipc/definitions.ts";
import { openNotes } from "../ipc/notes.ts";
import type { Channel } from "../worker/channel.ts";
import type { Surroundings } from "../worker/surroundings.ts";
import { author, type ComputeAuthor } from "./author.ts";
import { type ComputeOutcome, executeCompute, type RunningCompute, type Waiting } from "./execute-compute.ts";
import { isSuccess, Results } from "./result.ts";
import type { Seat } from "./seat.ts";

/** Results wait no longer for a neighbour that may take its time. */
const HELD_MS = 5;

/** A compute from the moment at which the author's code was entered. */
interface Flight {
  readonly request: Compute;
  readonly seat: Seat;
  readonly whose: ComputeAuthor;
  /** Of `performance.now()`. */
  readonly startedAt: number;
  readonly running: RunningCompute;
}

export class Computing {
  readonly #channel: Channel<WorkerMessage>;
  readonly #around: Surroundings<ComputeAuthor>;
  readonly #seats: ReadonlyMap<string, Seat>;
  readonly #results: Results;
  readonly #notes = openNotes();
  readonly #queue: Compute[] = [];
  /** Computes that wait for something. */
  readonly #waiting = new Map<string, Flight>();
  #generation = 1;
  /** Between `begin` and `stop`. */
  #isOpen = false;
  #pumping = false;
  #flushedAt = 0;
  /** Whether a compute has settled. */
  #hasAnswered = false;

  constructor(channel: Channel<WorkerMessage>, around: Surroundings<ComputeAuthor>, seats: ReadonlyMap<string, Seat>) {
    this.#channel = channel;
    this.#around = around;
    this.#seats = seats;
    this.#results = new Results(channel);
  }

  take({ generation, computes }: ParentMessageOf<"compute">): void {
    this.#generation = generation;
    this.#queue.push(...computes);
    void this.#pump();
  }

  /** The senses are seated. */
  begin(): void {
    this.#isOpen = true;
    void this.#pump();
  }

  /** Aborts what waits, begins nothing more, and resolves once everything has settled. */
  async stop(): Promise<void> {
    this.#isOpen = false;
    for (const { running } of this.#waiting.values()) running.abort();
    await Promise.all([...this.#waiting.values()].map(({ running }) => running.waiting?.outcome));
  }

  async #pump(): Promise<void> {
    if (this.#pumping || !this.#isOpen) return;
    this.#pumping = true;
    const queue = this.#queue;
    let now = performance.now();
    for (let at = 0; at < queue.length && this.#isOpen; at++) {
      const flight = this.#start(queue[at] as Compute, now);
      if (flight === null) continue;
      const { waiting } = flight.running;
      if (waiting !== null) {
        await this.#follow(flight, waiting);
        now = performance.now();
      } else {
        // What the author's code has begun and not awaited goes on for one turn of the microtask queue.
        await null;
        now = this.#ends(
          flight,
          author.run(flight.whose, () => flight.running.conclude()),
        );
      }
    }
    queue.length = 0;
    this.#pumping = false;
  }

  /** Must be known before user code is entered, which may never yield. */
  #begins({ init: { name: sense }, place, tookMs }: Seat, id: number, now: number): void {
    if (this.#notes === null) this.#say({ sense, id });
    if (this.#notes === null || tookMs > HELD_MS || now - this.#flushedAt > HELD_MS) {
      this.#channel.flush();
      this.#flushedAt = now;
    }
    this.#notes?.enter(place, id, now);
  }

  #say({ sense, id }: Pick<Compute, "sense" | "id">): void {
    this.#channel.post({ type: "started", generation: this.#generation, id, sense });
  }

  /** Enters the author's code at `now` of `performance.now()`. */
  #start(request: Compute, now: number): Flight | null {
    const { id, sense: name, trace } = request;
    const seat = this.#seats.get(name);
    if (seat === undefined || this.#waiting.has(name)) {
      this.#refuse(request, seat ? `sense "${name}" is computing already` : `sense "${name}" is not loaded`);
      return null;
    }
    this.#begins(seat, id, now);
    const whose = { sense: name, trace };
    const setting = {
      sense: seat.sense,
      db: seat.db,
      peers: seat.peers,
      blobs: this.#around.blobs,
      log: this.#around.logOf(whose),
      startedAt: now,
      timeoutMs: seat.init.timeoutMs,
    };
    const running = author.run(whose, () => executeCompute(setting, request, request.inbox ?? [], request.delivered));
    return { request, seat, whose, startedAt: now, running };
  }

  #refuse({ id, sense }: Compute, message: string): void {
    const head = { type: "error", generation: this.#generation, id, sense } as const;
    this.#channel.post({ ...head, kind: "malformed-message", message, stack: null, durationMs: 0 });
  }

  /** Resolves once the next compute may begin: this one has settled, or is known to wait for something. */
  async #follow(flight: Flight, { outcome, prompt }: Waiting): Promise<void> {
    const { request } = flight;
    this.#waiting.set(request.sense, flight);
    void outcome.then((settled) => {
      this.#waiting.delete(request.sense);
      this.#ends(flight, settled);
    });
    await prompt;
    if (this.#notes && this.#waiting.get(request.sense) === flight) this.#say(request);
  }

  /** Returns the time of `performance.now()`. */
  #ends({ request: { id, sense }, seat, startedAt, running }: Flight, outcome: ComputeOutcome): number {
    this.#notes?.leave(seat.place, id);
    const now = performance.now();
    const durationMs = Math.round((now - startedAt) * 1_000) / 1_000;
    seat.tookMs = durationMs;
    if (running.isBehind && isSuccess(outcome)) {
      this.#channel.post({ type: "behind", generation: this.#generation, id, sense });
    }
    this.#results.post(this.#generation, { id, sense, durationMs }, outcome, now);
    // The first result waits for no other, each of which runs code that has not run yet.
    if (!this.#hasAnswered) this.#channel.flush();
    this.#hasAnswered = true;
    return now;
  }
}
