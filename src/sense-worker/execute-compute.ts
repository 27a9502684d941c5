/**
 * One compute from its begin to its outcome: one transaction on the sense's database, a soft timeout that aborts and
 * then only waits, and a payload that is checked before anything is kept. Never throws.
 */
import { type Json, parseStored } from "../base/json.ts";
import { err, ok, type Result } from "../base/result.ts";
import { Signals } from "../model/signals.ts";
import { MAX_SIGNALS, MAX_SIGNALS_BYTES } from "../model/value.ts";
import type { Blobs, DeliveredSignal, InboxItem, Log, Peers } from "../sdk/index.ts";
import { copyWithText, type JsonCopy } from "../worker/json-copy.ts";
import { describeAuthorFailure } from "../worker/peer-record.ts";
import { type StandardSchema, validateWith } from "../worker/schema.ts";
import { Deadline } from "./deadline.ts";
import type { LoadedSense } from "./load-compute.ts";
import type { Signed } from "./outbox.ts";
import type { SenseDb } from "./sense-database.ts";
import type { TakenUpTo } from "./taken.ts";

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
function keep(db: SenseDb, payloads: readonly JsonCopy[], request: Signed): ComputeOutcome {
  const { outbox, wrote } = db.keep(payloads, request);
  const [first] = payloads;
  if (first === undefined) return { kind: "no-signal", wrote };
  if (payloads.length === 1) {
    return { kind: "signal", payload: first.value, outbox: outbox[0] ?? null, wrote, length: first.text.length };
  }
  const signals = payloads.map(({ value }, nth) => ({ payload: value, outbox: outbox[nth] as number }));
  return { kind: "signals", signals, length: payloads.reduce((sum, { text }) => sum + text.length, 0) };
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

/** As `await` sees it. */
const isPromise = (returned: unknown): returned is PromiseLike<unknown> =>
  typeof returned === "object" &&
  returned !== null &&
  typeof (returned as { readonly then?: unknown }).then === "function";

/** What is to come of a compute whose code has answered with a promise. */
export interface Waiting {
  /** Resolves once the author's code has settled. Never rejects. */
  readonly outcome: Promise<ComputeOutcome>;
  /** Resolves once the compute has settled or is known to be waiting for something outside this process's turn. */
  readonly prompt: Promise<void>;
}

/** A compute from the moment at which the author's code is entered. Most answer at once, and cost no promise. */
export class RunningCompute {
  readonly #setting: ComputeSetting;
  readonly #request: Signed;
  readonly #deadline: Deadline;
  #isBehind = false;
  #returned: unknown = undefined;
  #waiting: Waiting | null = null;
  #outcome: ComputeOutcome | null = null;

  constructor(setting: ComputeSetting, request: Signed) {
    this.#setting = setting;
    this.#request = request;
    this.#deadline = new Deadline(setting.startedAt, setting.timeoutMs);
  }

  /** The author's code says that something is left to the next compute. */
  get isBehind(): boolean {
    return this.#isBehind;
  }

  /** Null for a compute that has answered at once. */
  get waiting(): Waiting | null {
    return this.#waiting;
  }

  /** Called once, before anything else. */
  enter(items: readonly HandedItem[], delivery: HandedSignals | null): void {
    const { sense, db, peers } = this.#setting;
    const lost = db.lost();
    if (lost !== null) {
      this.#outcome = { kind: "lost", message: lost };
      return;
    }
    db.begin();
    if (items.length > 0) db.takes(delivery === null ? lastOf(items) : [...lastOf(items), delivery]);
    else if (delivery !== null) db.takes([delivery]);
    const context = this.#context(items, delivery);
    try {
      const returned = sense.compute(db.database, peers, context as Parameters<typeof sense.compute>[2]);
      if (isPromise(returned)) this.#waiting = { outcome: this.#settled(returned), prompt: this.#prompt() };
      else this.#returned = returned;
    } catch (error) {
      this.#outcome = this.#threw(error);
    }
  }

  #context(items: readonly HandedItem[], delivery: HandedSignals | null) {
    const { sense, db, blobs, log } = this.#setting;
    const deadline = this.#deadline;
    return {
      get signal() {
        return deadline.signal;
      },
      options: sense.options,
      blobs,
      now: this.#request.now,
      inbox: items.length === 0 ? NOTHING : Object.freeze(items.map(givenOf)),
      delivered: delivery === null ? NO_SIGNALS : deliveredOf(delivery, db),
      log,
      more: () => {
        this.#isBehind = true;
      },
    };
  }

  #threw(error: unknown): ComputeOutcome {
    this.#setting.db.rollBack();
    const ended = this.#deadline.settle();
    return ended === null ? describe(error, this.#setting.peers) : { kind: ended };
  }

  /** What became of a compute that has answered at once. To be called a turn of the microtask queue after the author's code. */
  conclude(): ComputeOutcome {
    this.#outcome ??= this.#conclusion();
    return this.#outcome;
  }

  #conclusion(): ComputeOutcome {
    const { sense, db, peers } = this.#setting;
    const ended = this.#deadline.settle();
    if (ended !== null) {
      db.rollBack();
      return { kind: ended };
    }
    const payloads = payloadsOf(this.#returned, sense.payload);
    if (!payloads.ok) {
      db.rollBack();
      return failed(payloads.error);
    }
    try {
      return keep(db, payloads.value, this.#request);
    } catch (error) {
      return describe(error, peers);
    }
  }

  async #settled(returned: PromiseLike<unknown>): Promise<ComputeOutcome> {
    try {
      this.#returned = await returned;
    } catch (error) {
      this.#outcome = this.#threw(error);
    }
    return this.conclude();
  }

  async #prompt(): Promise<void> {
    for (let turn = 0; turn < PROMPT_TURNS && this.#outcome === null; turn++) await null;
    if (this.#outcome === null) this.#deadline.arm();
  }

  abort(): void {
    this.#deadline.end("aborted");
  }
}

/** Begins the compute in this turn. */
export function executeCompute(
  setting: ComputeSetting,
  request: Signed,
  items: readonly HandedItem[] = [],
  delivery: HandedSignals | null = null,
): RunningCompute {
  const running = new RunningCompute(setting, request);
  running.enter(items, delivery);
  return running;
}
