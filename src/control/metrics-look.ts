/**
 * What the kernel counts in its memory, for `/metrics`. Every count begins at 0 when the kernel starts, and no reload lowers the
 * count of what goes on being configured.
 */
import type { Counts } from "../base/histogram.ts";
import type { Ending } from "../model/run.ts";

export const COMPUTE_OUTCOMES = ["signal", "null", "error", "timeout", "killed"] as const;
export type ComputeOutcome = (typeof COMPUTE_OUTCOMES)[number];

export interface MetricsLook {
  readonly senses: readonly {
    readonly name: string;
    /** The newest compute that ended has succeeded, and nothing keeps the sense from the next one. */
    readonly isWell: boolean;
    readonly signals: number;
    /** Null: none since the kernel started. */
    readonly last_signal: { readonly id: number; readonly at: number } | null;
    readonly computes: Readonly<Record<ComputeOutcome, number>>;
    readonly duration_seconds: Counts;
  }[];
  readonly reflexes: readonly {
    readonly name: string;
    readonly fired: number;
    readonly throttled: number;
    readonly missed: number;
  }[];
  readonly workflows: readonly {
    readonly name: string;
    readonly queued: number;
    readonly running: number;
    readonly sleeping: number;
    /** Runs that have ended since the kernel started. */
    readonly ended: Readonly<Record<Ending, number>>;
    /** Of those that had begun: from the first beginning to the end, sleep included. */
    readonly duration_seconds: Counts;
  }[];
  readonly groups: readonly { readonly name: string; readonly restarts: number }[];
  readonly inboxes: readonly { readonly sense: string; readonly waiting: number; readonly dead: number }[];
  readonly commit_seconds: Counts;
}
