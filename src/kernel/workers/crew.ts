/**
 * Owns the port between a worker's life and the owner of the worker: all differences between senses and workflows. The life
 * asks; a group and a run-worker answer.
 */
import type { Result } from "../../base/result.ts";
import type { MalformedMessage } from "../../ipc/definitions.ts";
import type { Notes } from "../../ipc/notes.ts";
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
  /** A sentence about the end of the worker. */
  readonly how: string;
  /** The tasks that were under way and may be the cause. */
  readonly suspects: readonly Activity<Task>[];
  /** The task that was alone and answers for the death, or null. */
  readonly culprit: Activity<Task> | null;
  /** True when the worker was killed because a task had passed its limit. */
  readonly overdue: boolean;
  /** Awake milliseconds. */
  readonly at: number;
}

/** The words for the tasks of a crew. */
export interface TaskWords<Task> {
  /** The noun for a task: `compute`. */
  readonly noun: string;
  /** The name in a list: `load`. `speakOf` gives the name in a sentence: `sense "load"`. */
  nameOf(task: Task): string;
  speakOf(task: Task): string;
  /** The limit that a task has passed, in words. */
  describeLimit(task: Task): string;
}

export interface Crew<Down, Up, Task> extends TaskWords<Task> {
  /** The name in logs: `group "system"`. */
  readonly title: string;
  /** Stands beside the data of every log about the worker. */
  readonly about: { readonly group: string } | { readonly workflow: string } | { readonly role: string };
  /** Places for the worker's notes of its tasks. 0: the worker says in messages which tasks begin. */
  readonly places: number;
  /** The limit of the worker and its children. Null without a limit. */
  readonly memoryBytes: number | null;
  command(): WorkerCommand;
  /** True when there is work for a worker. */
  isWanted(): boolean;
  parse(raw: unknown): Result<Up, MalformedMessage>;
  /** The first message to a new worker. */
  init(generation: number): Down;
  receive(message: Up): void;
  /** A line on the process's own stdout or stderr. */
  output(stream: "stdout" | "stderr", line: string): void;
  /** True when `task` has heard of its end in time. Then it answers for its limit, also beside other tasks. */
  wasTold(task: Task): boolean;
  /**
   * Begins the tasks that the worker has noted as under way and not said; with `areOver` those that it has noted as over. A
   * note that fits no task which was sent, and has not settled, counts for nothing.
   */
  noted(notes: Notes, areOver: boolean): void;
  /** The shortest time in which a task that was sent may pass a limit. Infinity where the worker says what begins. */
  soonestLimitMs(): number;
  /** `task` has passed its soft limit, and its worker has not reported that. */
  isLate(task: Task): void;
  /** True while the worker owes an answer to what it was sent. */
  awaits(): boolean;
  /** Sends everything that waits. Called at the end of a turn in which something changed. */
  dispatch(): void;
  /** The tasks are no longer under way, and may be wanted again. `at`: awake milliseconds. */
  unsettle(running: readonly Activity<Task>[], at: number): void;
  /** Called after `unsettle`. True when the culprit is held back, so the next worker starts as after a first death. */
  died(death: Death<Task>): boolean;
}
