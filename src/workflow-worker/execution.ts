/**
 * One execution of a run's function, from the top to its end or to where it is given up. Owns the run's thread: what has
 * happened before is answered from the history, what is new is committed before the thread goes on.
 *
 * 1. A step's result reaches the run only after the kernel has committed it.
 * 2. An execution that was given up is inert: its calls never settle and nothing more is said of the run.
 * 3. Of one that settled exactly one thing is said, and nothing after it.
 * 4. Steps and sleeps settle one after the other, those answered from the history in the order in which they had: a race
 *    has the winner it had.
 * 5. It is not over while a function of one of its steps still runs: no step runs beside the next try of itself, and no
 *    more runs than `concurrency` have code under way.
 */
import type { Json } from "../base/json.ts";
import { retryDelayMs } from "../base/retry.ts";
import { clipLine } from "../base/row-limiter.ts";
import { describeFailure } from "../base/thrown.ts";
import { elapsedMs, startTimer, type Timer } from "../base/timer.ts";
import type { WorkflowMessage, WorkflowParentMessageOf } from "../ipc/workflow-definitions.ts";
import { adviceOf } from "../model/retry-advice.ts";
import type { Blobs, Log, Peers, Run, RunContext, Step, Thread, Trigger } from "../sdk/index.ts";
import { jsonCopy } from "../worker/json-copy.ts";
import { clip } from "../worker/output.ts";
import { readDuration, readStepCall, type StepCall } from "./arguments.ts";
import { author } from "./author.ts";
import type { Commits } from "./commits.ts";
import { stepError } from "./step-error.ts";
import { stepId } from "./step-id.ts";
import { Turns } from "./turns.ts";

export type RunRequest = WorkflowParentMessageOf<"run">;

type Unsigned<Message> = Message extends WorkflowMessage ? Omit<Message, "generation"> : never;
export type Told = Unsigned<WorkflowMessage>;

/** What an execution is run with. */
export interface Setting {
  readonly code: Run;
  readonly options: unknown;
  readonly peers: Peers;
  readonly blobs: Blobs;
  readonly commits: Commits;
  readonly tell: (message: Told) => void;
  /** Sends what was told, before user code may block. */
  readonly flush: () => void;
  /** `log`: counted and not said again; `output`: what a step says each time it runs. */
  readonly say: (event: "log" | "output", ...row: Parameters<Log>) => void;
}

interface Place {
  readonly step: string;
  readonly nth: number;
}

/** `order`: where it settled among the steps and sleeps of the history. */
type Recorded = RunRequest["steps"][number] & { readonly order: number };
type Slept = RunRequest["sleeps"][number] & { readonly order: number };
type Ended = { readonly seq: number; readonly run: number; readonly ranMs: number };
/** Why a run is ended from outside: the message that answers it. */
export type Interruption = "timed-out" | "stopped";

interface Wait {
  readonly untilMs: number;
  readonly timer: Timer;
  /** The sleep that begins with it, until that is recorded. */
  begins: { readonly nth: number; readonly ms: number } | null;
}

type Tried =
  | { readonly kind: "completed"; readonly result: Json }
  | {
      readonly kind: "failed";
      readonly error: string;
      readonly stack: string | null;
      readonly again: boolean;
      readonly waitMs: number;
    };

type Committed =
  | { readonly kind: "completed"; readonly result: Json }
  | { readonly kind: "failed"; readonly error: Error }
  | { readonly kind: "retrying"; readonly waitMs: number };

const DEEPEST_CAUSE = 16;

const never = (): Promise<never> => new Promise(() => {});
const keyOf = ({ step, nth }: Place): string => `${nth} ${step}`;

/** However deep it is: in 64 KiB there is room for more arrays in arrays than calls on a stack. */
function deepFreeze<T>(value: T): T {
  const left: unknown[] = [value];
  while (left.length > 0) {
    const next = left.pop();
    if (typeof next !== "object" || next === null) continue;
    Object.freeze(next);
    for (const field of Object.values(next)) left.push(field);
  }
  return value;
}

export class Execution {
  /** Resolves once the run has settled or this execution was given up. */
  readonly over: Promise<void>;
  readonly #setting: Setting;
  readonly #request: RunRequest;
  readonly #history: ReadonlyMap<string, Recorded>;
  readonly #slept: ReadonlyMap<number, Slept>;
  readonly #abort = new AbortController();
  readonly #startedAt = performance.now();
  readonly #leave: () => void;
  #phase: "running" | "interrupted" | "over" = "running";
  #interruption: Interruption | null = null;
  #timeout: Timer | null = null;
  /** At shutdown: what is under way is finished, nothing begins. */
  #releasing = false;
  /** Calls of the thread the run waits for. */
  readonly #pending = new Set<(error: unknown) => void>();
  readonly #waits = new Set<Wait>();
  readonly #turns: Turns;
  /** Steps that are being tried, until what came of it is committed. */
  #underWay = 0;
  /** Steps whose functions have not settled, and what waits for the last of them. */
  readonly #acting = new Set<Place>();
  #settles: (() => void) | null = null;
  #looking = false;
  readonly #calls = new Map<string, number>();
  #sleeps = 0;
  #logs = 0;
  readonly #failures = new WeakMap<Error, Place>();

  constructor(setting: Setting, request: RunRequest) {
    this.#setting = setting;
    this.#request = request;
    const { steps, sleeps } = request;
    this.#turns = new Turns(steps.length, () => this.#look());
    this.#history = new Map(steps.map((step, order) => [keyOf(step), { ...step, order }]));
    this.#slept = new Map(
      sleeps.map((sleep, index) => [
        sleep.nth,
        { ...sleep, order: sleep.after - 1 + (index + 1) / (sleeps.length + 1) },
      ]),
    );
    const { promise, resolve } = Promise.withResolvers<void>();
    this.over = promise;
    this.#leave = resolve;
  }

  /** Enters user code. */
  begin(): void {
    const { code, options, peers, blobs } = this.#setting;
    const { run, trace, timeoutMs } = this.#request;
    if (timeoutMs !== null) this.#timeout = startTimer(timeoutMs, () => this.interrupt("timed-out"));
    const context: RunContext = Object.freeze({
      signal: this.#abort.signal,
      options: options as RunContext["options"],
      peers,
      blobs,
    });
    const thread = this.#thread();
    const settled = author.run({ run, trace, step: null }, async () => code(thread, context));
    settled.then(
      (output) => this.#returned(output),
      (thrown) => this.#threw(thrown),
    );
  }

  /** Ends the run from outside: it is told, and given the time it takes to settle. */
  interrupt(interruption: Interruption): void {
    if (this.#phase !== "running") return;
    this.#phase = "interrupted";
    this.#interruption = interruption;
    this.#stopTimers();
    const reason =
      interruption === "timed-out"
        ? new DOMException("the run passed its timeout", "TimeoutError")
        : new DOMException("the run was cancelled", "AbortError");
    for (const reject of this.#pending) reject(reason);
    this.#pending.clear();
    this.#abort.abort(reason);
    setImmediate(() => {
      if (this.#phase !== "interrupted") return;
      this.#setting.tell({ type: "overdue", run: this.#request.run });
      this.#setting.flush();
    });
  }

  /** At shutdown: to the end of the steps under way, and no further. */
  release(): void {
    this.#releasing = true;
    if (this.#phase === "over") return this.#leave();
    if (this.#phase !== "running") return;
    this.#stopWaits();
    if (this.#underWay === 0) this.#giveUp();
  }

  get #goesOn(): boolean {
    return this.#phase === "running" && !this.#releasing;
  }

  #thread(): Thread {
    const step = (name: unknown, act: unknown, options?: unknown): Promise<unknown> => {
      const call = readStepCall(name, act, options);
      if (!call.ok) return Promise.reject(new TypeError(call.error));
      return this.#call(`thread.step(${JSON.stringify(call.value.name)})`, () => this.#perform(call.value));
    };
    const sleep = (duration: unknown): Promise<void> => {
      const ms = readDuration("thread.sleep", duration);
      if (!ms.ok) return Promise.reject(new TypeError(ms.error));
      return this.#call("thread.sleep", () => this.#sleep(ms.value));
    };
    const trigger: Trigger = deepFreeze(this.#request.trigger);
    return Object.freeze({ trigger, step: step as Thread["step"], sleep, log: this.#log });
  }

  /**
   * What is logged between steps is counted, so that it is said once; a step says what it says each time it runs, and so
   * does what an attempt does about being ended, which the next one does not come by.
   */
  readonly #log: Log = (...row) => {
    if (this.#phase === "over") return;
    if (this.#phase === "interrupted" || author.getStore()?.step) return this.#setting.say("output", ...row);
    this.#logs++;
    if (this.#logs > this.#request.logged) this.#setting.say("log", ...row);
  };

  /** A call of the thread: settles as `work` does, while the run goes on. */
  #call<T>(what: string, work: () => Promise<T>): Promise<T> {
    if (this.#phase !== "interrupted" && !this.#goesOn) return never();
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    // A step nobody awaits is in the log, too.
    promise.catch(() => {});
    if (this.#phase === "interrupted") {
      reject(this.#abort.signal.reason);
      return promise;
    }
    const inside = author.getStore()?.step ?? null;
    if (inside !== null) {
      const within = `inside the step ${JSON.stringify(inside)}`;
      return Promise.reject(new Error(`${what} is called ${within}: call it between steps`));
    }
    this.#pending.add(reject);
    const settle = (how: () => void): void => {
      if (!this.#goesOn) return;
      this.#pending.delete(reject);
      how();
    };
    work().then(
      (value) => settle(() => resolve(value)),
      (error) => settle(() => reject(error)),
    );
    return promise;
  }

  async #perform(call: StepCall): Promise<Json> {
    const nth = this.#calls.get(call.name) ?? 0;
    this.#calls.set(call.name, nth + 1);
    const place: Place = { step: call.name, nth };
    const past = this.#history.get(keyOf(place));
    if (past && past.state !== "retrying") await this.#turns.at(past.order);
    if (past?.state === "completed") return past.result as Json;
    if (past?.state === "failed") throw this.#failure(place, past.error ?? "", null);
    if (past && past.leftMs > 0) await this.#wait(past.leftMs, null);
    for (let attempt = (past?.attempt ?? 0) + 1; ; attempt++) {
      const tried = await this.#try(call, place, attempt);
      if (tried.kind === "completed") return tried.result;
      if (tried.kind === "failed") throw tried.error;
      await this.#wait(tried.waitMs, null);
    }
  }

  /** One try of a step, until what came of it is committed. */
  async #try(call: StepCall, place: Place, attempt: number): Promise<Committed> {
    const { commits, tell, flush } = this.#setting;
    const head = () => ({ seq: commits.next(), run: this.#request.run, ...place, attempt });
    this.#underWay++;
    tell({ type: "step-started", ...head() });
    flush();
    const startedAt = performance.now();
    const tried = await this.#act(call, place, attempt);
    if (this.#phase !== "running") return never();
    const told = { ...head(), durationMs: elapsedMs(startedAt) };
    const retryInMs = tried.kind === "failed" && tried.again ? retryDelayMs(call.retry, attempt, tried.waitMs) : null;
    if (tried.kind === "completed") {
      tell({ type: "step-completed", ...told, result: tried.result });
    } else {
      tell({ type: "step-failed", ...told, error: tried.error, stack: tried.stack, retryInMs });
    }
    await commits.until(told.seq);
    await this.#turns.next();
    this.#underWay--;
    this.#look();
    if (tried.kind === "completed") return tried;
    if (retryInMs !== null) return { kind: "retrying", waitMs: retryInMs };
    return { kind: "failed", error: this.#failure(place, tried.error, tried.stack) };
  }

  /** Runs the author's function. Never throws. */
  async #act({ name, act }: StepCall, place: Place, attempt: number): Promise<Tried> {
    const { run, trace } = this.#request;
    const step: Step = Object.freeze({
      id: stepId(trace, run, name, place.nth),
      attempt,
      signal: this.#abort.signal,
    });
    this.#acting.add(place);
    try {
      const returned = await author.run({ run, trace, step: name }, async () => act(step));
      const result = jsonCopy(`the result of step ${JSON.stringify(name)}`, returned ?? null);
      if (result.ok) return { kind: "completed", result: result.value };
      return { kind: "failed", error: clipLine(`Error: ${result.error}`), stack: null, again: false, waitMs: 0 };
    } catch (thrown) {
      const { message, stack } = describeFailure(thrown);
      return { kind: "failed", error: clipLine(message), stack: clip(stack), ...adviceOf(thrown) };
    } finally {
      this.#acting.delete(place);
      if (this.#acting.size === 0) this.#settles?.();
    }
  }

  #failure(place: Place, recorded: string, stack: string | null): Error {
    const error = stepError(recorded, stack);
    this.#failures.set(error, place);
    return error;
  }

  async #sleep(ms: number): Promise<void> {
    const nth = this.#sleeps++;
    const recorded = this.#slept.get(nth);
    const leftMs = recorded?.leftMs ?? ms;
    if (recorded?.leftMs === 0) return this.#turns.at(recorded.order);
    if (leftMs <= 0) return;
    await this.#wait(leftMs, recorded === undefined ? { nth, ms } : null);
    await this.#turns.next();
  }

  #wait(ms: number, begins: Wait["begins"]): Promise<void> {
    if (!this.#goesOn) return never();
    const { promise, resolve } = Promise.withResolvers<void>();
    const wait: Wait = {
      untilMs: performance.now() + ms,
      timer: startTimer(ms, () => {
        this.#waits.delete(wait);
        resolve();
        this.#look();
      }),
      begins,
    };
    this.#waits.add(wait);
    this.#look();
    return promise;
  }

  /** Once everything that can go on in this turn has. */
  #look(): void {
    if (this.#looking) return;
    this.#looking = true;
    setImmediate(() => {
      this.#looking = false;
      if (this.#phase === "running") this.#judge();
    });
  }

  #judge(): void {
    if (this.#releasing) {
      if (this.#underWay === 0) this.#giveUp();
      return;
    }
    const beginning = [...this.#waits].flatMap(({ begins }) => begins ?? []);
    const { commits, tell, flush } = this.#setting;
    const head = () => ({ seq: commits.next(), run: this.#request.run });
    if (this.#underWay > 0) {
      for (const sleep of beginning) tell({ type: "sleep", ...head(), ...sleep });
      for (const wait of this.#waits) wait.begins = null;
      return;
    }
    // What is answered from the history goes on first.
    if (this.#waits.size === 0 || !this.#turns.isEmpty) return;
    const now = performance.now();
    const left = [...this.#waits].map(({ begins, untilMs }) => begins?.ms ?? Math.ceil(untilMs - now));
    const leftMs = Math.min(...left);
    // The next one is over: it goes on in a moment.
    if (leftMs <= 0) return;
    tell({ type: "suspended", ...head(), leftMs, sleeps: beginning, ranMs: elapsedMs(this.#startedAt) });
    flush();
    this.#end();
  }

  #stopWaits(): void {
    for (const { timer } of this.#waits) timer.stop();
    this.#waits.clear();
  }

  #stopTimers(): void {
    this.#stopWaits();
    this.#timeout?.stop();
  }

  #giveUp(): void {
    this.#end();
    this.#abort.abort(new DOMException("nerve is stopping", "AbortError"));
  }

  #end(): void {
    this.#becomeInert();
    this.#leave();
  }

  #becomeInert(): void {
    this.#phase = "over";
    this.#stopTimers();
    this.#pending.clear();
    this.#turns.end();
  }

  #returned(output: unknown): void {
    this.#sayLeft(" (is an await missing?)");
    const json = jsonCopy("the run's output", output ?? null);
    this.#settle((ended) =>
      json.ok
        ? { type: "completed", ...ended, lingers: this.#lingers, output: json.value }
        : {
            type: "failed",
            ...ended,
            lingers: this.#lingers,
            again: true,
            error: clipLine(json.error),
            stack: null,
            step: null,
          },
    );
  }

  get #lingers(): boolean {
    return this.#acting.size > 0;
  }

  /** What ends beside its own steps has most likely forgotten to wait for them, or one of several has failed. */
  #sayLeft(remark: string): void {
    if (this.#phase !== "running") return;
    for (const { step } of this.#acting) {
      const message = `step ${JSON.stringify(step)} was under way when the run ended${remark}: its result is not kept`;
      this.#setting.say("output", "warn", message);
    }
  }

  #threw(thrown: unknown): void {
    this.#sayLeft("");
    const { message, stack } = describeFailure(thrown);
    const step = this.#culprit(thrown);
    const { again } = adviceOf(thrown);
    this.#settle((ended) => ({
      type: "failed",
      ...ended,
      lingers: this.#lingers,
      again,
      error: clipLine(message),
      stack: clip(stack),
      step,
    }));
  }

  #settle(told: (ended: Ended) => Told): void {
    if (this.#phase === "over") return;
    if (this.#interruption !== null && this.#lingers) {
      this.#settles = () => this.#settle(told);
      return;
    }
    const { tell } = this.#setting;
    if (this.#interruption === null) tell(told(this.#ended()));
    else tell({ type: this.#interruption, ...this.#ended() });
    if (this.#lingers) this.#linger();
    else this.#end();
  }

  #ended(): Ended {
    return { seq: this.#setting.commits.next(), run: this.#request.run, ranMs: elapsedMs(this.#startedAt) };
  }

  /** It has ended, and is over once the steps it left have settled. */
  #linger(): void {
    this.#becomeInert();
    this.#settles = () => {
      this.#setting.tell({ type: "stopped", ...this.#ended() });
      this.#leave();
    };
    this.#abort.abort(new DOMException("the run has ended", "AbortError"));
  }

  /** The step whose error this is, or is caused by. */
  #culprit(thrown: unknown): Place | null {
    let error = thrown;
    try {
      for (let depth = 0; error instanceof Error && depth < DEEPEST_CAUSE; depth++) {
        const place = this.#failures.get(error);
        if (place) return place;
        error = error.cause;
      }
    } catch {
      // An error whose cause cannot be read has none.
    }
    return null;
  }
}
