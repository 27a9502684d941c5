/**
 * Owns the way of a run to the worker: a short run in one message, a long past piece by piece before the `run` that begins
 * it.
 */
import type { WorkflowParentMessage } from "../../ipc/workflow-definitions.ts";
import type { Cause } from "../../model/notice.ts";
import type { LiveRun } from "../memory/run.ts";
import { PastPieces } from "./past-pieces.ts";
import { triggerOf } from "./replay.ts";
import type { Assignment } from "./slots.ts";
import type { RunWorkerHost } from "./workflow-host.ts";

interface Sending {
  readonly assignment: Assignment;
  readonly attempt: number;
  readonly past: PastPieces;
}

/** The worker, as a receiver of messages. */
interface Mailbox {
  /** The worker takes work. */
  readonly isOpen: boolean;
  readonly generation: number;
  post(message: WorkflowParentMessage): void;
  /** The worker owes an answer from now on. */
  expects(): void;
}

interface Receiver {
  /** The last message of a run leaves. This message begins the run. */
  sends(run: LiveRun, assignment: Assignment): void;
  timeLeft(run: LiveRun): number | null;
  /** The twin of the host's `causeOf`. */
  causeOf(assignment: Assignment): Cause | null;
}

export class RunSender {
  readonly #host: RunWorkerHost;
  readonly #life: Mailbox;
  readonly #executions: Receiver;
  readonly #begun = new Map<LiveRun, Sending>();

  constructor(host: RunWorkerHost, life: Mailbox, executions: Receiver) {
    this.#host = host;
    this.#life = life;
    this.#executions = executions;
  }

  /** Runs of which the worker has only pieces. */
  get runs(): readonly LiveRun[] {
    return [...this.#begun.keys()];
  }

  send(run: LiveRun, attempt: number, assignment: Assignment): void {
    this.#next(run, { assignment, attempt, past: new PastPieces(assignment.history) });
  }

  /**
   * Called when the worker has taken a piece. By then the worker may have been asked to leave, and the run may have ended.
   */
  taken(id: number): void {
    if (!this.#life.isOpen) return;
    for (const [run, sending] of this.#begun) if (run.id === id) return this.#next(run, sending);
  }

  isSending(run: LiveRun): boolean {
    return this.#begun.has(run);
  }

  /** Sends no more of a run that has ended. The worker forgets its pieces. */
  takeBack(run: LiveRun): void {
    if (!this.#begun.delete(run)) return;
    this.#life.post({ type: "cancel", generation: this.#life.generation, run: run.id });
  }

  /** Called when the worker is gone. */
  clear(): void {
    this.#begun.clear();
  }

  #next(run: LiveRun, sending: Sending): void {
    const { generation } = this.#life;
    const steps = sending.past.next();
    if (steps !== null) {
      this.#begun.set(run, sending);
      this.#life.post({ type: "past", generation, run: run.id, steps });
      this.#life.expects();
      return;
    }
    this.#begun.delete(run);
    this.#executions.sends(run, sending.assignment);
    this.#life.post({
      type: "run",
      generation,
      run: run.id,
      attempt: sending.attempt,
      trace: run.trace,
      trigger: triggerOf(sending.assignment, this.#host),
      cause: this.#executions.causeOf(sending.assignment),
      timeoutMs: this.#executions.timeLeft(run),
      ...sending.past.rest(this.#host.lifetime.now()),
    });
    this.#life.expects();
  }
}
