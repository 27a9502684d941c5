/**
 * Owns the tasks under way in a worker: until when each may run, and how much memory the worker held when it began. Also owns
 * the watch over that memory.
 */
import { LOAD_HARD_MS } from "../../spawn/worker-process.ts";
import type { Ticker } from "../time/ticker.ts";
import { type Activity, type LimitEvents, Limits } from "./limits.ts";
import { MemoryWatch, NO_SAMPLES, type Samples } from "./memory.ts";

export interface TaskEvents<Task> extends LimitEvents<Task> {
  /** Resident bytes of the worker and its children. */
  readonly heldBytes: () => number;
  readonly overMemory: (heldBytes: number, limitBytes: number) => void;
}

export class Tasks<Task> {
  readonly #ticker: Ticker;
  readonly #events: TaskEvents<Task>;
  readonly #limits: Limits<Task>;
  #memory: MemoryWatch | null = null;

  constructor(ticker: Ticker, events: TaskEvents<Task>) {
    this.#ticker = ticker;
    this.#events = events;
    this.#limits = new Limits(ticker, events);
  }

  get all(): readonly Activity<Task>[] {
    return this.#limits.activities;
  }

  get count(): number {
    return this.#limits.size;
  }

  /** Awake milliseconds of the worker's newest message. */
  get heardAt(): number {
    return this.#limits.heardAt;
  }

  get samples(): Samples {
    return this.#memory?.samples ?? NO_SAMPLES;
  }

  // ── the worker ───────────────────────────────────────────────────────

  /** A worker was started, which owes an answer. */
  anew(memoryLimitBytes: number | null): void {
    this.expects();
    if (memoryLimitBytes === null) return;
    const over = (held: number): void => this.#events.overMemory(held, memoryLimitBytes);
    // What has begun since the last sample began at the memory of that sample.
    const sample = (): number => {
      this.#events.reveal();
      return this.#events.heldBytes();
    };
    this.#memory = new MemoryWatch(this.#ticker, memoryLimitBytes, sample, over);
  }

  /** The worker has loaded its modules. */
  isReady(): void {
    this.clear();
    this.#memory?.isReady();
  }

  /** The worker has sent a message. */
  hears(): void {
    this.#limits.hears();
  }

  /** The worker owes an answer from now on. */
  expects(): void {
    this.#limits.expects();
  }

  /** The worker is gone: nothing is watched any longer. Tasks and samples stay for the blame. */
  stop(): void {
    this.#limits.stop();
    this.#memory?.stop();
  }

  /** The blame is done. */
  forgetSamples(): void {
    this.#memory = null;
  }

  // ── what is under way ────────────────────────────────────────────────

  /** The module of `task` is being loaded. */
  loads(task: Task): void {
    this.clear();
    this.#begins(task, this.heardAt, { softMs: Number.POSITIVE_INFINITY, hardMs: LOAD_HARD_MS, loading: true });
  }

  /**
   * User code was entered for `task`, at `at`: by default with the newest message. The crew hears when the task is late at
   * `softMs` (Infinity: never), and the worker is killed when the task has not ended after `hardMs`.
   */
  begins(task: Task, softMs: number, hardMs: number, at = this.heardAt): void {
    this.#begins(task, at, { softMs, hardMs, loading: false });
  }

  #begins(task: Task, at: number, limit: Pick<Activity<Task>, "softMs" | "hardMs" | "loading">): void {
    this.#limits.begins(task, at, limit, this.samples.newest);
  }

  /** Another hard limit for a task under way, counted from now. */
  limit(task: Task, hardMs: number): void {
    this.#limits.extend(task, hardMs);
  }

  ends(task: Task): void {
    this.#limits.ends(task);
  }

  clear(): void {
    this.#limits.clear();
  }
}
