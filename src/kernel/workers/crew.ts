/**
 * The port between a worker's life and those the worker works for: all that differs between senses and workflows. The life
 * asks; a group and a run worker answer.
 */
import type { Result } from "../../base/result.ts";
import type { MalformedMessage } from "../../ipc/definitions.ts";
import type { WorkerCommand } from "../../spawn/worker-process.ts";
import type { Journal } from "../commits/journal.ts";
import type { Ticker } from "../time/ticker.ts";
import type { World } from "../world.ts";
import type { Activity } from "./limits.ts";

/** What a life needs of the kernel. */
export interface LifeHost {
  readonly world: World;
  readonly ticker: Ticker;
  readonly journal: Journal;
  nextGeneration(): number;
}

export interface Death<Task> {
  /** What ended the worker. */
  readonly how: string;
  /** What was under way and may have done it. */
  readonly suspects: readonly Activity<Task>[];
  /** The task that was alone and has to answer for the death, or null. */
  readonly culprit: Activity<Task> | null;
  /** True when the worker was killed because a task had passed its limit. */
  readonly overdue: boolean;
  /** Awake milliseconds. */
  readonly at: number;
}

/** How the tasks of a crew are put into words. */
export interface TaskWords<Task> {
  /** What one task is: `compute`. */
  readonly noun: string;
  /** As in a list: `load`; and as in a sentence: `sense "load"`. */
  nameOf(task: Task): string;
  speakOf(task: Task): string;
  /** Which limit a task has passed. */
  describeLimit(task: Task): string;
}

export interface Crew<Down, Up, Task> extends TaskWords<Task> {
  /** As in logs: `group "system"`. */
  readonly title: string;
  /** Beside the data of every log about the worker. */
  readonly about: { readonly group: string } | { readonly workflow: string };
  /** Of the worker and its children, or null: no limit. */
  readonly memoryBytes: number | null;
  command(): WorkerCommand;
  /** There is something for a worker to do. */
  isWanted(): boolean;
  parse(raw: unknown): Result<Up, MalformedMessage>;
  /** The first message to a new worker. */
  init(generation: number): Down;
  receive(message: Up): void;
  /** A line on the process's own stdout or stderr. */
  output(stream: "stdout" | "stderr", line: string): void;
  /** True when `task` has heard of its end in time: then it answers for its limit, whoever is beside it. */
  wasTold(task: Task): boolean;
  /** `task` has passed its soft limit, and its worker has not reported that. */
  isLate(task: Task): void;
  /** True while the worker owes an answer to what it was sent. */
  awaits(): boolean;
  /** Sends what there is to send. Called at the end of a turn in which something changed. */
  dispatch(): void;
  /** What was under way is so no longer; it may be wanted again. `at`: awake milliseconds. */
  unsettle(running: readonly Activity<Task>[], at: number): void;
  /** After `unsettle`. True: whoever did it is held back, so the next worker starts as the first. */
  died(death: Death<Task>): boolean;
}
