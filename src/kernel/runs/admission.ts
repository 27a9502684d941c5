/** Owns the admission of a run: it starts, waits or is dropped, decided and logged in the transaction that asks. */
import { MAX_BATCHED } from "../../model/batch.ts";
import type { WorkflowConfig } from "../../model/config.ts";
import type { Admitted, Draft } from "../commits/draft.ts";
import type { LiveRun, RunOrder } from "../memory/run.ts";

export type Admission = "started" | "queued" | "dropped";

/** The state of the workflow, with the runs that the transaction has let in before. */
export interface Room {
  readonly running: number;
  readonly waiting: number;
  /** Free slots that no woken run waits for. */
  readonly free: number;
  /** A worker has loaded the module, and nothing holds new runs back. */
  readonly mayBegin: boolean;
  /** Digest of that module. */
  readonly code: string;
  readonly config: WorkflowConfig;
  /** The counts of this transaction. `admit` adds to them. */
  readonly admitted: Admitted;
  /** An earlier report of the same incident has not ended. */
  readonly isBehind: boolean;
  /** Runs that wait in batches. */
  readonly batched: number;
}

export function admit(draft: Draft, run: LiveRun, order: RunOrder, room: Room): Admission {
  const { input, decision, retryOf, fromStep } = order;
  // One decision makes one run of a reflex. A person makes a retry, so a retry names no reflex.
  const trigger = retryOf === null ? order.trigger : { ...order.trigger, reflex: null };
  const { batch } = run;
  const queued = { input, trigger, retry_of: retryOf, from_step: fromStep, decision, batch };
  draft.run(run, { event: "run.queued", data: queued });
  // A retry reads its inheritance when it begins.
  const isFree = room.free > 0 && room.waiting === 0 && room.mayBegin && !room.isBehind;
  if (isFree && retryOf === null && batch === null) {
    room.admitted.started++;
    draft.run(run, { event: "run.started", data: { attempt: 1, code: room.code, batch: null, joined: [] } });
    return "started";
  }
  const error = whyDropped(run, room);
  if (error !== null) {
    draft.run(run, { event: "run.dropped", data: { error } });
    return "dropped";
  }
  if (batch === null) room.admitted.queued++;
  else room.admitted.batched++;
  return "queued";
}

/** A full queue holds a report of an incident back before its decision. A report that is decided is never dropped. */
function whyDropped({ incident, batch }: LiveRun, room: Room): string | null {
  if (incident !== null) return null;
  return batch === null ? whyFull(room) : whyBatchesFull(room.batched);
}

/** Why no further run may wait in a batch. Null where one more may wait. */
export const whyBatchesFull = (batched: number): string | null =>
  batched < MAX_BATCHED ? null : `${batched} wait in batches already, as many as may`;

/** Why no further run may wait. Null where one more may wait. */
export function whyFull({
  running,
  waiting,
  free,
  config,
}: Pick<Room, "running" | "waiting" | "free" | "config">): string | null {
  const maxQueue = config.overflow === "drop" ? 0 : config.maxQueue;
  if (waiting < free + maxQueue) return null;
  return config.overflow === "drop"
    ? `${running} running already, and \`overflow\` is drop`
    : `${waiting} queued already, as many as \`max_queue\` allows`;
}
