/** Owns the admission of a run: it starts, waits or is dropped, decided and logged in the transaction that asks. */
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
}

export function admit(draft: Draft, run: LiveRun, order: RunOrder, room: Room): Admission {
  const { input, decision, retryOf, fromStep } = order;
  // One decision makes one run of a reflex. A person makes a retry, so a retry names no reflex.
  const trigger = retryOf === null ? order.trigger : { ...order.trigger, reflex: null };
  draft.run(run, { event: "run.queued", data: { input, trigger, retry_of: retryOf, from_step: fromStep, decision } });
  // A retry reads its inheritance when it begins.
  if (room.free > 0 && room.waiting === 0 && retryOf === null && room.mayBegin && !room.isBehind) {
    room.admitted.started++;
    draft.run(run, { event: "run.started", data: { attempt: 1, code: room.code } });
    return "started";
  }
  const error = whyFull(room);
  if (error !== null) {
    draft.run(run, { event: "run.dropped", data: { error } });
    return "dropped";
  }
  room.admitted.queued++;
  return "queued";
}

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
