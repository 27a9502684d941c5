/** From the outcome of a compute to the message that settles it. */
import { clipLine } from "../base/row-limiter.ts";
import type { WorkerMessage } from "../ipc/definitions.ts";
import { clip } from "../worker/output.ts";
import type { ComputeOutcome } from "./execute-compute.ts";

interface ResultHead {
  readonly generation: number;
  readonly id: number;
  readonly sense: string;
  readonly durationMs: number;
}

export function result(head: ResultHead, outcome: ComputeOutcome, cause: number | null, trace: string): WorkerMessage {
  switch (outcome.kind) {
    case "signal":
      return { type: "signal", ...head, payload: outcome.payload, outbox: outcome.outbox, more: [], cause, trace };
    case "signals": {
      const [first, ...more] = outcome.signals;
      return { type: "signal", ...head, payload: first?.payload, outbox: first?.outbox ?? null, more, cause, trace };
    }
    case "no-signal":
      return { type: "no-signal", ...head };
    case "failed":
      return { type: "error", ...head, kind: "failed", message: clipLine(outcome.message), stack: clip(outcome.stack) };
    case "timed-out":
      return { type: "error", ...head, kind: "timed-out", message: "the compute passed its soft timeout", stack: null };
    case "lost":
      return { type: "error", ...head, kind: "lost", message: outcome.message, stack: null };
    case "aborted":
      return { type: "error", ...head, kind: "aborted", message: "nerve is stopping", stack: null };
  }
}

/** Characters of what is large in the message. */
export const lengthOf = (outcome: ComputeOutcome): number => ("length" in outcome ? outcome.length : 0);

/** What the compute wrote is kept. */
export const isSuccess = ({ kind }: ComputeOutcome): boolean =>
  kind === "signal" || kind === "signals" || kind === "no-signal";
