/**
 * Owns the estimate of how many runs a workflow would have dropped. It plays the workflow's slots and queue through with the
 * durations of the workflow's ended runs. The result is an estimate: a run's duration depends on more than the other durations.
 */
import { Heap } from "../../base/heap.ts";
import { DEFAULT_CONCURRENCY } from "../../config/defaults.ts";
import type { WorkflowConfig } from "../../model/config.ts";

export class DropEstimate {
  /** Reflex that starts the workflow → number of dropped runs. */
  readonly dropped = new Map<string, number>();
  readonly #concurrency: number;
  readonly #maxQueue: number;
  readonly #durationsMs: readonly number[];
  readonly #ends = new Heap<number>((a, b) => a < b);
  #queued = 0;
  #started = 0;

  /** `durationsMs` holds at least one duration of an ended run. The order of use is fixed: the same history gives the same result. */
  constructor(config: WorkflowConfig, durationsMs: readonly number[]) {
    this.#concurrency = config.concurrency ?? DEFAULT_CONCURRENCY;
    this.#maxQueue = config.overflow === "drop" ? 0 : config.maxQueue;
    this.#durationsMs = durationsMs;
  }

  /** Plays one firing. The firings must come in the order of time. */
  fire(reflex: string, at: number): void {
    for (let end = this.#ends.peek(); end !== null && end <= at; end = this.#ends.peek()) {
      this.#ends.pop();
      if (this.#queued === 0) continue;
      this.#queued--;
      this.#start(end);
    }
    if (this.#ends.size < this.#concurrency) this.#start(at);
    else if (this.#queued < this.#maxQueue) this.#queued++;
    else this.dropped.set(reflex, (this.dropped.get(reflex) ?? 0) + 1);
  }

  #start(at: number): void {
    const { length } = this.#durationsMs;
    this.#ends.push(at + (this.#durationsMs[this.#started % length] ?? 0));
    this.#started++;
  }
}
