/**
 * One compute from its begin to its outcome: one transaction on the sense's database, a soft timeout that aborts and
 * then only waits, and a payload that is checked before anything is kept. Never throws.
 */
import type { Json } from "../base/json.ts";
import { err, ok, type Result } from "../base/result.ts";
import { startTimer, type Timer } from "../base/timer.ts";
import type { Blobs, Log, Peers } from "../sdk/index.ts";
import { jsonCopy } from "../worker/json-copy.ts";
import { describeAuthorFailure } from "../worker/peer-record.ts";
import { type StandardSchema, validateWith } from "../worker/schema.ts";
import type { LoadedSense } from "./load-compute.ts";
import type { SenseDb } from "./sense-database.ts";

export interface ComputeRequest {
  readonly now: number;
  readonly cause: number | null;
  readonly trace: string;
}

export type ComputeOutcome =
  | { readonly kind: "signal"; readonly payload: Json; readonly outbox: number | null; readonly wrote: boolean }
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
export function payloadOf(returned: unknown, schema: StandardSchema | null): Result<Json, string> {
  if (returned === undefined) return err("compute returned undefined; return a payload, or null for no signal");
  const payload = jsonCopy("the payload", returned);
  if (schema === null || !payload.ok) return payload;
  // A copy: a schema may change what it is given.
  const fits = validateWith(schema, "payload", structuredClone(payload.value));
  return fits.ok ? payload : err(`the payload is not what the sense declares it to be: ${fits.error}`);
}

/** The abort signal is only made when a compute asks for it, the timer only when it waits: most do neither. */
class Deadline {
  readonly #startedAt = performance.now();
  readonly #limitMs: number;
  #controller: AbortController | null = null;
  #timer: Timer | null = null;
  #reason: "timed-out" | "aborted" | null = null;

  constructor(limitMs: number) {
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

export interface RunningCompute {
  readonly outcome: Promise<ComputeOutcome>;
  /** Resolves once the compute has settled or is known to be waiting for something outside this process's turn. */
  readonly prompt: Promise<void>;
  abort(): void;
}

/** Begins the compute in this turn; `outcome` always resolves once the author's code has settled. */
export function executeCompute(setting: ComputeSetting, request: ComputeRequest): RunningCompute {
  const { sense, db, peers, blobs, log } = setting;
  const deadline = new Deadline(setting.timeoutMs);
  const context = {
    get signal() {
      return deadline.signal;
    },
    options: sense.options,
    blobs,
    now: request.now,
    log,
  };
  let settled = false;

  const run = async (): Promise<ComputeOutcome> => {
    const lost = db.lost();
    if (lost !== null) {
      settled = true;
      return { kind: "lost", message: lost };
    }
    db.begin();
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
    const payload: Result<Json, string> =
      ended === null && returned !== null ? payloadOf(returned, sense.payload) : ok(null);
    if (ended !== null || !payload.ok) {
      db.rollBack();
      return payload.ok ? { kind: ended as "timed-out" | "aborted" } : failed(payload.error);
    }
    try {
      if (returned === null) return { kind: "no-signal", wrote: db.keep(null).wrote };
      const { cause, trace, now } = request;
      return { kind: "signal", payload: payload.value, ...db.keep({ payload: payload.value, cause, trace, at: now }) };
    } catch (error) {
      return describe(error, peers);
    }
  };

  const outcome = run();
  const prompt = (async () => {
    for (let turn = 0; turn < PROMPT_TURNS && !settled; turn++) await null;
    if (!settled) deadline.arm();
  })();
  return { outcome, prompt, abort: () => deadline.end("aborted") };
}
