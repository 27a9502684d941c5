/** Owns the limits of a compute as its worker's life counts them. */
import { limitsOf } from "../../config/defaults.ts";
import type { Sense } from "../memory/sense.ts";
import { lateMs } from "../workers/limits.ts";

export interface TaskLimits {
  readonly softMs: number;
  readonly hardMs: number;
}

export function taskLimitsOf({ config }: Sense): TaskLimits {
  const { timeoutMs, gracePeriodMs } = limitsOf(config);
  return { softMs: timeoutMs, hardMs: timeoutMs + gracePeriodMs };
}

/** The shortest time in which a compute of one of them passes a limit. */
export const soonestLimitMs = (senses: readonly Sense[]): number =>
  Math.min(...senses.map((sense) => lateMs(taskLimitsOf(sense))));
