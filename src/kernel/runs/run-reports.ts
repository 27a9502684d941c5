/**
 * Owns a worker's reports about a run under way, as events of the run's log. The thread waits for the commit of a report
 * that carries its result. `ack` is called after that commit.
 */
import type { WorkflowMessage, WorkflowMessageOf } from "../../ipc/workflow-definitions.ts";
import type { RunEvent, RunEventData } from "../../model/run.ts";
import type { CountedSleep, SleepPlace } from "../../model/run-places.ts";
import type { LiveRun } from "../memory/run.ts";
import type { Lifetime } from "../time/lifetime.ts";
import { timeoutPassed } from "./run-policy.ts";
import type { Slots } from "./slots.ts";

/** A message about one run. */
export type RunReport = Exclude<WorkflowMessage, { type: "ready" | "started" | "log" | "notified" | "error" | "bye" }>;

type Slept = WorkflowMessageOf<"suspended">["sleeps"][number];
type Numbered = { readonly generation: number; readonly seq: number };

/** Reports that a lingering run still makes: a step that finishes counts. */
const LINGERS: ReadonlySet<RunReport["type"]> = new Set(["step-completed", "stopped"]);

/** True when a message about `run` is believed, because the run is under way in the worker. */
export const isHeard = (run: LiveRun, type: RunReport["type"]): boolean =>
  run.phase === "under-way" || (run.phase === "lingering" && LINGERS.has(type));

/** A sleep without a duration was begun by an earlier version. */
const placeOf = ({ duration, name, nth }: WorkflowMessageOf<"slept"> | Slept): SleepPlace | CountedSleep =>
  duration === null ? { nth } : { duration, name, nth };

/** Hears about the executions in a worker. */
export interface ExecutionEnds {
  /** The execution is over. */
  leaves(run: LiveRun): void;
  /** The function of the run has returned. With `lingers` functions of its steps are still under way. */
  ends(run: LiveRun, lingers: boolean): void;
  /** The code of a run that has ended has settled. */
  stopped(run: LiveRun): void;
  /** The run was told to end, and had not settled then. */
  overdue(run: LiveRun): void;
  /** The run has finished a step, and has not killed its worker. */
  clear(run: LiveRun): void;
}

/** The report `seq` of the worker of `generation` is committed. */
type Acknowledge = (generation: number, seq: number) => void;

export class RunReports {
  readonly #slots: Slots;
  readonly #executions: ExecutionEnds;
  readonly #lifetime: Lifetime;
  readonly #ack: Acknowledge;

  constructor(slots: Slots, executions: ExecutionEnds, lifetime: Lifetime, ack: Acknowledge) {
    this.#slots = slots;
    this.#executions = executions;
    this.#lifetime = lifetime;
    this.#ack = ack;
  }

  take(run: LiveRun, message: RunReport): void {
    switch (message.type) {
      case "step-started": {
        const { step, nth, attempt } = message;
        run.stepsBegun++;
        return this.#slots.record(run, { event: "step.started", data: { step, nth, attempt } }, null);
      }
      case "step-completed":
        return this.#stepCompleted(run, message);
      case "step-failed":
        return this.#stepFailed(run, message);
      case "sleep": {
        const data = { ...placeOf(message), ...this.#slots.deadline(message.ms) };
        return this.#recordAndAck(run, message, { event: "sleep.started", data });
      }
      case "slept":
        return this.#recordAndAck(run, message, { event: "sleep.ended", data: placeOf(message) });
      case "suspended":
        return this.#suspended(run, message);
      case "completed":
        return this.#completed(run, message);
      case "failed": {
        this.#executions.ends(run, message.lingers);
        const { error, stack, steps, again } = message;
        return this.#slots.fails(run, { error, stack, steps, how: again ? "threw" : "for-good" });
      }
      case "timed-out": {
        this.#executions.leaves(run);
        const error = timeoutPassed(this.#slots.config);
        return this.#slots.fails(run, { error, stack: null, steps: [], how: "timed-out" });
      }
      case "overdue":
        return this.#executions.overdue(run);
      case "stopped":
        return this.#executions.stopped(run);
    }
  }

  #stepCompleted(run: LiveRun, message: WorkflowMessageOf<"step-completed">): void {
    const { step, nth, attempt, result, durationMs: duration_ms } = message;
    const data = { step, nth, attempt, result: result as RunEventData["step.completed"]["result"], duration_ms };
    this.#recordAndAck(run, message, { event: "step.completed", data }, () => {
      run.deaths = 0;
      this.#executions.clear(run);
    });
  }

  #stepFailed(run: LiveRun, message: WorkflowMessageOf<"step-failed">): void {
    const { step, nth, attempt, error, name, stack, durationMs: duration_ms, retryInMs } = message;
    const again = retryInMs === null ? { until: null, due: null } : this.#slots.deadline(retryInMs);
    const data = { step, nth, attempt, error, name, message: message.message, stack, duration_ms, ...again };
    this.#recordAndAck(run, message, { event: "step.failed", data });
  }

  #suspended(run: LiveRun, message: WorkflowMessageOf<"suspended">): void {
    this.#executions.leaves(run);
    const now = this.#lifetime.now();
    const { due, until } = this.#slots.deadline(message.leftMs, now);
    const sleeps = message.sleeps.map((sleep) => ({ ...placeOf(sleep), ...this.#slots.deadline(sleep.ms, now) }));
    const ran_ms = Math.round(run.ranMs + message.ranMs);
    const data = { until, due, sleeps, ran_ms, reason: "sleep" } as const;
    this.#slots.record(run, { event: "run.sleeping", data }, () => {
      run.ranMs = ran_ms;
      run.cleared++;
      this.#slots.settled(run, { due, reason: "slept" });
    });
  }

  #completed(run: LiveRun, message: WorkflowMessageOf<"completed">): void {
    this.#executions.ends(run, message.lingers);
    const ran_ms = Math.round(run.ranMs + message.ranMs);
    const output = message.output as RunEventData["run.completed"]["output"];
    this.#slots.record(run, { event: "run.completed", data: { output, ran_ms } }, () => this.#slots.settled(run, null));
  }

  /** Records an event for whose commit the thread waits. */
  #recordAndAck(run: LiveRun, { generation, seq }: Numbered, event: RunEvent, kept: () => void = () => {}): void {
    this.#slots.record(run, event, () => {
      this.#ack(generation, seq);
      kept();
    });
  }
}
