/** What is told of a seed once it is over: plain data, which crosses processes and is kept in a file. */
import type { Outcome } from "./simulate.ts";
import type { Size } from "./words.ts";

export interface Task {
  readonly set: string;
  readonly seed: number;
  readonly size: Size;
}

export interface Counts {
  readonly signals: number;
  readonly logs: number;
  readonly commits: number;
  readonly runs: number;
  readonly starts: number;
  readonly decisions: number;
}

export interface Told {
  readonly seed: number;
  /** Null: nothing is wrong. */
  readonly rule: string | null;
  readonly found: string | null;
  readonly digest: string;
  readonly counts: Counts;
  readonly moves: Readonly<Record<string, number>>;
  readonly reachedMs: number;
  readonly cpuMs: number;
}

export const NO_COUNTS: Counts = { signals: 0, logs: 0, commits: 0, runs: 0, starts: 0, decisions: 0 };

export function toldOf(outcome: Outcome, cpuMs: number): Told {
  const { seed, rule, found, digest, signals, logs, commits, runs, starts, decisions, moves, reachedMs } = outcome;
  return {
    seed,
    rule,
    found: found === null ? null : (found.stack ?? found.message),
    digest,
    counts: { signals, logs, commits, runs, starts, decisions },
    moves: Object.fromEntries(moves),
    reachedMs,
    cpuMs: Math.round(cpuMs),
  };
}

/** Of a process that ended before it said anything. */
export const diedAt = (seed: number, why: string): Told => ({
  seed,
  rule: "process-died",
  found: why,
  digest: "",
  counts: NO_COUNTS,
  moves: {},
  reachedMs: 0,
  cpuMs: 0,
});
