/**
 * The kernel's end of one run, scripted: it takes the real messages of a real `Execution`, commits and acknowledges them
 * one by one when its script says so, and hands the run over again from the real fold of its logs. Time passes by hand.
 */
import type { Timers } from "../../src/base/timer.ts";
import { parseWorkflowMessage, parseWorkflowParentMessage } from "../../src/ipc/parse.ts";
import type { WorkflowMessage } from "../../src/ipc/workflow-definitions.ts";
import { historyOf } from "../../src/kernel/runs/history-fold.ts";
import { replayOf } from "../../src/kernel/runs/replay.ts";
import type { RunHistory } from "../../src/kernel/runs/run-history.ts";
import type { Log } from "../../src/model/log.ts";
import { advance, isOver, type Run, type RunEvent, runEventOf } from "../../src/model/run.ts";
import { Commits } from "../../src/workflow-worker/commits.ts";
import { Execution } from "../../src/workflow-worker/execution.ts";
import type { RunRequest, Setting } from "../../src/workflow-worker/setting.ts";
import { stepId } from "../../src/workflow-worker/step-id.ts";
import type { Program, StepNode } from "./random-workflow.ts";
import { runProgram } from "./random-workflow.ts";
import { randomFrom } from "./runs.ts";

export type Cut = "kill" | "release" | "time out";

export interface Script {
  readonly seed: number;
  /** For each life of the worker: after how many points of it, and how, it is cut; afterwards it is left alone. */
  readonly cuts: readonly { readonly after: number; readonly how: Cut }[];
  /** Attempts after the first. */
  readonly retries: number;
  /** The program of each life; the last one stays. */
  readonly programs: readonly Program[];
  /** Rounds of the event loop after a point at which the worker is cut; null: once nothing goes on. */
  readonly rounds: number | null;
}

/** A call that settled, as the code saw it. */
export interface Sight {
  readonly what: string;
  readonly where: string;
  readonly value: string;
}

export interface Life {
  readonly program: Program;
  readonly attempt: number;
  readonly sights: Sight[];
  /** Points at which it could have been cut. */
  points: number;
  /** What its code still does is done by nobody. */
  isDead: boolean;
}

export interface Story {
  readonly rows: readonly Log[];
  readonly lives: readonly Life[];
  readonly end: RunEvent;
  /** Of steps, how often their functions returned. */
  readonly returned: ReadonlyMap<string, number>;
  readonly violations: readonly string[];
}

const TRACE = "7".repeat(32);
const MOST_LIVES = 400;
const MOST_POINTS = 5_000;
const immediate = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Virtual time: moves from one timer to the next. */
class HandTimers implements Timers {
  time = 0;
  readonly #armed = new Set<{ readonly at: number; readonly act: () => void }>();

  now = (): number => this.time;

  start(ms: number, act: () => void) {
    const timer = { at: this.time + ms, act };
    this.#armed.add(timer);
    return { stop: () => void this.#armed.delete(timer) };
  }

  get isEmpty(): boolean {
    return this.#armed.size === 0;
  }

  /** Fires the next one. */
  fire(): void {
    const next = [...this.#armed].reduce((one, other) => (other.at < one.at ? other : one));
    this.#armed.delete(next);
    this.time = Math.max(this.time, next.at);
    next.act();
  }

  clear(): void {
    this.#armed.clear();
  }
}

type Sleeps = Extract<RunEvent, { event: "run.sleeping" }>["data"]["sleeps"];

export class ReplayKernel {
  readonly #script: Script;
  readonly #random: () => number;
  readonly #timers = new HandTimers();
  readonly #rows: Log[] = [];
  readonly #lives: Life[] = [];
  readonly violations: string[] = [];
  #row: Run | null = null;
  /** By what it is of: how often its settling is committed. */
  readonly #committed = new Map<string, number>();
  readonly #returned = new Map<string, number>();
  readonly #failed = new Map<string, number>();
  readonly #completed = new Map<string, number>();
  readonly #firstSlept = new Map<string, number>();
  #activity = 0;

  constructor(script: Script) {
    this.#script = script;
    this.#random = randomFrom(script.seed);
  }

  async run(): Promise<Story> {
    const trigger = { id: null, sense: null, at: null, reflex: null, key: null, isElement: false };
    this.#append({
      event: "run.queued",
      data: { input: null, trigger, retry_of: null, from_step: null, decision: null },
    });
    this.#append({ event: "run.started", data: { attempt: 1, code: "" } });
    while (this.#row !== null && !isOver(this.#row.state)) {
      if (this.#lives.length > MOST_LIVES) throw new Error("the run does not end");
      await this.#live();
    }
    const end = runEventOf(this.#rows.findLast((row) => row.event.startsWith("run.")) as Log)?.event;
    if (end === undefined) throw new Error("the run has no end");
    return { rows: this.#rows, lives: this.#lives, end, returned: this.#returned, violations: this.violations };
  }

  // ── the log ──────────────────────────────────────────────────────────

  #append(event: RunEvent | "log", message = ""): void {
    const name = event === "log" ? event : event.event;
    const id = this.#rows.length + 1;
    // The wall clock goes where it likes: nothing may depend on it.
    const at = Math.floor(this.#random() * 1_000_000);
    const data = event === "log" ? null : JSON.stringify(event.data);
    const row: Log = {
      id,
      at,
      level: "info",
      source: "workflow:flow",
      event: name,
      run: 1,
      trace: TRACE,
      message,
      data,
    };
    this.#rows.push(row);
    if (event === "log") return;
    this.#row = advance(this.#row, { id, at, run: 1, workflow: "flow", trace: TRACE }, event);
    this.#count(event);
  }

  #count({ event, data }: RunEvent): void {
    const add = (of: Map<string, number>, key: string): void => void of.set(key, (of.get(key) ?? 0) + 1);
    if (event === "step.completed") {
      const key = `${data.step} ${data.nth}`;
      add(this.#completed, key);
      if ((this.#completed.get(key) ?? 0) > 1) this.violations.push(`step ${key} completed twice`);
      add(this.#committed, `step ${data.step}`);
    }
    if (event === "step.failed") {
      add(this.#failed, `${data.step} ${data.nth}`);
      if (data.due === null) add(this.#committed, `step ${data.step}`);
    }
  }

  get #history(): RunHistory {
    return historyOf(this.#rows);
  }

  #due(ms: number): { until: number; due: number } {
    const due = this.#timers.time + Math.ceil(ms);
    return { due, until: Math.floor(this.#random() * 1_000_000) };
  }

  // ── one life of the worker ───────────────────────────────────────────

  async #live(): Promise<void> {
    const { programs, cuts, retries } = this.#script;
    const number = this.#lives.length;
    const program = programs[Math.min(number, programs.length - 1)] as Program;
    const life: Life = { program, attempt: this.#row?.attempt ?? 1, sights: [], points: 0, isDead: false };
    this.#lives.push(life);
    const worker = new ScriptedWorker(life, this.#request(), this.#timers, this.#watcher(life));
    const cut = cuts[number];
    const before = this.#rows.length;
    for (;;) {
      await this.#calm(worker, cut?.after === life.points ? this.#script.rounds : null);
      if (cut !== undefined && cut.after === life.points) {
        if (cut.how === "kill") return this.#kill(worker);
        if (cut.how === "release") worker.execution.release();
        else worker.execution.interrupt("timed-out");
        if (cut.how === "release" && worker.isOver) return this.#kill(worker);
      }
      life.points++;
      if (life.points > MOST_POINTS) throw new Error("the worker does not come to an end");
      if (worker.isOver && worker.messages.length === 0) {
        worker.die();
        this.#timers.clear();
        if (this.#row?.state === "running") this.#resume("restart");
        if (this.#row?.state === "sleeping") this.#wake();
        return;
      }
      if (!this.#step(worker, retries) && !(await this.#stirs(worker))) {
        const told = this.#rows.slice(before).map(({ event }) => event);
        throw new Error(`nothing goes on: ${told.join(" ")}`);
      }
      if (this.#row?.state === "sleeping" && worker.isOver && worker.messages.length === 0) {
        worker.die();
        return this.#wake();
      }
    }
  }

  #request() {
    const raw = {
      type: "run",
      generation: 1,
      run: 1,
      attempt: this.#row?.attempt ?? 1,
      trace: TRACE,
      trigger: { id: null, sense: null, at: null, payload: null, reflex: null, key: null, isElement: false },
      timeoutMs: null,
      ...replayOf(this.#history, this.#timers.time),
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
      const before = this.#activity + worker.activity;
      await immediate();
      quiet = this.#activity + worker.activity === before ? quiet + 1 : 0;
    }
  }

  /** Turns that nobody sees take their time. */
  async #stirs(worker: ScriptedWorker): Promise<boolean> {
    const before = this.#activity + worker.activity;
    for (let round = 0; round < 100; round++) {
      await immediate();
      if (this.#activity + worker.activity !== before || !this.#timers.isEmpty) return true;
    }
    return false;
  }

  /** One thing happens. False: there is nothing that could. */
  #step(worker: ScriptedWorker, retries: number): boolean {
    const choices: (() => void)[] = [];
    const [message] = worker.messages;
    if (message !== undefined) {
      const commit = (): void => {
        worker.messages.shift();
        this.#commit(worker, message, retries);
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

  #commit(worker: ScriptedWorker, message: WorkflowMessage, retries: number): void {
    if ("seq" in message) worker.committed = message.seq;
    if (message.type === "log") {
      if (message.event === "log") this.#append("log", message.message);
      return;
    }
    const event = this.#eventOf(message, retries);
    if (event === null || this.#row === null || isOver(this.#row.state)) return;
    this.#append(event);
    if (event.event === "sleep.ended" && "duration" in event.data) {
      const { duration, name } = event.data;
      const key = `sleep ${duration} ${name}`;
      this.#committed.set(key, (this.#committed.get(key) ?? 0) + 1);
    }
  }

  #eventOf(message: WorkflowMessage, retries: number): RunEvent | null {
    switch (message.type) {
      case "step-started": {
        const { step, nth, attempt } = message;
        return { event: "step.started", data: { step, nth, attempt } };
      }
      case "step-completed": {
        const { step, nth, attempt, result } = message;
        return { event: "step.completed", data: { step, nth, attempt, result: result as never, duration_ms: 1 } };
      }
      case "step-failed": {
        const { step, nth, attempt, error, name, message: words, stack, retryInMs } = message;
        const again = retryInMs === null ? { until: null, due: null } : this.#due(retryInMs);
        return {
          event: "step.failed",
          data: { step, nth, attempt, error, name, message: words, stack, duration_ms: 1, ...again },
        };
      }
      case "sleep": {
        const { duration, name, nth, ms } = message;
        return { event: "sleep.started", data: { duration: duration ?? "", name, nth, ...this.#due(ms) } };
      }
      case "slept": {
        const { duration, name, nth } = message;
        return { event: "sleep.ended", data: { duration: duration ?? "", name, nth } };
      }
      case "suspended": {
        const sleeps: Sleeps = message.sleeps.map(({ duration, name, nth, ms }) => ({
          ...{ duration: duration ?? "", name, nth },
          ...this.#due(ms),
        }));
        return { event: "run.sleeping", data: { ...this.#due(message.leftMs), sleeps, ran_ms: 1, reason: "sleep" } };
      }
      case "completed":
        return { event: "run.completed", data: { output: message.output as never, ran_ms: 1 } };
      case "failed":
        return this.#afterFailure(message.error, message.steps, retries);
      case "timed-out":
        return this.#afterFailure("it passed its timeout", [], retries);
      default:
        return null;
    }
  }

  #afterFailure(error: string, steps: { step: string; nth: number }[], retries: number): RunEvent {
    const attempt = (this.#row?.attempt ?? 1) + 1;
    if (attempt > retries + 1) return { event: "run.failed", data: { error, stack: null, steps } };
    return { event: "run.retrying", data: { ...this.#due(5_000), attempt, error, stack: null, steps } };
  }

  /** The worker dies: some of what it had said still arrives, and none of it is acknowledged. */
  #kill(worker: ScriptedWorker): void {
    worker.die();
    this.#timers.clear();
    const arrives = Math.floor(this.#random() * (worker.messages.length + 1));
    for (const message of worker.messages.splice(0, arrives)) this.#commit(worker, message, this.#script.retries);
    this.#timers.time += this.#random() < 0.5 ? 0 : Math.floor(this.#random() * 400);
    if (this.#row === null || isOver(this.#row.state)) return;
    if (this.#row.state === "sleeping") return this.#wake();
    this.#resume("worker-died");
  }

  /** A sleep, or the wait between two attempts, is over. */
  #wake(): void {
    this.#timers.clear();
    const last = runEventOf(this.#rows.findLast((row) => row.event.startsWith("run.")) as Log)?.event;
    if (last?.event !== "run.sleeping" && last?.event !== "run.retrying") throw new Error("the run does not sleep");
    const late = this.#random() < 0.7 ? 0 : Math.floor(this.#random() * 10_000);
    this.#timers.time = Math.max(this.#timers.time, last.data.due + late);
    this.#resume(last.event === "run.sleeping" ? "slept" : "retry");
  }

  #resume(reason: "slept" | "retry" | "restart" | "worker-died"): void {
    const attempt = (this.#row?.attempt ?? 0) + (reason === "retry" ? 1 : 0);
    const before = reason === "slept" ? this.#history.sleeps : null;
    this.#append({ event: "run.resumed", data: { attempt, reason, code: "", deaths: 0, ran_ms: 0 } });
    if (before === null) return;
    for (const [key, { place, settled }] of this.#history.sleeps) {
      if (settled === null || before.get(key)?.settled !== null || !("duration" in place)) continue;
      const what = `sleep ${place.duration} ${place.name}`;
      this.#committed.set(what, (this.#committed.get(what) ?? 0) + 1);
    }
  }

  // ── what the code sees ───────────────────────────────────────────────

  #watcher(life: Life) {
    const seen = new Map<string, number>();
    const calls = new Map<string, number>();
    return {
      settled: (what: string, where: string, value: unknown): void => {
        if (life.isDead) return;
        this.#activity++;
        life.sights.push({ what, where, value: JSON.stringify(value) });
        const count = (seen.get(what) ?? 0) + 1;
        seen.set(what, count);
        const committed = this.#committed.get(what) ?? 0;
        if (count > committed) this.violations.push(`${what} settled ${count} times with ${committed} commits`);
      },
      slept: (key: string, ms: number, isOver: boolean): void => {
        if (life.isDead) return;
        const kind = `${key} ${isOver}`;
        const nth = calls.get(kind) ?? 0;
        calls.set(kind, nth + 1);
        const call = `${key} ${nth}`;
        const now = this.#timers.time;
        if (!isOver) return void (this.#firstSlept.has(call) || this.#firstSlept.set(call, now));
        const began = this.#firstSlept.get(call) ?? now;
        if (now - began < ms) this.violations.push(`${call} was over after ${now - began} ms`);
      },
      act: (node: StepNode, id: string, attempt: number): Promise<unknown> => {
        this.#activity++;
        return life.isDead ? new Promise(() => {}) : this.#act(node, id, attempt);
      },
      own: async (): Promise<void> => {
        this.#activity++;
        await immediate();
        this.#activity++;
      },
    };
  }

  readonly #keys = new Map<string, string>();

  /** The function of a step. */
  #act({ name, ms, fails }: StepNode, id: string, attempt: number): Promise<unknown> {
    const key = this.#keyOf(name, id);
    if (this.#completed.has(key)) this.violations.push(`step ${key} ran after it had completed`);
    const failed = this.#failed.get(key) ?? 0;
    if (attempt > failed + 1) this.violations.push(`step ${key}: try ${attempt} after ${failed} failures`);
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    const error = Object.assign(new Error(`${name} failed`), { name: "Odd" });
    const settle = (): void => {
      if (failed < fails) return reject(error);
      this.#returned.set(key, (this.#returned.get(key) ?? 0) + 1);
      resolve(null);
    };
    if (ms === 0) settle();
    else
      this.#timers.start(ms, () => {
        this.#activity++;
        settle();
      });
    return promise;
  }

  /** `name nth`, of the step with this id. */
  #keyOf(name: string, id: string): string {
    const known = this.#keys.get(id);
    if (known !== undefined) return known;
    const key = placeOf(name, id);
    this.#keys.set(id, key);
    return key;
  }
}

/** The nth of a step's id, found by trying. */
function placeOf(name: string, id: string): string {
  for (let nth = 0; nth < 1_000; nth++) if (stepId(TRACE, 1, name, nth) === id) return `${name} ${nth}`;
  throw new Error(`no step ${name} has the id ${id}`);
}

const NO_TIMER = { stop: () => {} };

/** The worker's end, in this process: a real execution, and the messages it has sent that have not arrived. */
class ScriptedWorker {
  readonly execution: Execution;
  readonly messages: WorkflowMessage[] = [];
  readonly #commits = new Commits();
  activity = 0;
  committed = 0;
  acked = 0;
  isOver = false;
  readonly #life: Life;

  constructor(life: Life, request: RunRequest, timers: Timers, watcher: Parameters<typeof runProgram>[2]) {
    this.#life = life;
    const setting: Setting = {
      code: (thread) => runProgram(life.program, thread, watcher),
      options: {},
      peers: {},
      blobs: { put: () => Promise.reject(), get: () => Promise.reject() },
      timers: { now: timers.now, start: (ms, act) => (life.isDead ? NO_TIMER : timers.start(ms, act)) },
      commits: this.#commits,
      tell: (message) => this.#tell({ ...message, generation: 1 }),
      flush: () => {},
      say: (event, level, message) =>
        this.#tell({ type: "log", generation: 1, run: 1, event, level, trace: null, message, data: null, dropped: 0 }),
    };
    this.execution = new Execution(setting, request);
    void this.execution.over.then(() => {
      this.activity++;
      this.isOver = true;
    });
    this.execution.begin();
  }

  #tell(raw: unknown): void {
    if (this.#life.isDead) return;
    this.activity++;
    const parsed = parseWorkflowMessage(JSON.parse(JSON.stringify(raw)));
    if (!parsed.ok) throw new Error(`malformed: ${parsed.error.what} ${JSON.stringify(raw)}`);
    this.messages.push(parsed.value);
  }

  ack(): void {
    this.acked = this.committed;
    this.#commits.upTo(this.acked);
  }

  die(): void {
    this.#life.isDead = true;
  }
}
