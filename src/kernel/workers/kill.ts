/** Why a worker is killed, in words and for the blame; and what follows when it does not go. */
import { formatDuration } from "../../base/duration.ts";
import { formatSize } from "../../base/size.ts";
import { LOAD_HARD_MS } from "../../spawn/worker-process.ts";
import type { Handle, Ticker } from "../time/ticker.ts";
import type { TaskWords } from "./crew.ts";
import type { Activity } from "./limits.ts";
import { type Samples, tookMost } from "./memory.ts";

export type Kill<Task> =
  /** A task has passed its hard limit. `isProven`: it was alone, or had heard of its end; else a neighbour may be deaf. */
  | {
      readonly kind: "over-time";
      readonly activity: Activity<Task>;
      readonly isProven: boolean;
      readonly wasTold: boolean;
    }
  | { readonly kind: "over-memory"; readonly heldBytes: number; readonly limitBytes: number }
  | { readonly kind: "silent"; readonly forMs: number }
  | { readonly kind: "asked"; readonly why: string };

export function describeKill<Task>(kill: Kill<Task>, words: TaskWords<Task>): string {
  switch (kill.kind) {
    case "over-time": {
      const { task, loading } = kill.activity;
      if (!kill.isProven) return `a ${words.noun} passed its hard limit`;
      const limit = loading ? `loading it took longer than ${formatDuration(LOAD_HARD_MS)}` : words.describeLimit(task);
      return `${words.speakOf(task)}: ${limit}`;
    }
    case "over-memory":
      return `it held ${formatSize(kill.heldBytes)}, over the group's ${formatSize(kill.limitBytes)}`;
    case "silent":
      return `it did not answer for ${formatDuration(kill.forMs)}`;
    case "asked":
      return kill.why;
  }
}

/** What a worker that is not gone was killed for. All that were under way are named where none is proven to be to blame. */
export function describeStuck<Task>(kill: Kill<Task>, words: TaskWords<Task>, names: readonly string[]): string {
  const isNamed = names.length === 0 || (kill.kind === "over-time" && kill.isProven);
  return `${describeKill(kill, words)}${isNamed ? "" : `; under way: ${names.join(", ")}`}`;
}

/** Whether a task that was alone at its worker's death answers for it. */
export function answersFor<Task>({ heldBefore }: Activity<Task>, kill: Kill<Task> | null, samples: Samples): boolean {
  return kill?.kind !== "over-memory" || tookMost(heldBefore, kill.heldBytes, kill.limitBytes, samples.atReady);
}

/** A killed process is reaped within this time, unless it waits for a device or a mount that does not answer. */
export const REAP_MS = 5_000;

/** A worker's process, as far as it is killed. */
interface Killable {
  kill(): void;
}

/** One worker's end by force: the first reason counts, and a worker that does not go is stuck. */
export class Killing<Task> {
  reason: Kill<Task> | null = null;
  readonly #ticker: Ticker;
  #reaping: Handle | null = null;

  constructor(ticker: Ticker) {
    this.#ticker = ticker;
  }

  kill(worker: Killable, reason: Kill<Task>, stuck: (reason: Kill<Task>) => void): void {
    const first = this.reason ?? reason;
    this.reason = first;
    worker.kill();
    this.#reaping ??= this.#ticker.afterAwake(REAP_MS, () => stuck(first));
  }

  /** The worker is gone. */
  reaped(): void {
    this.#reaping?.cancel();
    this.#reaping = null;
  }
}
