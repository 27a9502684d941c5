/** Owns the kill of a worker: its reason, in words and for the blame, and what follows when the worker does not go. */
import { formatDuration } from "../../base/duration.ts";
import { formatSize } from "../../base/size.ts";
import { LOAD_HARD_MS } from "../../spawn/worker-process.ts";
import type { Handle, Ticker } from "../time/ticker.ts";
import { judge } from "./blame.ts";
import type { Death, TaskWords } from "./crew.ts";
import type { Activity } from "./limits.ts";
import { type Samples, tookMost } from "./memory.ts";

export type Kill<Task> =
  /** A task has passed its hard limit. `isProven`: the task was alone, or had heard of its end. Otherwise a neighbour may be deaf. */
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

/** Why a stuck worker was killed. All tasks under way are named where none is proven to be the cause. */
export function describeStuck<Task>(kill: Kill<Task>, words: TaskWords<Task>, names: readonly string[]): string {
  const isNamed = names.length === 0 || (kill.kind === "over-time" && kill.isProven);
  return `${describeKill(kill, words)}${isNamed ? "" : `; under way: ${names.join(", ")}`}`;
}

/** True when a task that was alone at its worker's death answers for it. */
function answersFor<Task>({ heldBefore }: Activity<Task>, kill: Kill<Task> | null, samples: Samples): boolean {
  return kill?.kind !== "over-memory" || tookMost(heldBefore, kill.heldBytes, kill.limitBytes, samples.atReady);
}

/** The suspects of a worker's death, and the culprit or null. A task that had heard of its end and did not end is the only suspect. */
export function verdictOn<Task>(
  running: readonly Activity<Task>[],
  kill: Kill<Task> | null,
  samples: Samples,
): Pick<Death<Task>, "suspects" | "culprit"> {
  const told =
    kill?.kind === "over-time" && kill.wasTold ? running.filter(({ task }) => task === kill.activity.task) : [];
  const { suspects, strike: alone } = judge(told.length > 0 ? told : running);
  return { suspects, culprit: alone !== null && answersFor(alone, kill, samples) ? alone : null };
}

/** A killed process is reaped within this time, unless it waits for a device or a mount that does not answer. */
export const REAP_MS = 5_000;

/** A worker's process, as far as a kill needs it. */
interface Killable {
  kill(): void;
}

/** The kill of one worker. The first reason counts, and a worker that does not go is stuck. */
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
