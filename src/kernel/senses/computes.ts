/**
 * Owns the computes: which sense may begin a compute, and what follows from its result. Invariants kept here:
 * - G1: an owed compute is cleared with the result of a compute that began after the decision.
 * - Memory follows the commit: a result changes memory when it is committed, and `kept` is called then.
 */
import { type Clock, momentOf } from "../../base/clock.ts";
import { formatDuration } from "../../base/duration.ts";
import type { Json } from "../../base/json.ts";
import { err, ok, type Result } from "../../base/result.ts";
import { TRACE_PATTERN, traceIds } from "../../base/trace-id.ts";
import { limitsOf } from "../../config/defaults.ts";
import type { EmittedSignals, LeftOverRow, SilentCompute, WorkerMessageOf } from "../../ipc/definitions.ts";
import { MAX_SIGNALS } from "../../model/value.ts";
import type { Store } from "../../store/open.ts";
import type { Draft } from "../commits/draft.ts";
import type { Journal } from "../commits/journal.ts";
import type { Ledger } from "../commits/ledger.ts";
import type { Inboxes } from "../inbox/inboxes.ts";
import type { Batch, Flight } from "../memory/flight.ts";
import type { Sense } from "../memory/sense.ts";
import type { World } from "../world.ts";
import type { Deliveries } from "./deliveries.ts";
import { type Arrival, type Intake, payloadText } from "./intake.ts";
import type { Throttles } from "./throttles.ts";

export interface ComputesParts {
  readonly world: Pick<World, "clock" | "chance">;
  readonly ledger: Ledger;
  readonly journal: Journal;
  readonly store: Store;
  readonly throttles: Throttles;
  readonly intake: Intake;
  readonly inboxes: Inboxes;
  readonly deliveries: Deliveries;
  /** True while nothing new may be started. */
  readonly isHeld: () => boolean;
}

/** Why a compute failed. */
export type Failure = Pick<WorkerMessageOf<"error">, "kind" | "message" | "stack" | "durationMs">;

/** A transaction that is too long delays what else is due. */
const TAKEN_AT_ONCE = 100;

export class Computes {
  readonly #clock: Clock;
  readonly #ledger: Ledger;
  readonly #journal: Journal;
  readonly #store: Store;
  readonly #throttles: Throttles;
  readonly #intake: Intake;
  readonly #inboxes: Inboxes;
  readonly #deliveries: Deliveries;
  readonly #isHeld: () => boolean;
  readonly #newTrace: (wallMs: number) => string;
  #lastId = 0;

  constructor({ world, ledger, journal, store, throttles, intake, inboxes, deliveries, isHeld }: ComputesParts) {
    this.#inboxes = inboxes;
    this.#deliveries = deliveries;
    this.#clock = world.clock;
    this.#newTrace = traceIds(world.chance);
    this.#ledger = ledger;
    this.#journal = journal;
    this.#store = store;
    this.#throttles = throttles;
    this.#intake = intake;
    this.#isHeld = isHeld;
  }

  /** True when the sense may begin now. Where its throttle holds it back, a timer wakes its group later. */
  mayBegin(sense: Sense): boolean {
    const isFree = sense.pending !== null && sense.flight === null && sense.loaded;
    return isFree && sense.mayCompute && !this.#isHeld() && !this.#throttles.delays(sense);
  }

  /** Begins a compute of each sense, as one batch. Calls `send` at once, or after the commit where a throttle needs one. */
  begin(starting: readonly Sense[], send: (flights: readonly (readonly [Sense, Flight])[]) => void): void {
    const batch: Batch = { left: 0 };
    const flights = starting.map((sense) => {
      this.#throttles.begins(sense);
      return [
        sense,
        sense.begin(++this.#lastId, batch, this.#inboxes.pick(sense), this.#deliveries.pick(sense)),
      ] as const;
    });
    const throttled = starting.filter((sense) => sense.config.throttleMs !== null);
    if (throttled.length === 0) return send(flights);
    this.#ledger.add({
      // The moment of the commit that succeeds: nothing is asked for before it.
      write: (draft) => {
        const moment = momentOf(this.#clock);
        for (const sense of throttled) draft.started(sense, moment);
      },
      kept: () => send(flights),
    });
  }

  /**
   * Takes a row that an earlier worker left in the outbox of `sense`. Returns null, or what the row is instead of a signal.
   */
  leftOver(sense: Sense, row: LeftOverRow, kept: () => void): string | null {
    const text = payloadText(row.payload);
    if (!text.ok) return text.error;
    const { cause, trace } = this.#believe(row);
    const payload = row.payload as Json;
    const arrival = { sense, payload, text: text.value, outbox: row.outbox, cause, trace };
    this.#intake.take(arrival, { write: () => {}, kept, batch: null });
    return null;
  }

  /** The sense's flight has brought signals. */
  signal(sense: Sense, flight: Flight, row: EmittedSignals, kept: () => void): void {
    this.#settles(sense, row);
    const arrivals = arrivalsOf(sense, flight, row);
    if (!arrivals.ok) {
      const message = `the worker sent ${arrivals.error}`;
      const { durationMs } = row;
      return this.#failed(sense, flight, { kind: "failed", message, stack: null, durationMs }, kept);
    }
    const settled = (): void => {
      sense.stats.emitted++;
      if (flight.isBehind) this.#throttles.hurry(sense);
      this.#settled(sense, flight, kept);
    };
    const [first] = arrivals.value;
    if (first === undefined || arrivals.value.length > 1) return this.#take(sense, flight, arrivals.value, settled);
    const write = (draft: Draft): void => this.#settle(draft, sense, flight);
    this.#intake.take(first, { write, kept: settled, batch: flight.batch });
  }

  /** Takes the signals of a compute in their order, some in one transaction. The compute settles with the last. */
  #take(sense: Sense, flight: Flight, arrivals: readonly Arrival[], settled: () => void, from = 0): void {
    const next = from + TAKEN_AT_ONCE;
    const isLast = next >= arrivals.length;
    const taken = arrivals.slice(from, next);
    const batch = from === 0 ? flight.batch : null;
    for (const arrival of taken.slice(0, -1)) this.#intake.take(arrival, { write: () => {}, kept: () => {}, batch });
    const [end] = taken.slice(-1);
    if (end === undefined) return;
    this.#intake.take(end, {
      write: (draft) => isLast && this.#settle(draft, sense, flight),
      kept: () => (isLast ? settled() : this.#take(sense, flight, arrivals, settled, next)),
      batch,
    });
  }

  /** Cause and trace of a left-over row, if they can be true. */
  #believe(row: LeftOverRow): { cause: number | null; trace: string } {
    const cause = row.cause !== null && row.cause <= this.#store.signals.lastId() ? row.cause : null;
    return { cause, trace: TRACE_PATTERN.test(row.trace) ? row.trace : this.#newTrace(this.#clock.wallMs()) };
  }

  /** The sense's flight had nothing to say. */
  noSignal(sense: Sense, flight: Flight, row: SilentCompute, kept: () => void): void {
    this.#settles(sense, row);
    sense.stats.nulls++;
    sense.stats.succeeded();
    const isForNothing = flight.owed === null && flight.items.length === 0 && !flight.isBehind;
    if (isForNothing && sense.strikes === 0) return this.#settled(sense, flight, kept);
    this.#commit(sense, flight, kept, (draft) => this.#settle(draft, sense, flight));
  }

  failure(sense: Sense, flight: Flight, message: Failure, kept: () => void): void {
    this.#settles(sense, message);
    this.#failed(sense, flight, message, kept);
  }

  #settles(sense: Sense, { durationMs }: { readonly durationMs: number }): void {
    sense.settle();
    sense.stats.took(durationMs);
  }

  #failed(sense: Sense, flight: Flight, message: Failure, kept: () => void): void {
    if (message.kind === "timed-out") this.#timedOut(sense, flight, message.durationMs, " and was rolled back");
    else this.#sayFailed(sense, flight, message);
    this.#commit(sense, flight, kept, (draft) => {
      this.#answer(draft, sense, flight);
      this.#inboxes.failed(draft, sense, flight.items);
    });
  }

  #sayFailed(sense: Sense, flight: Flight, { message, stack, durationMs }: Failure): void {
    sense.stats.errors++;
    sense.stats.failed(message, flight.items);
    const data = { compute: flight.id, duration_ms: durationMs, ...(stack === null ? {} : { stack }) };
    this.#journal.folding(`sense:${sense.name}`, flight.trigger.trace).error("compute.failed", message, data);
  }

  /** The flight of `sense` has passed its timeout. Its result may still come. */
  isLate(sense: Sense): void {
    const { timeoutMs } = limitsOf(sense.config);
    if (sense.flight !== null) this.#timedOut(sense, sense.flight, timeoutMs, " and has not ended");
  }

  /** Logged once for each compute, by the first report: of its worker, or of the kernel. */
  #timedOut(sense: Sense, flight: Flight, durationMs: number, outcome: string): void {
    if (!sense.timeOut()) return;
    const message = `the compute passed its timeout of ${formatDuration(limitsOf(sense.config).timeoutMs)}${outcome}`;
    sense.stats.failed(message, flight.items);
    const data = { compute: flight.id, duration_ms: durationMs };
    this.#journal.folding(`sense:${sense.name}`, flight.trigger.trace).error("compute.timed-out", message, data);
  }

  #commit(sense: Sense, flight: Flight, kept: () => void, write: (draft: Draft) => void): void {
    this.#ledger.add({ write, kept: () => this.#settled(sense, flight, kept) }, flight.batch);
  }

  /** The compute succeeded. */
  #settle(draft: Draft, sense: Sense, flight: Flight): void {
    this.#answer(draft, sense, flight);
    this.#inboxes.taken(draft, sense, flight.items, flight.trigger.trace);
    this.#deliveries.taken(draft, sense, flight);
    if (flight.isBehind) draft.owe(sense, { ...flight.due, reason: "watch", at: draft.now, cause: null });
  }

  /** What the compute was owed for is answered, however it ended. */
  #answer(draft: Draft, sense: Sense, flight: Flight): void {
    draft.settle(sense, flight.owed);
    if (sense.strikes > 0) draft.strikes(sense, 0, null);
  }

  #settled(sense: Sense, flight: Flight, kept: () => void): void {
    sense.land(flight);
    kept();
  }

  /** The worker of `sense` died in the flight, which was alone. */
  died(sense: Sense): void {
    this.#inboxes.died(sense, sense.diedInFlight?.items ?? []);
  }

  /** The flight never settles. The owed compute answers its causes as well. */
  overtake(sense: Sense): void {
    if (sense.unanswered.length > 0) this.#ledger.write((draft) => draft.overtake(sense));
  }
}

/** What the signals of `message` are to the intake, or what one of them is instead of a signal. */
function arrivalsOf(sense: Sense, flight: Flight, row: EmittedSignals): Result<Arrival[], string> {
  const { more } = row;
  if (more !== null && more.length >= MAX_SIGNALS) return err(`${more.length + 1} signals at once`);
  const { cause, trace } = flight.trigger;
  const arrivals: Arrival[] = [];
  for (const { payload, outbox } of more === null ? [row] : [row, ...more]) {
    const text = payloadText(payload);
    if (!text.ok) return text;
    arrivals.push({ sense, payload: payload as Json, text: text.value, outbox, cause, trace });
  }
  return ok(arrivals);
}
