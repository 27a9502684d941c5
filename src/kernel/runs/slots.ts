/**
 * Owns the seam between a workflow and its run-worker. The run-worker reports what becomes of runs in its process. The
 * workflow decides what follows: the slots, the commits, the waits.
 */
import type { Result } from "../../base/result.ts";
import type { Batch } from "../../model/batch.ts";
import type { WorkflowConfig } from "../../model/config.ts";
import type { Problem } from "../../model/problem.ts";
import type { RunEvent } from "../../model/run.ts";
import type { Location } from "../../spawn/modules-on-disk.ts";
import type { LiveRun, ResumeReason, RunOrder } from "../memory/run.ts";
import type { RunHistory } from "./run-history.ts";
import type { Failure } from "./run-policy.ts";

/** A workflow, as a worker needs it. */
export interface WorkflowModule {
  readonly name: string;
  readonly config: WorkflowConfig;
  readonly location: Result<Location, Problem>;
}

/** What a run needs in its worker to go on. */
export interface Assignment {
  readonly order: RunOrder;
  /** What it reports, where it waited for others; else null. */
  readonly batch: Batch | null;
  readonly history: RunHistory;
}

/** The time at which a run goes on by itself, on the axis of elapsed time, and the reason. */
export interface Wait {
  readonly due: number;
  readonly reason: ResumeReason;
}

/** Hears the reports of a run-worker. */
export interface Slots extends WorkflowModule {
  /** True while a run has a slot. */
  readonly isBusy: boolean;
  /** True when a worker must be started: there is work, and a module that may load. */
  wantsWorker(): boolean;
  /** The worker is up, and the module is loaded. */
  opened(): void;
  doesNotLoad(problem: Problem): void;
  /** Commits an event of a run. `kept` null: nobody waits for that, and it commits with what comes next. */
  record(run: LiveRun, event: RunEvent, kept: (() => void) | null): void;
  deadline(ms: number, now?: number): { readonly until: number; readonly due: number };
  /** Called after a commit that ended the run (null), or put the run to sleep. */
  settled(run: LiveRun, wait: Wait | null): void;
  /** The attempt is over, without success. */
  fails(run: LiveRun, failure: Failure): void;
  /** The worker of the run is gone. The run keeps its slot and goes on from the last step boundary. */
  interrupted(run: LiveRun, reason: ResumeReason): void;
  /** The code of a run that had ended has settled. */
  release(run: LiveRun): void;
}
