/** A workflow's worker as the kernel meets it: it replays what a run has done, and goes on with what the program says. */
import type { Json } from "../../src/base/json.ts";
import { RUN_PLACES, type WorkflowParentMessageOf } from "../../src/ipc/workflow-definitions.ts";
import type { Message } from "../helpers/kernel-bench.ts";
import { type Around, Worker } from "./process.ts";

export type Op =
  | {
      readonly kind: "step";
      readonly name: string;
      readonly ms: number;
      readonly retries: number;
      readonly retryMs: number;
    }
  | { readonly kind: "sleep"; readonly ms: number; readonly nth: number }
  /** A message to people. */
  | { readonly kind: "notify"; readonly channel: string };

/** What the code of a workflow does, one thing after the other. */
export type Program = readonly Op[];

/** How often what goes wrong: once in so many steps or runs, 0 never. */
export interface FlowTroubles {
  readonly fails: number;
  readonly dies: number;
  readonly hangs: number;
  readonly lies: number;
  readonly prints: number;
  readonly lingers: number;
  readonly doesNotLoad: number;
  /** A channel takes no message. */
  readonly unheard: number;
}

export interface FlowWatcher {
  began(workflow: string): void;
  runAsked(run: number): void;
  stepBegins(run: number, step: string): void;
  executionEnds(run: number): void;
  /** The kernel is about to hear this. */
  arrived(message: Message): void;
}

type Request = WorkflowParentMessageOf<"run">;

interface Execution {
  readonly request: Request;
  readonly beganAt: number;
  index: number;
  isOver: boolean;
  /** A step's code is under way. */
  isInStep: boolean;
}

const SHORT_MS = 5_000;

export class FlowWorker extends Worker {
  readonly known = new Set<number>();
  workflow = "";
  isReady = false;
  isLeaving = false;
  readonly #programs: ReadonlyMap<string, Program>;
  readonly #now: () => FlowTroubles;
  readonly #watcher: FlowWatcher;
  readonly #executions = new Map<number, Execution>();
  /** What waits for the commit of a report. */
  #waiting: { readonly seq: number; readonly act: () => void }[] = [];
  #seq = 0;
  #entered = 0;

  constructor(
    around: Around,
    programs: ReadonlyMap<string, Program>,
    troubles: () => FlowTroubles,
    watcher: FlowWatcher,
  ) {
    super(around);
    this.#programs = programs;
    this.#now = troubles;
    this.#watcher = watcher;
  }

  get #troubles(): FlowTroubles {
    return this.#now();
  }

  override arrived(message: Message): void {
    this.#watcher.arrived(message);
  }

  receive(message: Message): void {
    switch (message.type) {
      case "init":
        return this.#boot(message as unknown as WorkflowParentMessageOf<"init">);
      case "run":
        return this.#run(message as unknown as Request);
      case "ack":
        return this.#acked(message.upTo as number);
      case "cancel":
        return this.#cancel(message.run as number);
      case "shutdown":
        return this.#leave();
    }
  }

  #boot(init: WorkflowParentMessageOf<"init">): void {
    this.generation = init.generation;
    this.workflow = init.workflow.name;
    this.#watcher.began(this.workflow);
    this.later(5 + this.below(80), () => {
      this.says({ type: "started", run: null });
      const problem = this.oneIn(this.#troubles.doesNotLoad)
        ? { kind: "module-threw", message: "it does not load", hint: null, file: null, line: null, column: null }
        : null;
      this.isReady = true;
      this.says({ type: "ready", problem });
    });
  }

  #acked(upTo: number): void {
    const due = this.#waiting.filter(({ seq }) => seq <= upTo);
    this.#waiting = this.#waiting.filter(({ seq }) => seq > upTo);
    for (const { act } of due) act();
  }

  #run(request: Request): void {
    this.#watcher.runAsked(request.run);
    if (this.isLeaving) return;
    const execution: Execution = { request, beganAt: this.machine.now, index: 0, isOver: false, isInStep: false };
    this.#executions.set(request.run, execution);
    const { timeoutMs } = request;
    this.noted.set(this.#entered++ % RUN_PLACES, { id: request.run, since: this.machine.now });
    this.says({ type: "started", run: request.run });
    if (timeoutMs !== null) this.later(timeoutMs, () => this.#timesOut(execution));
    if (this.oneIn(this.#troubles.lies)) this.#lies(request.run);
    this.later(0, () => this.#goOn(execution));
  }

  #timesOut(execution: Execution): void {
    if (execution.isOver || this.oneIn(this.#troubles.hangs)) return;
    this.#ends(execution, { type: "timed-out" });
  }

  #cancel(run: number): void {
    const execution = this.#executions.get(run);
    if (execution === undefined || execution.isOver || this.oneIn(this.#troubles.hangs)) return;
    this.later(this.below(200), () => this.#ends(execution, { type: "stopped" }));
  }

  #leave(): void {
    this.isLeaving = true;
    for (const execution of this.#executions.values()) if (!execution.isInStep) this.#over(execution);
    this.#maybeLeaves();
  }

  #maybeLeaves(): void {
    if (!this.isLeaving || this.#executions.size > 0) return;
    this.says({ type: "bye" });
    this.exits(0, null);
  }

  #over(execution: Execution): void {
    execution.isOver = true;
    this.#executions.delete(execution.request.run);
    this.#watcher.executionEnds(execution.request.run);
    this.#maybeLeaves();
  }

  /** The execution is over, with this. */
  #ends(execution: Execution, message: Message): void {
    if (execution.isOver) return;
    const ranMs = this.machine.now - execution.beganAt;
    this.says({ seq: ++this.#seq, run: execution.request.run, ranMs, ...message });
    this.#over(execution);
  }

  /** Goes on once this is committed. */
  #tells(execution: Execution, message: Message, act: () => void): void {
    const seq = ++this.#seq;
    this.says({ seq, run: execution.request.run, ...message });
    this.#waiting.push({
      seq,
      act: () => {
        execution.isInStep = false;
        if (execution.isOver) return;
        if (this.isLeaving) return this.#over(execution);
        act();
      },
    });
  }

  #goOn(execution: Execution): void {
    for (;;) {
      if (execution.isOver || this.isOver) return;
      const program = this.#programs.get(this.workflow) ?? [];
      const op = program[execution.index];
      if (op === undefined) return this.#completes(execution);
      if (this.oneIn(this.#troubles.dies)) return this.exits(null, "SIGSEGV");
      if (!this.#does(execution, op)) return;
      execution.index++;
    }
  }

  /** True: what comes next is next. */
  #does(execution: Execution, op: Op): boolean {
    switch (op.kind) {
      case "sleep":
        return this.#sleeps(execution, op);
      case "step":
        return this.#steps(execution, op);
      case "notify": {
        const error = this.oneIn(this.#troubles.unheard) ? "it takes nothing" : null;
        this.says({ type: "notified", run: execution.request.run, channel: op.channel, error });
        return true;
      }
    }
  }

  #completes(execution: Execution): void {
    const output: Json = { done: execution.index };
    const lingers = this.oneIn(this.#troubles.lingers);
    if (!lingers) return this.#ends(execution, { type: "completed", lingers, output });
    const ranMs = this.machine.now - execution.beganAt;
    const { run } = execution.request;
    this.says({ type: "completed", seq: ++this.#seq, run, ranMs, lingers, output });
    execution.isInStep = true;
    this.later(this.below(4_000), () => this.#ends(execution, { type: "stopped" }));
  }

  /** True: it was over before. */
  #sleeps(execution: Execution, { ms, nth }: Extract<Op, { kind: "sleep" }>): boolean {
    const duration = `${ms}ms`;
    const known = execution.request.sleeps.find((sleep) => sleep.duration === duration && sleep.nth === nth);
    if (known !== undefined && known.settled !== null) return true;
    const leftMs = known === undefined ? ms : known.leftMs;
    const sleeps = known === undefined ? [{ duration, name: null, nth, ms }] : [];
    this.#ends(execution, { type: "suspended", leftMs, sleeps });
    return false;
  }

  /** As above. */
  #steps(execution: Execution, op: Extract<Op, { kind: "step" }>): boolean {
    const known = execution.request.steps.find(({ step }) => step === op.name);
    if (known?.state === "completed") return true;
    if (known?.state === "failed") {
      this.#fails(execution, []);
      return false;
    }
    const attempt = known?.state === "retrying" ? known.attempt + 1 : 1;
    if (known?.state === "retrying" && known.leftMs > 0) this.#waits(execution, op, attempt, known.leftMs);
    else this.#begins(execution, op, attempt);
    return false;
  }

  #waits(execution: Execution, op: Extract<Op, { kind: "step" }>, attempt: number, leftMs: number): void {
    if (leftMs > SHORT_MS) return this.#ends(execution, { type: "suspended", leftMs, sleeps: [] });
    this.later(leftMs, () => {
      if (!execution.isOver) this.#begins(execution, op, attempt);
    });
  }

  #begins(execution: Execution, op: Extract<Op, { kind: "step" }>, attempt: number): void {
    const { run } = execution.request;
    const place = { step: op.name, nth: 0, attempt };
    this.#watcher.stepBegins(run, op.name);
    execution.isInStep = true;
    this.says({ type: "step-started", seq: ++this.#seq, run, ...place });
    if (this.oneIn(this.#troubles.prints)) this.prints("stdout", `step ${op.name} of run ${run}`);
    if (this.oneIn(this.#troubles.hangs)) return;
    const ms = this.oneIn(8) ? this.below(10 * op.ms) : this.below(op.ms);
    if (this.oneIn(this.#troubles.dies)) return this.later(ms, () => this.exits(null, "SIGSEGV"));
    this.later(ms, () => this.#settles(execution, op, attempt, ms));
  }

  #settles(execution: Execution, op: Extract<Op, { kind: "step" }>, attempt: number, durationMs: number): void {
    if (execution.isOver) return;
    const place = { step: op.name, nth: 0, attempt, durationMs };
    if (!this.oneIn(this.#troubles.fails)) {
      return this.#tells(execution, { type: "step-completed", ...place, result: attempt }, () => {
        execution.index++;
        this.#goOn(execution);
      });
    }
    const retryInMs = attempt <= op.retries ? op.retryMs : null;
    const failure = { error: "it threw", name: "Error", message: "it threw", stack: null };
    this.#tells(execution, { type: "step-failed", ...place, ...failure, retryInMs }, () => {
      if (retryInMs === null) this.#fails(execution, [{ step: op.name, nth: 0 }]);
      else this.#waits(execution, op, attempt + 1, retryInMs);
    });
  }

  #fails(execution: Execution, steps: readonly { readonly step: string; readonly nth: number }[]): void {
    this.#ends(execution, { type: "failed", lingers: false, again: true, error: "it threw", stack: null, steps });
  }

  #lies(run: number): void {
    const head = { seq: ++this.#seq, ranMs: 1 };
    switch (this.below(4)) {
      case 0:
        return this.says({ type: "gibberish" });
      case 1:
        return this.says({ type: "completed", ...head, run: run + 1_000, lingers: false, output: null });
      case 2:
        return this.says({
          type: "completed",
          ...head,
          run,
          lingers: false,
          output: null,
          generation: this.generation + 1,
        });
      default:
        return this.says({ type: "ready", problem: null });
    }
  }
}
