/** A compute that is under way, as its sense holds it. */
import type { Item } from "../../model/item.ts";
import type { Signal } from "../../model/signal.ts";
import type { Owed } from "../../store/sense-state.ts";

/** Computes sent together; their results commit together while `left` counts down. */
export interface Batch {
  left: number;
}

/** One compute from its begin to its commit. */
export interface Flight {
  /** Compute id, unique within the kernel's life. */
  readonly id: number;
  /** What it was begun for. */
  readonly due: Owed;
  /** The same, with the trace of the item where it has one item. */
  readonly trigger: Owed;
  /** What it was handed from the inbox of its sense. */
  readonly items: readonly Item[];
  /** The signals that it was handed by a reflex with `deliver`, or null. */
  readonly delivered: Delivery | null;
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

/** Signals for one compute. */
export interface Delivery {
  /** What the cursor is known by in the sense's database. */
  readonly origin: string;
  /** The last signal that was looked at. */
  readonly upTo: number;
  readonly signals: readonly Signal[];
  /** More may wait. */
  readonly isBehind: boolean;
}

/** A signal, and a person who waits, know a compute by its trace. Whatever else began it has the trace of its one item. */
export function triggerOf(due: Owed, items: readonly Item[]): Owed {
  const [item] = items;
  const isFree = items.length === 1 && due.cause === null && due.reason !== "manual";
  return item !== undefined && isFree ? { ...due, trace: item.trace } : due;
}
