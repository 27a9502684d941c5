/**
 * One execution of a run's function, from the top to its end or to where it is given up. Owns the run's thread: what has happened
 * before is answered from the history, what is new is committed before the thread goes on. Invariants kept here:
 * 1. A step's result, and the end of a sleep beside steps, reach the run only after the kernel has committed them.
 * 2. An execution that was given up is inert: its calls never settle and nothing more is reported of the run.
 * 3. Of an execution that settled exactly one ending is reported, and nothing after it but the steps that still finish.
 * 4. Steps and sleeps settle one after the other, in the order in which they were committed, in every replay.
 * 5. It is not over while a function of one of its steps still runs: no step runs beside the next try of itself, and no
 *    more runs than `concurrency` have code under way.
 */
import { elapsedMs, type Timer } from "../base/timer.ts";
import type { Log, Peers } from "../sdk/index.ts";
import type { SleepCall, StepCall } from "./arguments.ts";
import { author } from "./author.ts";
import { CallOrder, chanceWarning } from "./call-order.ts";
import { contextOf } from "./context.ts";
import { type Ending, endingOf, endingOfThrown, leftWarnings } from "./ending.ts";
import { Failures } from "./failures.ts";
import { givenTo } from "./given.ts";
import { Past } from "./past.ts";
import { followed, Races } from "./races.ts";
import { Reports } from "./reports.ts";
import type { Interruption, RunRequest, Setting } from "./setting.ts";
import { type StepHost, Steps } from "./steps.ts";
import { type ThreadHost, threadOf } from "./thread.ts";
import { Turns } from "./turns.ts";
import { type Beginning, Waits } from "./waits.ts";

const never = (): Promise<never> => new Promise(() => {});

export class Execution implements StepHost, ThreadHost {
  /** Resolves once the run has settled or this execution was given up. */
  readonly over: Promise<void>;
  readonly request: RunRequest;
  readonly past: Past;
  readonly turns: Turns;
  readonly reports: Reports;
  readonly failures = new Failures();
  readonly #order = new CallOrder();
  readonly #races = new Races();
  readonly #setting: Setting;
  readonly #steps: Steps;
  readonly #waits: Waits;
  readonly #abort = new AbortController();
  readonly #startedAt = performance.now();
  readonly #leave: () => void;
  #phase: "running" | "interrupted" | "over" = "running";
  #interruption: Interruption | null = null;
  isToBeContinued = true;
  #timeout: Timer | null = null;
  /** At shutdown: what is under way is finished, nothing begins. */
  #releasing = false;
  /** Calls of the thread the run waits for. */
  readonly #pending = new Set<(error: unknown) => void>();
  /** Tries of steps and ends of sleeps, until what came of them is committed. */
  #underWay = 0;
  #looking = false;
  #logs = 0;

  constructor(setting: Setting, request: RunRequest) {
    this.#setting = setting;
    this.request = request;
    const { timers, commits, sending } = setting;
    const look = (): void => this.#look();
    this.past = new Past(request);
    this.turns = new Turns(this.past.settled, request.loose, timers, look);
    this.reports = new Reports(request.run, commits, sending);
    this.#waits = new Waits(timers, look);
    this.#steps = new Steps(this);
    ({ promise: this.over, resolve: this.#leave } = Promise.withResolvers<void>());
  }

  get peers(): Peers {
    return this.#setting.peers;
  }

  /** Enters user code. */
  begin(): void {
    const { code, peers, timers } = this.#setting;
    const { run, trace, timeoutMs } = this.request;
    if (timeoutMs !== null) this.#timeout = timers.start(timeoutMs, () => this.interrupt("timed-out"));
    const context = contextOf(this.#setting, this.request, this.signal);
    const thread = threadOf(givenTo(this.request), trace, this);
    this.#order.follows();
    const settled = author.run({ run, trace, step: null, id: null, races: this.#races }, async () =>
      code(thread, context),
    );
    const ends = (ending: Ending): void => this.#steps.onceEntered(() => this.#ends(ending));
    settled.then(
      (output) => ends(endingOf(output)),
      (thrown) => ends(endingOfThrown(thrown, this.failures.culpritsOf(thrown), peers)),
    );
  }

  /** Ends the run from outside: it is told, and given the time it takes to settle. */
  interrupt(interruption: Interruption): void {
    if (this.#phase !== "running") return;
    this.#phase = "interrupted";
    this.#interruption = interruption;
    this.isToBeContinued = interruption === "timed-out";
    this.#stopTimers();
    const reason =
      interruption === "timed-out"
        ? new DOMException("the run passed its timeout", "TimeoutError")
        : new DOMException("the run was cancelled", "AbortError");
    for (const reject of this.#pending) reject(reason);
    this.#pending.clear();
    this.#abort.abort(reason);
    setImmediate(() => {
      if (this.#phase === "interrupted") this.reports.overdue();
    });
  }

  /** At shutdown: to the end of the steps under way, and no further. */
  release(): void {
    this.#releasing = true;
    if (this.#phase === "over") return this.#leave();
    if (this.#phase !== "running") return;
    this.#waits.stop();
    if (this.#underWay === 0) this.#giveUp();
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  get isRunning(): boolean {
    return this.#phase === "running";
  }

  get #goesOn(): boolean {
    return this.isRunning && !this.#releasing;
  }

  // ── the thread ───────────────────────────────────────────────────────

  /**
   * A line between steps is counted, so that it is logged once. A line within a step, or of an attempt that was told to
   * end, is logged each time: a replay does not pass it again.
   */
  readonly log: Log = (...row) => {
    if (this.#phase === "over") return;
    if (this.#phase === "interrupted" || author.getStore()?.step) return this.#setting.say("output", ...row);
    this.#logs++;
    if (this.#logs > this.request.logged) this.#setting.say("log", ...row);
  };

  call<T>(work: () => Promise<T>, of: StepCall | null): Promise<T> {
    if (this.#phase !== "interrupted" && !this.#goesOn) return never();
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    // A step nobody awaits is in the log, too.
    promise.catch(() => {});
    if (this.#phase === "interrupted") {
      reject(this.signal.reason);
      return promise;
    }
    this.#pending.add(reject);
    const settle = (how: () => void): void => {
      if (!this.#goesOn) return;
      this.#pending.delete(reject);
      this.#order.follows();
      how();
    };
    work().then(
      (value) => settle(() => resolve(value)),
      (error) => settle(() => reject(error)),
    );
    return followed(promise, of);
  }

  perform(call: StepCall): Promise<unknown> {
    const warn = (): void => this.#setting.warnOnce(chanceWarning(call.name));
    return this.#order.watch(call.name, () => this.#steps.perform(call), warn);
  }

  async sleep({ duration, name, ms }: SleepCall): Promise<void> {
    const { place, past } = this.past.sleep(duration, name);
    if (past !== null && past.settled !== null) return this.turns.at(past.settled);
    const leftMs = past?.leftMs ?? ms;
    if (past === null && leftMs <= 0) return;
    if (leftMs > 0) await this.wait(leftMs, past === null ? { ...place, ms } : null);
    if (!this.#goesOn) return never();
    // What follows from the end of a sleep begins once that end is committed.
    this.begins();
    this.#reportBeginnings(this.#waits.takeBeginnings());
    await this.settles(this.reports.report({ type: "slept", ...place }));
  }

  // ── what is under way ────────────────────────────────────────────────

  begins(): void {
    this.#underWay++;
  }

  async settles(seq: number): Promise<void> {
    await this.reports.committed(seq);
    await this.turns.next();
    this.#underWay--;
    this.#look();
  }

  wait(ms: number, begins: Beginning | null): Promise<void> {
    return this.#goesOn ? this.#waits.wait(ms, begins) : never();
  }

  /** Once everything that can go on in this turn has. */
  #look(): void {
    if (this.#looking) return;
    this.#looking = true;
    setImmediate(() => {
      this.#looking = false;
      if (this.isRunning) this.#judge();
    });
  }

  #judge(): void {
    if (this.#releasing) {
      if (this.#underWay === 0) this.#giveUp();
      return;
    }
    if (this.#underWay > 0) return this.#reportBeginnings(this.#waits.takeBeginnings());
    // What is answered from the history goes on first.
    if (this.#waits.isEmpty || !this.turns.isEmpty) return;
    const sleeps = this.#waits.takeBeginnings();
    const leftMs = this.#waits.leftMs(sleeps);
    // The next one is over: it goes on in a moment.
    if (leftMs <= 0) return this.#reportBeginnings(sleeps);
    this.reports.report({ type: "suspended", leftMs, sleeps, ranMs: this.#ranMs });
    this.reports.flush();
    this.#end();
  }

  #reportBeginnings(beginnings: readonly Beginning[]): void {
    for (const beginning of beginnings) this.reports.report({ type: "sleep", ...beginning });
  }

  #stopTimers(): void {
    this.#waits.stop();
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
    this.turns.end();
  }

  // ── the end ──────────────────────────────────────────────────────────

  get #ranMs(): number {
    return elapsedMs(this.#startedAt);
  }

  get #lingers(): boolean {
    return this.#steps.acting.size > 0;
  }

  /** A run that ends beside its own steps has most likely forgotten to wait for them, or one of several has failed. */
  #ends(ending: Ending): void {
    const warnings = this.isRunning ? leftWarnings(this.#steps.awaited(this.#races), ending) : [];
    for (const warning of warnings) this.#setting.say("output", "warn", warning);
    this.#settle(ending);
  }

  #settle(ending: Ending): void {
    if (this.#phase === "over") return;
    if (this.#interruption === null) {
      this.isToBeContinued = ending.type === "failed";
      this.reports.report({ ...ending, lingers: this.#lingers, ranMs: this.#ranMs });
    } else if (this.#lingers) {
      return this.#steps.onceSettled(() => this.#settle(ending));
    } else {
      this.reports.report({ type: this.#interruption, ranMs: this.#ranMs });
    }
    if (this.#lingers) this.#linger();
    else this.#end();
  }

  /** It has ended, and is over once the steps it left have settled. */
  #linger(): void {
    this.#becomeInert();
    this.#steps.onceSettled(() => {
      this.reports.report({ type: "stopped", ranMs: this.#ranMs });
      this.#leave();
    });
    this.#abort.abort(new DOMException("the run has ended", "AbortError"));
  }
}
