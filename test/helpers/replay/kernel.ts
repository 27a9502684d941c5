/**
 * The kernel's end of one run, scripted: it takes the real messages of a real `Execution`, commits and acknowledges them
 * one by one when its script says so, and hands the run over again from the real fold of its logs. Time passes by hand.
 */
import { err } from "../../../src/base/result.ts";
import { parseWorkflowParentMessage } from "../../../src/ipc/parse-workflow.ts";
import type { WorkflowMessage } from "../../../src/ipc/workflow-definitions.ts";
import { LiveRun } from "../../../src/kernel/memory/run.ts";
import { replayOf } from "../../../src/kernel/runs/replay.ts";
import { afterFailure } from "../../../src/kernel/runs/run-policy.ts";
import { type RunReport, RunReports } from "../../../src/kernel/runs/run-reports.ts";
import type { Slots } from "../../../src/kernel/runs/slots.ts";
import type { Lifetime } from "../../../src/kernel/time/lifetime.ts";
import type { WorkflowConfig } from "../../../src/model/config.ts";
import { problem } from "../../../src/model/problem.ts";
import type { RunEvent } from "../../../src/model/run.ts";
import type { RunRequest } from "../../../src/workflow-worker/setting.ts";
import { randomFrom } from "../runs.ts";
import { HandTimers, immediate } from "./hand-timers.ts";
import type { Program } from "./program.ts";
import { RunLog, TRACE } from "./run-log.ts";
import { ScriptedWorker } from "./scripted-worker.ts";
import type { Life, Script, Story } from "./story.ts";
import { Witness } from "./witness.ts";

const TRIGGER: RunRequest["trigger"] = {
  id: null,
  sense: null,
  host: "here",
  at: null,
  payload: null,
  reflex: null,
  key: null,
  due: null,
  signal: null,
  incident: null,
  batch: null,
};
const MOST_LIVES = 400;
const MOST_POINTS = 5_000;

export class ReplayKernel {
  readonly #script: Script;
  readonly #random: () => number;
  readonly #timers = new HandTimers();
  #log: RunLog;
  readonly #witness: Witness;
  readonly #lives: Life[] = [];
  readonly #ends: RunEvent[] = [];
  readonly #slots: Slots;

  constructor(script: Script) {
    this.#script = script;
    this.#random = randomFrom(script.seed);
    this.#log = new RunLog(this.#random);
    this.#witness = new Witness(this.#log, this.#timers);
    const { retries } = script;
    const retry = retries === 0 ? null : { limit: retries, intervalMs: 5_000, backoff: 1, maxIntervalMs: null };
    const config = { timeoutMs: 1, retry } as WorkflowConfig;
    const nothing = (): void => {};
    this.#slots = {
      ...{ name: "flow", config, location: err(problem("nowhere", "there is no module")), isBusy: true },
      ...{ wantsWorker: () => true, opened: nothing, doesNotLoad: nothing, interrupted: nothing },
      ...{ settled: nothing, release: nothing },
      record: (_, event, kept) => {
        this.#log.record(event);
        kept?.();
      },
      deadline: (ms) => this.#due(ms),
      fails: (_, failure) => {
        if (this.#log.row !== null) {
          this.#log.record(afterFailure(this.#log.row, failure, config, (ms) => this.#due(ms)));
        }
      },
    };
  }

  async run(): Promise<Story> {
    await this.#toItsEnd(null);
    for (let again = 0; again < this.#script.byHand; again++) {
      const before = this.#log;
      this.#log = new RunLog(this.#random, before);
      await this.#toItsEnd(before.run);
    }
    const { rows, newest: end } = this.#log;
    const violations = [...this.#log.violations, ...this.#witness.violations];
    return { rows, lives: this.#lives, end, ends: this.#ends, returned: this.#witness.returned, violations };
  }

  async #toItsEnd(retry_of: number | null): Promise<void> {
    const trigger = {
      id: null,
      sense: null,
      host: "here",
      at: null,
      reflex: null,
      key: null,
      isElement: false,
      due: null,
      incident: null,
    };
    this.#log.append({
      event: "run.queued",
      data: { input: null, trigger, retry_of, from_step: null, decision: null, batch: null },
    });
    this.#log.append({ event: "run.started", data: { attempt: 1, code: "", batch: null, joined: [] } });
    while (!this.#log.isOver) {
      if (this.#lives.length > MOST_LIVES) throw new Error("the run does not end");
      await this.#live();
    }
    this.#ends.push(this.#log.newest);
  }

  #due(ms: number): { until: number; due: number } {
    return { due: this.#timers.time + Math.ceil(ms), until: this.#log.wallMs() };
  }

  async #live(): Promise<void> {
    const { programs, cuts } = this.#script;
    const number = this.#lives.length;
    const program = programs[Math.min(number, programs.length - 1)] as Program;
    const { run } = this.#log;
    const attempt = this.#log.row?.attempt ?? 1;
    const life: Life = { program, run, attempt, sights: [], points: 0, isDead: false };
    this.#lives.push(life);
    const worker = new ScriptedWorker(life, this.#request(), this.#timers, this.#witness.of(life));
    const cut = cuts[number];
    const before = this.#log.rows.length;
    for (;;) {
      await this.#calm(worker, cut?.after === life.points ? this.#script.rounds : null);
      if (cut !== undefined && cut.after === life.points) {
        if (cut.how === "cancel") this.#log.record({ event: "run.cancelled", data: { error: null } });
        if (cut.how === "kill" || cut.how === "cancel") return this.#kill(worker);
        if (cut.how === "release") worker.execution.release();
        else worker.execution.interrupt("timed-out");
        if (cut.how === "release" && worker.isOver) return this.#kill(worker);
      }
      life.points++;
      if (life.points > MOST_POINTS) throw new Error("the worker does not come to an end");
      if (worker.isOver && worker.messages.length === 0) {
        worker.die();
        this.#timers.clear();
        if (this.#log.state === "running") this.#log.resume("restart");
        if (this.#log.state === "sleeping") this.#wake();
        return;
      }
      if (!this.#step(worker) && !(await this.#stirs(worker))) {
        const told = this.#log.rows.slice(before).map(({ event }) => event);
        throw new Error(`nothing goes on: ${told.join(" ")}`);
      }
      if (this.#log.state === "sleeping" && worker.isOver && worker.messages.length === 0) {
        worker.die();
        return this.#wake();
      }
    }
  }

  #request() {
    const raw = {
      type: "run",
      generation: 1,
      run: this.#log.run,
      attempt: this.#log.row?.attempt ?? 1,
      trace: TRACE,
      trigger: TRIGGER,
      cause: null,
      timeoutMs: null,
      ...replayOf(this.#log.history, this.#timers.time),
    };
    const parsed = parseWorkflowParentMessage(JSON.parse(JSON.stringify(raw)));
    if (!parsed.ok || parsed.value.type !== "run") throw new Error("the request is malformed");
    return parsed.value;
  }

  /** Waits until nothing goes on in the worker, or for so many rounds. */
  async #calm(worker: ScriptedWorker, rounds: number | null): Promise<void> {
    if (rounds !== null) {
      for (let round = 0; round < rounds; round++) await immediate();
      return;
    }
    for (let quiet = 0; quiet < 3; ) {
      const before = this.#witness.activity + worker.activity;
      await immediate();
      quiet = this.#witness.activity + worker.activity === before ? quiet + 1 : 0;
    }
  }

  /** Turns that nobody sees take their time. */
  async #stirs(worker: ScriptedWorker): Promise<boolean> {
    const before = this.#witness.activity + worker.activity;
    for (let round = 0; round < 100; round++) {
      await immediate();
      if (this.#witness.activity + worker.activity !== before || !this.#timers.isEmpty) return true;
    }
    return false;
  }

  /** One thing happens. False: there is nothing that could. */
  #step(worker: ScriptedWorker): boolean {
    const choices: (() => void)[] = [];
    const [message] = worker.messages;
    if (message !== undefined) {
      const commit = (): void => {
        worker.messages.shift();
        this.#commit(worker, message);
      };
      choices.push(commit, commit);
    }
    if (worker.committed > worker.acked)
      choices.push(
        () => worker.ack(),
        () => worker.ack(),
      );
    if (!this.#timers.isEmpty && !worker.isOver) choices.push(() => this.#timers.fire());
    // At a shutdown, and while steps linger, their functions still end.
    else if (!this.#timers.isEmpty && choices.length === 0) choices.push(() => this.#timers.fire());
    const chosen = choices[Math.floor(this.#random() * choices.length)];
    chosen?.();
    return chosen !== undefined;
  }

  #commit(worker: ScriptedWorker, message: WorkflowMessage): void {
    if (message.type === "log") {
      if (message.event === "log") this.#log.append("log", message.message);
      return;
    }
    const isOfRun = !["ready", "started", "error", "bye"].includes(message.type);
    if (isOfRun) this.#reportsOf(worker).take(new LiveRun(this.#log.run, "flow", TRACE, null), message as RunReport);
  }

  /** The kernel's own reading of what the worker reports. */
  #reportsOf(worker: ScriptedWorker): RunReports {
    const lifetime = { now: () => this.#timers.time } as Lifetime;
    const nothing = (): void => {};
    const executions = { leaves: nothing, ends: nothing, stopped: nothing, overdue: nothing, clear: nothing };
    return new RunReports(this.#slots, executions, lifetime, (_, seq) => {
      worker.committed = Math.max(worker.committed, seq);
    });
  }

  /** The worker dies: some of what it had said still arrives, and none of it is acknowledged. */
  #kill(worker: ScriptedWorker): void {
    worker.die();
    this.#timers.clear();
    const arrives = Math.floor(this.#random() * (worker.messages.length + 1));
    for (const message of worker.messages.splice(0, arrives)) this.#commit(worker, message);
    this.#timers.time += this.#random() < 0.5 ? 0 : Math.floor(this.#random() * 400);
    if (this.#log.isOver) return;
    if (this.#log.state === "sleeping") return this.#wake();
    this.#log.resume("worker-died");
  }

  /** A sleep, or the wait between two attempts, is over. */
  #wake(): void {
    this.#timers.clear();
    const last = this.#log.newest;
    if (last.event !== "run.sleeping" && last.event !== "run.retrying") throw new Error("the run does not sleep");
    const late = this.#random() < 0.7 ? 0 : Math.floor(this.#random() * 10_000);
    this.#timers.time = Math.max(this.#timers.time, last.data.due + late);
    this.#log.resume(last.event === "run.sleeping" ? "slept" : "retry");
  }
}
