/** From the outcomes of computes to the messages that settle them: results of one frame are in one message of their kind. */
import { clipLine } from "../base/row-limiter.ts";
import type { EmittedSignals, SilentCompute, WorkerMessage, WorkerMessageOf } from "../ipc/definitions.ts";
import type { Channel } from "../worker/channel.ts";
import { clip } from "../worker/output.ts";
import type { ComputeOutcome } from "./execute-compute.ts";

type Signals = WorkerMessageOf<"signal"> & { readonly signals: EmittedSignals[] };
type Silence = WorkerMessageOf<"no-signal"> & { readonly computes: SilentCompute[] };
type Failure = Pick<WorkerMessageOf<"error">, "kind" | "message" | "stack">;

export class Results {
  readonly #channel: Channel<WorkerMessage>;
  #signals: Signals | null = null;
  #silence: Silence | null = null;

  constructor(channel: Channel<WorkerMessage>) {
    this.#channel = channel;
  }

  /** `now`: of `performance.now()`. */
  post(generation: number, head: SilentCompute, outcome: ComputeOutcome, now: number): void {
    switch (outcome.kind) {
      case "signal":
        return this.#emit(
          generation,
          { ...head, payload: outcome.payload, outbox: outcome.outbox, more: null },
          outcome.length,
          now,
        );
      case "signals": {
        const [first, ...more] = outcome.signals;
        const row = { ...head, payload: first?.payload, outbox: first?.outbox ?? null, more };
        return this.#emit(generation, row, outcome.length, now);
      }
      case "no-signal":
        return this.#stayed(generation, head, now);
      default:
        this.#channel.post({ type: "error", generation, ...head, ...failureOf(outcome) }, 0, now);
    }
  }

  #emit(generation: number, row: EmittedSignals, length: number, now: number): void {
    const open = this.#signals;
    if (open !== null && this.#channel.extend(open, () => open.signals.push(row), length, now)) return;
    this.#signals = { type: "signal", generation, signals: [row] };
    this.#channel.post(this.#signals, length, now);
  }

  #stayed(generation: number, row: SilentCompute, now: number): void {
    const open = this.#silence;
    if (open !== null && this.#channel.extend(open, () => open.computes.push(row), 0, now)) return;
    this.#silence = { type: "no-signal", generation, computes: [row] };
    this.#channel.post(this.#silence, 0, now);
  }
}

function failureOf(outcome: Exclude<ComputeOutcome, { readonly kind: "signal" | "signals" | "no-signal" }>): Failure {
  switch (outcome.kind) {
    case "failed":
      return { kind: "failed", message: clipLine(outcome.message), stack: clip(outcome.stack) };
    case "timed-out":
      return { kind: "timed-out", message: "the compute passed its soft timeout", stack: null };
    case "lost":
      return { kind: "lost", message: outcome.message, stack: null };
    case "aborted":
      return { kind: "aborted", message: "nerve is stopping", stack: null };
  }
}

/** What the compute wrote is kept. */
export const isSuccess = ({ kind }: ComputeOutcome): boolean =>
  kind === "signal" || kind === "signals" || kind === "no-signal";
