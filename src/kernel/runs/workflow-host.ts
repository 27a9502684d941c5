/** Owns what a workflow and its run-worker need of the kernel, beside their own runs. */
import type { Json } from "../../base/json.ts";
import type { Result } from "../../base/result.ts";
import type { WorkflowMessageOf, WorkflowParentMessage } from "../../ipc/workflow-definitions.ts";
import type { Decided } from "../../model/batch.ts";
import type { WorkflowConfig } from "../../model/config.ts";
import type { Cause } from "../../model/notice.ts";
import type { Problem } from "../../model/problem.ts";
import type { Run } from "../../model/run.ts";
import type { Location } from "../../spawn/modules-on-disk.ts";
import type { WorkerCommand } from "../../spawn/worker-process.ts";
import type { Draft } from "../commits/draft.ts";
import type { Ledger } from "../commits/ledger.ts";
import type { LiveRun, RunOrder } from "../memory/run.ts";
import type { Lifetime } from "../time/lifetime.ts";
import type { LifeHost } from "../workers/crew.ts";
import type { Assignment, WorkflowModule } from "./slots.ts";

export interface RunWorkerHost extends LifeHost {
  readonly lifetime: Lifetime;
  command(): WorkerCommand;
  /** The first message of a new worker. */
  init(workflow: WorkflowModule, generation: number): WorkflowParentMessage;
  output(workflow: WorkflowModule, message: WorkflowMessageOf<"log">, taken: () => void): void;
  /** A try of `run` to hand a message to `channel` is over. Null `error`: the channel took the message. */
  notified(channel: string, error: string | null, run: number): void;
  /** The cause of a run, for a workflow that notifies people. Null for any other workflow. */
  causeOf(workflow: WorkflowModule, order: RunOrder): Cause | null;
  /** What other hosts call this one. */
  readonly hostName: string;
  /** The payload of a signal. Null where retention removed the signal. */
  payloadOf(signal: number): Json;
}

export interface WorkflowHost extends RunWorkerHost {
  readonly ledger: Ledger;
  /** Nothing new may be started, because the store cannot be written or there is no room. */
  readonly isHeld: boolean;
  /** The present place of the module, and its files. */
  locate(workflow: WorkflowConfig): Result<Location, Problem>;
  /**
   * What `run` needs to go on, by its logs and with its inheritance. Where its row differs from its logs, `draft` puts the
   * row right.
   */
  assignment(draft: Draft, run: LiveRun): Result<Assignment, Problem>;
  /** The module of `workflow` does not load, and its runs wait for that. */
  doesNotLoad(workflow: string, problem: Problem): void;
  /** `run` waits for a module that does not load. */
  waitsForModule(run: LiveRun, problem: Problem): void;
  /** `run` cannot go on. */
  waits(run: LiveRun, problem: Problem): void;
  /** An attempt of `run` failed that had nothing to run. `row` is the row of that attempt. */
  ranNothing(run: LiveRun, row: Run): void;
  /** A run of `workflow` has left the queue or a slot. */
  hasRoom(workflow: string): void;
  /** What the waiting `run` was decided for. Null where its logs cannot be read. */
  decidedOf(run: LiveRun): Decided | null;
  /** Called after the commit of the beginning, in which `joined` other runs joined it. */
  began(run: LiveRun, joined: number): void;
  /** Called after the commit of the ending. */
  ended(run: LiveRun): void;
}
