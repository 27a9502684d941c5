/** A compute that is under way, as its sense holds it. */
import type { Owed } from "../../store/sense-state.ts";

/** Computes sent together; their results commit together while `left` counts down. */
export interface Batch {
  left: number;
}

/** One compute from its begin to its commit. */
export interface Flight {
  /** Compute id, unique within the kernel's life. */
  readonly id: number;
  readonly trigger: Owed;
  /** The owed decision this compute answers, if it began for one. */
  readonly owed: Owed | null;
  readonly batch: Batch;
  /** Awake milliseconds of its `started`, null before. */
  readonly startedAt: number | null;
  /** How long this process had been paused when it started. */
  readonly pausedBeforeMs: number;
  /** Its result has come and waits for the commit. */
  readonly settling: boolean;
  /** It has passed its timeout, and that is counted and logged. */
  readonly timedOut: boolean;
}
