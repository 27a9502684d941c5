/** A compute that is under way, as its sense holds it. */
import { bug } from "../../base/bug.ts";
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
  /** Awake milliseconds of the moment at which it was sent to its worker, null before. */
  readonly sentAt: number | null;
  /** How long this process had been paused then. */
  readonly pausedBeforeMs: number;
  /** How its start is known: by a note of its worker, or by `started`. A prompt compute settles before either. */
  readonly start: "unknown" | "noted" | "said";
  /** It leaves something unread to the next compute. */
  readonly isBehind: boolean;
  /** Its result has come and waits for the commit. */
  readonly settling: boolean;
  /** It has passed its timeout, and that is counted and logged. */
  readonly timedOut: boolean;
}

/** A flight in the hand of its sense. A move that cannot be is a bug. */
export class Flying implements Flight {
  readonly trigger: Owed;
  sentAt: number | null = null;
  pausedBeforeMs = 0;
  start: Flight["start"] = "unknown";
  isBehind = false;
  settling = false;
  timedOut = false;

  constructor(
    readonly id: number,
    readonly due: Owed,
    readonly items: readonly Item[],
    readonly delivered: Delivery | null,
    readonly owed: Owed | null,
    readonly batch: Batch,
  ) {
    this.trigger = triggerOf(due, items);
    batch.left++;
  }

  send(at: number, pausedMs: number): void {
    if (this.sentAt !== null) bug(`compute ${this.id} is sent twice`);
    this.sentAt = at;
    this.pausedBeforeMs = pausedMs;
  }

  starts(how: "noted" | "said"): void {
    if (this.sentAt === null || this.start === "said") bug(`compute ${this.id} starts unsent or twice`);
    this.start = how;
  }

  settle(): void {
    if (this.sentAt === null || this.settling) bug(`compute ${this.id} settles unsent or twice`);
    this.settling = true;
    this.batch.left--;
  }

  drop(): void {
    if (this.settling) bug(`compute ${this.id}, which has settled, is dropped`);
    this.batch.left--;
  }
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
function triggerOf(due: Owed, items: readonly Item[]): Owed {
  const item = items[0];
  const isFree = items.length === 1 && due.cause === null && due.reason !== "manual";
  return item !== undefined && isFree ? { ...due, trace: item.trace } : due;
}
