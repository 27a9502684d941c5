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
import { lastRowOf } from "./loading.ts";
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

/** A compute under way, and its sense. */
export interface Flown {
  readonly sense: Sense;
  readonly flight: Flight;
}

/** Called when a result of `sense` is committed, and with it the rows of its outbox up to `outbox`. */
export type Landed = (sense: Sense, outbox: number | null) => void;

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
  begin(starting: readonly Sense[], send: (flights: readonly Flown[]) => void): void {
    const batch: Batch = { left: 0 };
    const flights = starting.map((sense): Flown => {
      this.#throttles.begins(sense);
      const items = this.#inboxes.pick(sense);
      return { sense, flight: sense.begin(++this.#lastId, batch, items, this.#deliveries.pick(sense)) };
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

  /** The flight has brought signals. */
  signal(flown: Flown, row: EmittedSignals, landed: Landed): void {
    const { sense, flight } = flown;
    this.#settles(sense, row);
    const outbox = lastRowOf(row);
    const settled = (): void => {
      sense.stats.emitted++;
      if (flight.isBehind) this.#throttles.hurry(sense);
      sense.land(flight);
      landed(sense, outbox);
    };
    if (row.more === null) {
      const arrival = arrivalOf(flown, row);
      if (typeof arrival === "string") return this.#refused(flown, row, arrival, landed);
      const write = (draft: Draft): void => this.#settle(draft, flown);
      return this.#intake.take(arrival, { write, kept: settled, batch: flight.batch });
    }
    const arrivals = arrivalsOf(flown, row, row.more);
    if (arrivals.ok) this.#take(flown, arrivals.value, settled);
    else this.#refused(flown, row, arrivals.error, landed);
  }

  /** `what` the worker sent instead of signals. */
  #refused(flown: Flown, row: EmittedSignals, what: string, landed: Landed): void {
    const message = `the worker sent ${what}`;
    const failure: Failure = { kind: "failed", message, stack: null, durationMs: row.durationMs };
    this.#failed(flown, failure, (sense) => landed(sense, lastRowOf(row)));
  }

  /** Takes the signals of a compute in their order, some in one transaction. The compute settles with the last. */
  #take(flown: Flown, arrivals: readonly Arrival[], settled: () => void, from = 0): void {
    const next = from + TAKEN_AT_ONCE;
    const isLast = next >= arrivals.length;
    const taken = arrivals.slice(from, next);
    const batch = from === 0 ? flown.flight.batch : null;
    for (const arrival of taken.slice(0, -1)) this.#intake.take(arrival, { write: () => {}, kept: () => {}, batch });
    const [end] = taken.slice(-1);
    if (end === undefined) return;
    this.#intake.take(end, {
      write: (draft) => isLast && this.#settle(draft, flown),
      kept: () => (isLast ? settled() : this.#take(flown, arrivals, settled, next)),
      batch,
    });
  }

  /** Cause and trace of a left-over row, if they can be true. */
  #believe(row: LeftOverRow): { cause: number | null; trace: string } {
    const cause = row.cause !== null && row.cause <= this.#store.signals.lastId() ? row.cause : null;
    return { cause, trace: TRACE_PATTERN.test(row.trace) ? row.trace : this.#newTrace(this.#clock.wallMs()) };
  }

  /** The flight had nothing to say. */
  noSignal(flown: Flown, row: SilentCompute, landed: Landed): void {
    const { sense, flight } = flown;
    this.#settles(sense, row);
    sense.stats.nulls++;
    sense.stats.succeeded();
    const isForNothing = flight.owed === null && flight.items.length === 0 && !flight.isBehind;
    if (isForNothing && sense.strikes === 0) return settled(flown, landed);
    this.#commit(flown, landed, (draft) => this.#settle(draft, flown));
  }

  failure(flown: Flown, message: Failure, landed: Landed): void {
    this.#settles(flown.sense, message);
    this.#failed(flown, message, landed);
  }

  #settles(sense: Sense, { durationMs }: { readonly durationMs: number }): void {
    sense.settle();
    sense.stats.took(durationMs);
  }

  #failed(flown: Flown, message: Failure, landed: Landed): void {
    const { sense, flight } = flown;
    if (message.kind === "timed-out") this.#timedOut(sense, flight, message.durationMs, " and was rolled back");
    else this.#sayFailed(sense, flight, message);
    this.#commit(flown, landed, (draft) => {
      this.#answer(draft, flown);
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

  #commit(flown: Flown, landed: Landed, write: (draft: Draft) => void): void {
    this.#ledger.add({ write, kept: () => settled(flown, landed) }, flown.flight.batch);
  }

  /** The compute succeeded. */
  #settle(draft: Draft, flown: Flown): void {
    const { sense, flight } = flown;
    this.#answer(draft, flown);
    this.#inboxes.taken(draft, sense, flight.items, flight.trigger.trace);
    this.#deliveries.taken(draft, sense, flight);
    if (flight.isBehind) draft.owe(sense, { ...flight.due, reason: "watch", at: draft.now, cause: null });
  }

  /** What the compute was owed for is answered, however it ended. */
  #answer(draft: Draft, { sense, flight }: Flown): void {
    draft.settle(sense, flight.owed);
    if (sense.strikes > 0) draft.strikes(sense, 0, null);
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

function settled({ sense, flight }: Flown, landed: Landed): void {
  sense.land(flight);
  landed(sense, null);
}

type Emitted = Pick<EmittedSignals, "payload" | "outbox">;

/** What a signal is to the intake, or what the worker sent instead. */
function arrivalOf({ sense, flight }: Flown, { payload, outbox }: Emitted): Arrival | string {
  const text = payloadText(payload);
  if (!text.ok) return text.error;
  const { cause, trace } = flight.trigger;
  return { sense, payload: payload as Json, text: text.value, outbox, cause, trace };
}

function arrivalsOf(flown: Flown, first: Emitted, more: readonly Emitted[]): Result<Arrival[], string> {
  if (more.length >= MAX_SIGNALS) return err(`${more.length + 1} signals at once`);
  const arrivals: Arrival[] = [];
  for (const emitted of [first, ...more]) {
    const arrival = arrivalOf(flown, emitted);
    if (typeof arrival === "string") return err(arrival);
    arrivals.push(arrival);
  }
  return ok(arrivals);
}
