/**
 * What must be of runs, from their events alone: each begins once and ends once (G3), a decision makes one run (G1), as
 * many run at once as may, in the order in which they were asked for; nothing sleeps less than it was to; no step begins
 * that is finished. Shares nothing with `src/model/run.ts`.
 */
import type { WorkflowConfig } from "../../../src/model/config.ts";
import type { NewLog } from "../../../src/model/log.ts";
import type { Run } from "../../../src/model/run.ts";
import { BatchOracle, type Order, SLACK_MS } from "./batches.ts";
import { Moves } from "./moves.ts";
import { violation } from "./report.ts";
import { ENDINGS, RunRow } from "./run-rows.ts";

/** What may come in which state, and what follows. */
const MAY: Readonly<Record<string, readonly string[]>> = {
  queued: ["run.started", "run.dropped", "run.cancelled", "run.failed", "run.joined"],
  running: [
    "run.resumed",
    "step.started",
    "step.completed",
    "step.failed",
    "sleep.started",
    "sleep.ended",
    "run.sleeping",
    "run.retrying",
    "run.completed",
    "run.failed",
    "run.cancelled",
    "run.timed-out",
  ],
  sleeping: ["run.resumed", "run.cancelled", "run.failed", "step.completed"],
};

/** For as long a disk may take nothing. */
const REMOVED_MS = 150_000;

/** So long the code of a run goes on after its end, at most. */
const LINGERING_MS = 15_000;

/** The worker that a run was given to. */
interface Execution {
  readonly isOver: boolean;
  readonly isGone: boolean;
}

interface Known {
  readonly id: number;
  readonly workflow: string;
  /** What started it; null: somebody did. */
  readonly reflex: string | null;
  /** The incident that it reports. */
  readonly incident: string | null;
  /** The same, and those of the runs that have joined it. */
  readonly reports: Set<string>;
  /** A report of the same incident, or its code, had not ended when it was queued: it is next once that has. */
  hasWaited: boolean;
  /** It has begun or gone on for the worker that its workflow has now. */
  isGiven: boolean;
  readonly trace: string | null;
  state: string;
  attempt: number;
  /** When it may go on, on the axis of elapsed time. */
  due: number | null;
  readonly done: Set<string>;
  lastLog: number;
  readonly row: RunRow;
}

interface Told {
  readonly attempt: number;
  readonly due: number;
  readonly step: string;
  readonly into: number;
  readonly batch: {
    readonly items: readonly { readonly id: number | null; readonly reflex: string }[];
    readonly more: number;
  } | null;
  readonly joined: readonly number[];
}

export class RunOracle {
  readonly runs = new Map<number, Known>();
  readonly active = new Map<number, Known>();
  readonly batches: BatchOracle;
  readonly #counted: Moves;
  /** When the newest report of an incident by a workflow has ended. */
  readonly #reported = new Map<string, { readonly at: number; readonly run: number }>();
  readonly decided = new Map<string, number>();
  /** Of each reflex: the signal and key of each run it started. */
  readonly started = new Map<string, string[]>();
  readonly #running = new Map<string, Set<number>>();
  readonly #queued = new Map<string, number[]>();
  #configs: ReadonlyMap<string, WorkflowConfig> = new Map();
  newest = 0;
  /** Runs of workflows that the newest configuration has no longer; and since when. */
  #left: readonly Known[] = [];
  #leftSince: number | null = null;
  readonly #executions = new Map<number, Execution>();

  constructor(moves = new Moves(), slackMs = SLACK_MS) {
    this.#counted = moves;
    this.batches = new BatchOracle(slackMs);
  }

  configured(configs: ReadonlyMap<string, WorkflowConfig>): void {
    this.#configs = configs;
    this.batches.configured(configs);
    this.#left = [...this.active.values()].filter(({ workflow }) => !configs.has(workflow));
    this.#leftSince = null;
  }

  /** Runs of a workflow that is removed end at once, or as soon as SQLite takes it. */
  #areCancelled(elapsed: number): void {
    if (this.#left.length === 0) return;
    this.#leftSince ??= elapsed;
    if (elapsed - this.#leftSince < REMOVED_MS) return;
    const found = this.#left.find(({ id }) => this.active.has(id));
    this.#left = [];
    if (found !== undefined)
      violation("removed-workflow", `run ${found.id} has not ended, and ${found.workflow} is removed`);
  }

  log(id: number, { at, event, source, run, trace, data }: NewLog, elapsed: number): void {
    if (run === null || !/^(run|step|sleep)\./.test(event) || event === "run.waiting") return;
    if (event === "run.nothing-to-run" || event === "run.long" || event === "run.killed") return;
    this.#areCancelled(elapsed);
    const told = JSON.parse(data ?? "{}");
    if (event === "run.queued") {
      this.#begins(id, run, source.slice("workflow:".length), trace, told, elapsed);
      this.active.get(run)?.row.follows({ id, at, event }, told);
      return;
    }
    const known = this.active.get(run);
    if (known === undefined)
      return violation("one-ending", `run ${run}, which is over, goes on with ${event} (log ${id})`);
    if (!MAY[known.state]?.includes(event))
      violation("run-states", `run ${run} is ${known.state} and comes to ${event}`);
    if (trace !== known.trace) violation("run-trace", `run ${run} has an event of another trace`);
    known.lastLog = id;
    known.row.follows({ id, at, event }, told);
    this.#moves(known, event, told, elapsed);
  }

  #begins(
    id: number,
    run: number,
    workflow: string,
    trace: string | null,
    order: Order & { readonly decision: string | null },
    elapsed: number,
  ): void {
    const { decision, trigger } = order;
    if (run <= this.newest) violation("run-ids", `run ${run} was queued after run ${this.newest}`);
    this.newest = run;
    const incident = decision?.startsWith("incident:") ? decision.slice(0, decision.lastIndexOf(":")) : null;
    const known: Known = {
      id: run,
      workflow,
      reflex: trigger.reflex,
      incident,
      reports: new Set(incident === null ? [] : [incident]),
      hasWaited: false,
      isGiven: false,
      trace,
      state: "queued",
      attempt: 0,
      due: null,
      done: new Set<string>(),
      lastLog: id,
      row: new RunRow(),
    };
    const reported = known.incident === null ? undefined : this.#reported.get(`${workflow} ${known.incident}`);
    known.hasWaited = this.#isBehind(known) || (reported !== undefined && this.#mayLinger(reported, elapsed));
    this.batches.queued(run, workflow, order, known.hasWaited, elapsed);
    this.runs.set(run, known);
    this.active.set(run, known);
    this.#of(this.#queued, workflow, () => []).push(run);
    if (trigger.reflex === null || decision === null) return;
    const name = `${trigger.reflex} ${decision}`;
    const before = this.decided.get(name);
    if (before !== undefined) violation("one-decision", `${name} made the runs ${before} and ${run}`);
    this.decided.set(name, run);
    this.#of(this.started, trigger.reflex, () => []).push(`${trigger.id} ${JSON.stringify(trigger.key)}`);
  }

  #of<T>(map: Map<string, T>, name: string, make: () => T): T {
    const known = map.get(name) ?? make();
    map.set(name, known);
    return known;
  }

  #moves(known: Known, event: string, told: Told, elapsed: number): void {
    const { id: run, workflow, state } = known;
    const running = this.#of(this.#running, workflow, () => new Set<number>());
    const queued = this.#of(this.#queued, workflow, () => [] as number[]);
    const to = (next: string): void => {
      this.#counted.count(`run: ${state} → ${next} (${event})`);
      known.state = next;
    };
    switch (event) {
      case "run.started":
      case "run.resumed": {
        if (event === "run.started") {
          this.#isNext(known, queued);
          this.batches.starts(run, told, elapsed);
        }
        if (known.due !== null && elapsed < known.due)
          violation("slept-less", `run ${run} went on ${known.due - elapsed} ms too early`);
        const most = this.#configs.get(workflow)?.concurrency ?? 1;
        if (!running.has(run) && running.size >= most)
          violation("slots", `run ${run} of ${workflow} runs beside ${[...running]}, and ${most} may`);
        if (known.isGiven) violation("resumed-twice", `run ${run} of ${workflow} goes on, and has not stopped`);
        known.isGiven = true;
        running.add(run);
        known.due = null;
        known.attempt = told.attempt;
        return to("running");
      }
      case "run.sleeping":
      case "run.retrying":
        running.delete(run);
        known.isGiven = false;
        known.due = told.due;
        if (event === "run.retrying" && told.attempt !== known.attempt + 1)
          violation("attempts", `run ${run} comes to attempt ${told.attempt} after ${known.attempt}`);
        return to("sleeping");
      case "step.completed":
        if (known.done.has(told.step)) violation("step-twice", `step ${told.step} of run ${run} completed twice`);
        known.done.add(told.step);
        return to(state);
      case "step.started":
      case "step.failed":
      case "sleep.started":
      case "sleep.ended":
        return to(state);
    }
    const ending = ENDINGS[event];
    if (ending === undefined) return violation("run-states", `nobody knows ${event}`);
    if (event === "run.dropped") this.#drops(run, workflow, queued);
    if (event === "run.joined") {
      this.batches.joins(run, told.into);
      for (const incident of known.reports) this.runs.get(told.into)?.reports.add(incident);
    }
    this.batches.leaves(run);
    running.delete(run);
    const place = queued.indexOf(run);
    if (place >= 0) queued.splice(place, 1);
    this.active.delete(run);
    for (const incident of known.reports) this.#reported.set(`${workflow} ${incident}`, { at: elapsed, run });
    return to(ending);
  }

  /** Whether code of a run that has ended may be under way: for a while, and as long as its worker is not reaped. */
  #mayLinger({ at, run }: { readonly at: number; readonly run: number }, elapsed: number): boolean {
    return elapsed - at < LINGERING_MS || this.#executions.get(run)?.isGone === false;
  }

  /** Whether an earlier report of its incident has not ended. */
  #isBehind({ id, workflow, incident }: Known): boolean {
    if (incident === null) return false;
    for (const other of this.active.values())
      if (other.reports.has(incident) && other.workflow === workflow && other.id < id) return true;
    return false;
  }

  /** In the order in which they were asked for; but reports of one incident one after the other, each next to the other. */
  #isNext(known: Known, queued: number[]): void {
    const { id, workflow } = known;
    if (this.#isBehind(known))
      violation("report-order", `run ${id} of ${workflow} starts before an earlier report ends`);
    const isPassed = (other: number): boolean => this.runs.get(other)?.hasWaited === true || this.batches.has(other);
    const first = queued.find((other) => other === id || !isPassed(other));
    if (first !== id && !isPassed(id))
      violation("first-in-first-out", `run ${id} of ${workflow} started before run ${first}`);
    queued.splice(queued.indexOf(id), 1);
  }

  #drops(run: number, workflow: string, queued: readonly number[]): void {
    const config = this.#configs.get(workflow);
    if (config === undefined || config.overflow === "drop") return;
    // The run itself is in the line by now.
    const waiting = queued.filter((other) => !this.batches.isBeside(other)).length - 1;
    if (waiting < config.maxQueue)
      violation("dropped", `run ${run} of ${workflow} was dropped beside ${waiting} that wait`);
  }

  /** The row is what its events say. */
  row(row: Run): void {
    const known = this.runs.get(row.id);
    if (known === undefined) return violation("run-rows", `run ${row.id} has a row and no event`);
    const [difference] = known.row.differences(row);
    if (difference !== undefined) violation("run-rows", `run ${row.id}: ${difference}`);
  }

  /** A worker is given the run. */
  executes(run: number, worker: Execution): void {
    const before = this.#executions.get(run);
    if (before !== undefined && !before.isOver)
      violation("run-twice", `run ${run} is given to a worker, and is under way`);
    this.#executions.set(run, worker);
  }

  /** The worker of `workflow` has ended, or those of all: what runs goes on in another. */
  workerGone(workflow: string | null): void {
    if (workflow === null) this.#leftSince = null;
    for (const known of this.active.values())
      if (workflow === null || known.workflow === workflow) known.isGiven = false;
  }

  leaves(run: number, worker: object): void {
    if (this.#executions.get(run) === worker) this.#executions.delete(run);
  }

  stepBegins(run: number, step: string): void {
    if (this.runs.get(run)?.done.has(step) === true)
      violation("step-twice", `step ${step} of run ${run} begins, and is finished`);
  }

  /** Whether a run of `reflex` waits that was queued before `run`. */
  waits(reflex: string, isBefore: (run: number) => boolean): boolean {
    for (const known of this.active.values())
      if (known.reflex === reflex && known.state === "queued" && isBefore(known.id)) return true;
    return false;
  }

  /** After a clean stop. */
  stopped(): void {
    for (const { id, state } of this.active.values())
      if (state === "running") violation("clean-stop", `run ${id} is running after a stop`);
  }

  /** After everything has had the time it needs. */
  rested(elapsed: number, patienceMs: number, loads: (workflow: string) => boolean): void {
    for (const { id, state, due, workflow } of this.active.values()) {
      if (!this.#configs.has(workflow))
        violation("removed-workflow", `run ${id} has not ended, and ${workflow} is removed`);
      if (state === "sleeping" && due !== null && due + patienceMs < elapsed)
        violation("lost-run", `run ${id} was to go on ${elapsed - due} ms ago`);
    }
    this.batches.rested(elapsed, patienceMs, (workflow) => {
      const most = this.#configs.get(workflow)?.concurrency ?? 1;
      return loads(workflow) && (this.#running.get(workflow)?.size ?? 0) < most;
    });
  }
}
