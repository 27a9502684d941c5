/**
 * One compute from its begin to its outcome: one transaction on the sense's database, a soft timeout that aborts and
 * then only waits, and a payload that is checked before anything is kept. Never throws.
 */
import { type Json, parseStored } from "../base/json.ts";
import { err, ok, type Result } from "../base/result.ts";
import { startTimer, type Timer } from "../base/timer.ts";
import { Signals } from "../model/signals.ts";
import { MAX_SIGNALS, MAX_SIGNALS_BYTES } from "../model/value.ts";
import type { Blobs, DeliveredSignal, InboxItem, Log, Peers } from "../sdk/index.ts";
import { copyWithText, type JsonCopy } from "../worker/json-copy.ts";
import { describeAuthorFailure } from "../worker/peer-record.ts";
import { type StandardSchema, validateWith } from "../worker/schema.ts";
import type { LoadedSense } from "./load-compute.ts";
import type { SenseDb } from "./sense-database.ts";
import type { TakenUpTo } from "./taken.ts";

export interface ComputeRequest {
  readonly now: number;
  readonly cause: number | null;
  readonly trace: string;
}

/** A payload, and the row of the outbox that it is kept in. */
export interface KeptSignal {
  readonly payload: Json;
  readonly outbox: number;
}

/** An item as the kernel sends it. */
export interface HandedItem extends Omit<InboxItem, "body"> {
  /** What it is known by, together with `id`. */
  readonly origin: string;
  /** JSON text. */
  readonly body: string;
}

/** Signals as the kernel sends them. */
export interface HandedSignals extends TakenUpTo {
  readonly signals: readonly (Omit<DeliveredSignal, "payload"> & { readonly payload: string })[];
}

/** `length`: characters of the payloads as JSON. */
export type ComputeOutcome =
  | {
      readonly kind: "signal";
      readonly payload: Json;
      readonly outbox: number | null;
      readonly wrote: boolean;
      readonly length: number;
    }
  | { readonly kind: "signals"; readonly signals: readonly KeptSignal[]; readonly length: number }
  | { readonly kind: "no-signal"; readonly wrote: boolean }
  | { readonly kind: "failed"; readonly message: string; readonly stack: string | null }
  /** Its database is no longer there: the author's code was not called. */
  | { readonly kind: "lost"; readonly message: string }
  | { readonly kind: "timed-out" }
  | { readonly kind: "aborted" };

/** What a compute is run with. */
export interface ComputeSetting {
  readonly sense: Pick<LoadedSense, "compute" | "options" | "payload">;
  readonly db: SenseDb;
  readonly peers: Peers;
  readonly blobs: Blobs;
  readonly log: Log;
  /** Of `performance.now()`. */
  readonly startedAt: number;
  readonly timeoutMs: number;
}

/** Turns of the microtask queue after which a compute counts as one that waits for something. */
const PROMPT_TURNS = 6;

const failed = (message: string, stack: string | null = null): ComputeOutcome => ({ kind: "failed", message, stack });

function describe(error: unknown, peers: Peers): ComputeOutcome {
  const { message, stack } = describeAuthorFailure(error, peers);
  return failed(message, stack);
}

/** The payload a compute returned, or what is wrong with it. It is what was returned, whatever `schema` makes of it. */
export function payloadOf(
  returned: unknown,
  schema: StandardSchema | null,
  what = "the payload",
): Result<JsonCopy, string> {
  if (returned === undefined) return err("compute returned undefined; return a payload, or null for no signal");
  const payload = copyWithText(what, returned);
  if (schema === null || !payload.ok) return payload;
  // A copy: a schema may change what it is given.
  const fits = validateWith(schema, "payload", structuredClone(payload.value.value));
  return fits.ok ? payload : err(`${what} is not what the sense declares it to be: ${fits.error}`);
}

const LATER = "return the rest from the next compute: a cursor in the sense's database says where it begins";

/** The payloads that a compute returned: none for null. */
function payloadsOf(returned: unknown, schema: StandardSchema | null): Result<readonly JsonCopy[], string> {
  if (returned === null) return ok([]);
  if (returned instanceof Signals) return listOf(returned.payloads, schema);
  const payload = payloadOf(returned, schema);
  return payload.ok ? ok([payload.value]) : payload;
}

function listOf(given: readonly unknown[], schema: StandardSchema | null): Result<readonly JsonCopy[], string> {
  if (given.length > MAX_SIGNALS) {
    return err(`signals([…]) holds ${given.length} payloads, and at most ${MAX_SIGNALS} go together; ${LATER}`);
  }
  const payloads: JsonCopy[] = [];
  let bytes = 0;
  for (const [index, item] of given.entries()) {
    const what = `payload ${index} of signals([…])`;
    if (item === undefined || item === null) return err(`${what} is ${item}; leave it out for no signal`);
    const payload = payloadOf(item, schema, what);
    if (!payload.ok) return payload;
    bytes += Buffer.byteLength(payload.value.text);
    payloads.push(payload.value);
  }
  return bytes > MAX_SIGNALS_BYTES ? err(`signals([…]) is over 1 MiB together; ${LATER}`) : ok(payloads);
}

/** Keeps what a compute wrote and returned. Throws what SQLite throws. */
function keep(db: SenseDb, payloads: readonly JsonCopy[], { cause, trace, now }: ComputeRequest): ComputeOutcome {
  const { outbox, wrote } = db.keep(payloads.map(({ text: payload }) => ({ payload, cause, trace, at: now })));
  const length = payloads.reduce((sum, { text }) => sum + text.length, 0);
  const [first] = payloads;
  if (first === undefined) return { kind: "no-signal", wrote };
  if (payloads.length === 1) return { kind: "signal", payload: first.value, outbox: outbox[0] ?? null, wrote, length };
  const signals = payloads.map(({ value }, nth) => ({ payload: value, outbox: outbox[nth] as number }));
  return { kind: "signals", signals, length };
}

/** The abort signal is only made when a compute asks for it, the timer only when it waits: most do neither. */
class Deadline {
  readonly #startedAt: number;
  readonly #limitMs: number;
  #controller: AbortController | null = null;
  #timer: Timer | null = null;
  #reason: "timed-out" | "aborted" | null = null;

  constructor(startedAt: number, limitMs: number) {
    this.#startedAt = startedAt;
    this.#limitMs = limitMs;
  }

  get signal(): AbortSignal {
    this.#controller ??= new AbortController();
    if (this.#reason) this.#controller.abort(this.#error(this.#reason));
    return this.#controller.signal;
  }

  #error(reason: "timed-out" | "aborted"): DOMException {
    return reason === "timed-out"
      ? new DOMException(`the compute passed its timeout of ${this.#limitMs} ms`, "TimeoutError")
      : new DOMException("nerve is stopping", "AbortError");
  }

  arm(): void {
    const left = this.#limitMs - (performance.now() - this.#startedAt);
    this.#timer = startTimer(left, () => this.end("timed-out"));
  }

  end(reason: "timed-out" | "aborted"): void {
    if (this.#reason) return;
    this.#reason = reason;
    this.#controller?.abort(this.#error(reason));
  }

  /** Called once the author's code has settled: why its result does not count, or null. */
  settle(): "timed-out" | "aborted" | null {
    this.#timer?.stop();
    if (this.#reason === null && performance.now() - this.#startedAt > this.#limitMs) this.#reason = "timed-out";
    return this.#reason;
  }
}

const NOTHING: readonly InboxItem[] = Object.freeze([]);

const givenOf = ({ id, at, key, type, body }: HandedItem): InboxItem => ({
  id,
  at,
  key,
  type,
  body: parseStored(body),
});

const NO_SIGNALS: readonly DeliveredSignal[] = Object.freeze([]);

/** Those that no earlier compute has seen. */
function deliveredOf({ origin, signals }: HandedSignals, db: SenseDb): readonly DeliveredSignal[] {
  const seen = db.itemsTaken(origin);
  const unseen = signals.filter(({ id }) => id > seen);
  return Object.freeze(unseen.map(({ id, sense, at, payload }) => ({ id, sense, at, payload: parseStored(payload) })));
}

/** The last id of each origin, in the order of the items. */
function lastOf(items: readonly HandedItem[]): readonly TakenUpTo[] {
  const last = new Map<string, number>();
  for (const { origin, id } of items) last.set(origin, id);
  return [...last].map(([origin, upTo]) => ({ origin, upTo }));
}

export interface RunningCompute {
  readonly outcome: Promise<ComputeOutcome>;
  /** Resolves once the compute has settled or is known to be waiting for something outside this process's turn. */
  readonly prompt: Promise<void>;
  /** The author's code says that something is left to the next compute. */
  readonly isBehind: () => boolean;
  abort(): void;
}

/** Begins the compute in this turn; `outcome` always resolves once the author's code has settled. */
export function executeCompute(
  setting: ComputeSetting,
  request: ComputeRequest,
  items: readonly HandedItem[] = [],
  delivery: HandedSignals | null = null,
): RunningCompute {
  const { sense, db, peers, blobs, log } = setting;
  const deadline = new Deadline(setting.startedAt, setting.timeoutMs);
  const context = {
    get signal() {
      return deadline.signal;
    },
    options: sense.options,
    blobs,
    now: request.now,
    inbox: items.length === 0 ? NOTHING : Object.freeze(items.map(givenOf)),
    delivered: delivery === null ? NO_SIGNALS : deliveredOf(delivery, db),
    log,
    more: () => {
      isBehind = true;
    },
  };
  let isBehind = false;
  let settled = false;

  const run = async (): Promise<ComputeOutcome> => {
    const lost = db.lost();
    if (lost !== null) {
      settled = true;
      return { kind: "lost", message: lost };
    }
    db.begin();
    if (items.length > 0) db.takes(delivery === null ? lastOf(items) : [...lastOf(items), delivery]);
    else if (delivery !== null) db.takes([delivery]);
    let returned: unknown;
    try {
      returned = await sense.compute(db.database, peers, context as Parameters<typeof sense.compute>[2]);
    } catch (error) {
      settled = true;
      db.rollBack();
      const ended = deadline.settle();
      return ended === null ? describe(error, peers) : { kind: ended };
    }
    settled = true;
    const ended = deadline.settle();
    if (ended !== null) {
      db.rollBack();
      return { kind: ended };
    }
    const payloads = payloadsOf(returned, sense.payload);
    if (!payloads.ok) {
      db.rollBack();
      return failed(payloads.error);
    }
    try {
      return keep(db, payloads.value, request);
    } catch (error) {
      return describe(error, peers);
    }
  };

  const outcome = run();
  const prompt = (async () => {
    for (let turn = 0; turn < PROMPT_TURNS && !settled; turn++) await null;
    if (!settled) deadline.arm();
  })();
  return { outcome, prompt, isBehind: () => isBehind, abort: () => deadline.end("aborted") };
}
