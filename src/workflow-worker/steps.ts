/**
 * The steps of one execution: answered from the history, or tried. Invariants kept here:
 * 1. A step's result reaches the run only after the kernel has committed it.
 * 2. A step that finishes counts, also when its run was told to end meanwhile.
 * 3. The start of a step is sent before the function of the step is entered. Steps that start in one turn are entered after
 *    one frame.
 */
import type { Json } from "../base/json.ts";
import { retryDelayMs } from "../base/retry.ts";
import { elapsedMs } from "../base/timer.ts";
import type { WorkflowParentMessageOf } from "../ipc/workflow-definitions.ts";
import { adviceOf } from "../model/retry-advice.ts";
import type { Peers, Step } from "../sdk/index.ts";
import { copyWithText } from "../worker/json-copy.ts";
import type { StepCall } from "./arguments.ts";
import { author } from "./author.ts";
import { type Failures, failureOf, failureOfResult, type StepFailure } from "./failures.ts";
import type { Past, StepPlace } from "./past.ts";
import type { Races } from "./races.ts";
import type { Reports } from "./reports.ts";
import { StepId } from "./step-id.ts";
import type { Turns } from "./turns.ts";

/** The execution of which they are steps. */
export interface StepHost {
  readonly request: WorkflowParentMessageOf<"run">;
  readonly signal: AbortSignal;
  readonly past: Past;
  readonly turns: Turns;
  readonly reports: Reports;
  readonly failures: Failures;
  readonly peers: Peers;
  /** The run was not told to end. */
  readonly isRunning: boolean;
  /** The run goes on in another attempt, perhaps: a step that finishes after its end counts. */
  readonly isToBeContinued: boolean;
  wait(ms: number, begins: null): Promise<void>;
  /** Something of the run is under way, until {@link settles} resolves. */
  begins(): void;
  /** Resolves once the report is committed, at its turn. */
  settles(seq: number): Promise<void>;
}

type Tried =
  | { readonly kind: "completed"; readonly result: Json; readonly length: number }
  | { readonly kind: "failed"; readonly failure: StepFailure; readonly again: boolean; readonly waitMs: number };

/** What a try of a step is known by. */
interface Try {
  readonly id: StepId;
  readonly attempt: number;
  readonly signal: AbortSignal;
}

type Committed =
  | { readonly kind: "completed"; readonly result: Json }
  | { readonly kind: "failed"; readonly error: Error }
  | { readonly kind: "retrying"; readonly waitMs: number };

const never = (): Promise<never> => new Promise(() => {});

export class Steps {
  readonly #host: StepHost;
  /** Steps whose functions have not settled. */
  readonly acting = new Map<StepPlace, StepCall>();
  #onceSettled: (() => void) | null = null;
  /** Steps that have started, and whose functions are not entered. */
  #entering = 0;
  #onceEntered: (() => void) | null = null;

  constructor(host: StepHost) {
    this.#host = host;
  }

  /** Steps under way that no race has let go. */
  awaited(races: Races): StepPlace[] {
    return [...this.acting].flatMap(([place, call]) => (races.letGo(call) ? [] : [place]));
  }

  /** Calls `act` when the last function of a step has settled. */
  onceSettled(act: () => void): void {
    this.#onceSettled = act;
  }

  /** Calls `act` when the functions of all steps that have started are entered: at once, or at the end of the turn. */
  onceEntered(act: () => void): void {
    if (this.#entering === 0) act();
    else this.#onceEntered = act;
  }

  async perform(call: StepCall): Promise<Json> {
    const { past: known, turns, failures } = this.#host;
    const { place, past } = known.step(call.name);
    if (past !== null && past.settled !== null) {
      await turns.at(past.settled);
      if (past.failure === null) return past.result as Json;
      throw failures.errorOf(place, past.failure);
    }
    if (past !== null && past.leftMs > 0) await this.#host.wait(past.leftMs, null);
    const { run, trace } = this.#host.request;
    const id = new StepId(trace, past?.keyRun ?? run, place.step, place.nth);
    for (let attempt = (past?.attempt ?? 0) + 1; ; attempt++) {
      const end = await this.#try(call, place, { id, attempt, signal: this.#host.signal });
      if (end.kind === "completed") return end.result;
      if (end.kind === "failed") throw end.error;
      await this.#host.wait(end.waitMs, null);
    }
  }

  /** One try of a step, until what came of it is committed. */
  async #try(call: StepCall, place: StepPlace, step: Try): Promise<Committed> {
    const { name, act, retry } = call;
    const { reports, failures } = this.#host;
    const { attempt } = step;
    this.#host.begins();
    this.acting.set(place, call);
    reports.report({ type: "step-started", ...place, attempt });
    this.#entering++;
    await reports.sent();
    const startedAt = performance.now();
    const acting = this.#act(name, act, step);
    this.#entered();
    const tried = await acting;
    const head = { ...place, attempt, durationMs: elapsedMs(startedAt) };
    if (!this.#host.isRunning) {
      if (tried.kind === "completed" && this.#host.isToBeContinued) {
        reports.report({ type: "step-completed", ...head, result: tried.result }, tried.length);
      }
      this.#leave(place);
      return never();
    }
    if (tried.kind === "completed") {
      const seq = reports.report({ type: "step-completed", ...head, result: tried.result }, tried.length);
      this.#leave(place);
      return this.#committed(seq, tried);
    }
    const { failure, again } = tried;
    const retryInMs = again ? retryDelayMs(retry, attempt, tried.waitMs) : null;
    const seq = reports.report({ type: "step-failed", ...head, ...failure, retryInMs });
    this.#leave(place);
    if (retryInMs !== null) return this.#committed(seq, { kind: "retrying", waitMs: retryInMs });
    await this.#host.settles(seq);
    return { kind: "failed", error: failures.errorOf(place, failure) };
  }

  async #committed(seq: number, end: Committed): Promise<Committed> {
    await this.#host.settles(seq);
    return end;
  }

  #entered(): void {
    this.#entering--;
    if (this.#entering > 0) return;
    this.#onceEntered?.();
    this.#onceEntered = null;
  }

  #leave(place: StepPlace): void {
    this.acting.delete(place);
    if (this.acting.size > 0) return;
    this.#onceSettled?.();
    this.#onceSettled = null;
  }

  /** Runs the author's function. Never throws. */
  async #act(name: string, act: StepCall["act"], { id, attempt, signal }: Try): Promise<Tried> {
    const { run, trace } = this.#host.request;
    const step: Step = {
      get id() {
        return id.value;
      },
      attempt,
      signal,
    };
    try {
      const returned = await author.run({ run, trace, step: name, id, races: null }, async () =>
        act(Object.freeze(step)),
      );
      const result = copyWithText(`the result of step ${JSON.stringify(name)}`, returned ?? null);
      if (result.ok) return { kind: "completed", result: result.value.value, length: result.value.text.length };
      return { kind: "failed", failure: failureOfResult(result.error), again: false, waitMs: 0 };
    } catch (thrown) {
      return { kind: "failed", failure: failureOf(thrown, this.#host.peers), ...adviceOf(thrown) };
    }
  }
}
