/**
 * Computes, as the groups that run them ask for it: what a worker is told of its senses, which of them may start, and what
 * is committed of what the worker says. Invariants kept here:
 * - G1: what a signal leads to is committed with it, and what is owed is cleared with the result of a compute that began
 *   after it was decided.
 * - Memory follows the commit: `kept` of an entry is the only place where a result changes what the kernel knows.
 */
import { join } from "node:path";
import { type Clock, momentOf } from "../../base/clock.ts";
import { counted } from "../../base/counted.ts";
import { formatDuration } from "../../base/duration.ts";
import { exceedsBytes, type Json } from "../../base/json.ts";
import { TRACE_PATTERN, traceIds } from "../../base/trace-id.ts";
import { limitsOf } from "../../config/defaults.ts";
import type { ParentMessage, WorkerMessageOf } from "../../ipc/definitions.ts";
import type { Signal } from "../../model/signal.ts";
import { MAX_VALUE_BYTES } from "../../model/value.ts";
import { peerFiles, senseDatabase } from "../../spawn/peer-files.ts";
import type { Spawn, WorkerCommand } from "../../spawn/worker-process.ts";
import type { Store } from "../../store/open.ts";
import type { Draft } from "../commits/draft.ts";
import type { Journal } from "../commits/journal.ts";
import type { Ledger } from "../commits/ledger.ts";
import type { Flight, Sense } from "../memory/sense.ts";
import type { Reflexes } from "../reflexes/reflexes.ts";
import type { Ticker } from "../time/ticker.ts";
import { LOG_CREDIT } from "../workers/life.ts";
import type { Group, GroupHost, LoneDeath } from "./group.ts";
import type { Quarantines } from "./quarantines.ts";
import type { Throttles } from "./throttles.ts";

export interface ComputesParts {
  readonly clock: Clock;
  readonly ticker: Ticker;
  readonly ledger: Ledger;
  readonly journal: Journal;
  readonly store: Store;
  readonly data: string;
  readonly command: () => WorkerCommand;
  readonly nextGeneration: () => number;
  readonly spawn: Spawn;
  /** All there are, in every group. */
  readonly senses: ReadonlyMap<string, Sense>;
  /** Nothing new may be started. */
  readonly isHeld: () => boolean;
  readonly throttles: Throttles;
  readonly quarantines: Quarantines;
  readonly reflexes: Reflexes;
  /** Each signal after its commit. */
  readonly onSignal: (signal: Signal) => void;
}

export class Computes implements GroupHost {
  readonly clock: Clock;
  readonly ticker: Ticker;
  readonly journal: Journal;
  readonly spawn: Spawn;
  readonly #ledger: Ledger;
  readonly #parts: ComputesParts;
  readonly #newTrace = traceIds();
  #lastId = 0;

  constructor(parts: ComputesParts) {
    this.clock = parts.clock;
    this.ticker = parts.ticker;
    this.journal = parts.journal;
    this.spawn = parts.spawn;
    this.#ledger = parts.ledger;
    this.#parts = parts;
  }

  nextGeneration = (): number => this.#parts.nextGeneration();
  nextComputeId = (): number => ++this.#lastId;
  command = (): WorkerCommand => this.#parts.command();

  init(group: Group, senses: readonly Sense[], generation: number): ParentMessage {
    const { data } = this.#parts;
    return {
      type: "init",
      generation,
      senses: senses.map((sense) => ({
        name: sense.name,
        folder: sense.location?.folder ?? null,
        use: sense.config.use,
        database: senseDatabase(data, sense.name),
        options: sense.config.with ?? {},
        timeoutMs: limitsOf(sense.config).timeoutMs,
        outboxTaken: sense.outbox,
        patterns: [],
      })),
      peers: peerFiles(data, this.#parts.senses.keys()),
      blobs: join(data, "blobs"),
      lock: join(data, "locks", `${group.name}.lock`),
      logCredit: LOG_CREDIT,
    };
  }

  mayStart(sense: Sense): boolean {
    return sense.mayCompute && !this.#parts.isHeld() && !this.#parts.throttles.delays(sense);
  }

  begin(starting: readonly Sense[], send: () => void): void {
    const throttled = starting.filter((sense) => sense.config.throttleMs !== null);
    if (throttled.length === 0) return send();
    const moment = momentOf(this.clock);
    this.#ledger.add({
      write: (draft) => {
        for (const sense of throttled) draft.started(sense, moment);
      },
      kept: send,
    });
  }

  signal(group: Group, sense: Sense, flight: Flight | null, message: WorkerMessageOf<"signal">): void {
    const payload = message.payload === null ? "null" : JSON.stringify(message.payload);
    if (message.payload === null || exceedsBytes(payload, MAX_VALUE_BYTES)) {
      const what = message.payload === null ? "the payload null" : "a payload over 64 KiB";
      if (flight) this.failed(group, sense, flight, refused(message, `the worker sent ${what}`));
      return;
    }
    const at = this.clock.wallMs();
    const { cause, trace } = flight?.trigger ?? this.#believe(message);
    const heard = this.#parts.reflexes.hear(sense.name, message.payload as Json, at);
    let id = 0;
    this.#ledger.add(
      {
        write: (draft) => {
          const isNew = message.outbox === null || draft.takeOutbox(sense, message.outbox);
          if (flight) this.#settle(draft, sense, flight);
          if (!isNew) return;
          id = draft.signal({ sense: sense.name, at, payload, cause, trace });
          if (heard !== null) this.#parts.reflexes.decide(draft, heard, { id, sense: sense.name, at, trace });
        },
        kept: () => {
          if (message.outbox !== null) group.ack([{ sense: sense.name, upTo: message.outbox }], 0);
          if (flight) this.#settled(group, sense, flight);
          if (id === 0) return;
          sense.stats.lastSignal = { id, at };
          sense.stats.failure = null;
          this.#parts.onSignal({ id, sense: sense.name, at, payload, cause, trace });
        },
      },
      flight?.batch ?? null,
    );
  }

  /** Cause and trace of a left-over row, if they can be true. */
  #believe(message: WorkerMessageOf<"signal">): { cause: number | null; trace: string } {
    const cause = message.cause !== null && message.cause <= this.#parts.store.signals.lastId() ? message.cause : null;
    return { cause, trace: TRACE_PATTERN.test(message.trace) ? message.trace : this.#newTrace(this.clock.wallMs()) };
  }

  noSignal(group: Group, sense: Sense, flight: Flight): void {
    sense.stats.nulls++;
    sense.stats.failure = null;
    if (flight.owed === null && sense.strikes === 0) return this.#settled(group, sense, flight);
    this.#ledger.add(
      { write: (draft) => this.#settle(draft, sense, flight), kept: () => this.#settled(group, sense, flight) },
      flight.batch,
    );
  }

  failed(group: Group, sense: Sense, flight: Flight, message: WorkerMessageOf<"error">): void {
    if (message.kind === "timed-out") this.#timedOut(sense, flight, message.durationMs, " and was rolled back");
    else this.#sayFailed(sense, flight, message);
    this.#ledger.add(
      { write: (draft) => this.#settle(draft, sense, flight), kept: () => this.#settled(group, sense, flight) },
      flight.batch,
    );
  }

  #sayFailed(sense: Sense, flight: Flight, { message, stack, durationMs }: WorkerMessageOf<"error">): void {
    sense.stats.errors++;
    sense.stats.failure = message;
    const data = { compute: flight.id, duration_ms: durationMs, ...(stack === null ? {} : { stack }) };
    this.journal.folding(`sense:${sense.name}`, flight.trigger.trace).error("compute.failed", message, data);
  }

  timedOut(sense: Sense, flight: Flight): void {
    const { timeoutMs } = limitsOf(sense.config);
    this.#timedOut(sense, flight, timeoutMs, " and has not ended");
  }

  /** Said once of a compute, by whoever knows it first: its worker, or the kernel. */
  #timedOut(sense: Sense, flight: Flight, durationMs: number, outcome: string): void {
    if (flight.timedOut) return;
    flight.timedOut = true;
    sense.stats.timeouts++;
    const message = `the compute passed its timeout of ${formatDuration(limitsOf(sense.config).timeoutMs)}${outcome}`;
    sense.stats.failure = message;
    const data = { compute: flight.id, duration_ms: durationMs };
    this.journal.folding(`sense:${sense.name}`, flight.trigger.trace).error("compute.timed-out", message, data);
  }

  #settle(draft: Draft, sense: Sense, flight: Flight): void {
    draft.settle(sense, flight.owed);
    if (sense.strikes > 0) draft.strikes(sense, 0, null);
  }

  #settled(group: Group, sense: Sense, flight: Flight): void {
    sense.stats.computes++;
    sense.strikes = 0;
    group.settled(sense, flight);
  }

  output(group: Group, message: WorkerMessageOf<"log">, taken: () => void): void {
    const source = message.sense === null ? "kernel" : `sense:${message.sense}`;
    const data = (message.data as Json) ?? (message.sense === null ? { group: group.name } : null);
    const { level, event, trace } = message;
    this.journal.relay({ level, source, event, message: message.message, data, trace }, null, taken);
  }

  ready(group: Group, message: WorkerMessageOf<"ready">): void {
    let failed = 0;
    for (const { sense: name, problem: found, applied } of message.senses) {
      const sense = group.seats.get(name);
      if (!sense) continue;
      sense.loaded = found === null;
      sense.problem = found;
      if (found) {
        failed++;
        this.journal.logProblem(`sense:${name}`, "sense.failed", found);
      }
      if (applied.length > 0) {
        this.journal.of(`sense:${name}`).info("sense.migrated", `applied ${applied.join(", ")}`, { applied });
      }
    }
    const loaded = message.senses.length - failed;
    const text = `worker ${group.pid} of group "${group.name}" is up with ${counted(loaded, "sense")}`;
    const data = { group: group.name, pid: group.pid, generation: message.generation, senses: loaded, failed };
    this.journal.of("kernel").info("worker.started", text, data);
  }

  lost(sense: Sense): void {
    if (sense.unanswered.length > 0) this.#ledger.write((draft) => draft.overtake(sense));
  }

  strike(sense: Sense, death: LoneDeath): boolean {
    return this.#parts.quarantines.strike(sense, death);
  }
}

const refused = (message: WorkerMessageOf<"signal">, why: string): WorkerMessageOf<"error"> => ({
  type: "error",
  generation: message.generation,
  id: message.id,
  sense: message.sense,
  kind: "failed",
  message: why,
  stack: null,
  durationMs: message.durationMs,
});
