/** How thoroughly a run measures, and with what. */
import type { Programs } from "./programs.ts";
import type { Spans } from "./suites/flood.ts";

export interface Setting {
  readonly programs: Programs;
  readonly spans: Spans;
  /** Alternating rounds of what takes seconds each. */
  readonly rounds: number;
  /** Alternating rounds of what takes milliseconds each. */
  readonly shortRounds: number;
  /** Seconds over which an idle daemon is watched. */
  readonly idleSeconds: number;
  /** Runs that have ended, and run events, where there are many. */
  readonly manyRuns: number;
  /** Keys that pushes come with, where there are many. */
  readonly manyKeys: number;
}
