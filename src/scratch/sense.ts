/**
 * A sense in a real worker on a scratch copy of its data, for `check` and `once`. Peers are the real databases,
 * which a worker can only read. Limits are the daemon's: a module that never yields, a compute that never settles and a
 * worker that dies all end in an answer.
 */
import { join } from "node:path";
import { SYSTEM_CHANCE } from "../base/chance.ts";
import { formatDuration } from "../base/duration.ts";
import { err, ok, type Result } from "../base/result.ts";
import { traceIds } from "../base/trace-id.ts";
import { type Limits, limitsOf } from "../config/defaults.ts";
import type { EmittedSignals, ParentMessage, WorkerMessage, WorkerMessageOf } from "../ipc/definitions.ts";
import { parseWorkerMessage } from "../ipc/parse.ts";
import { type Problem, problem } from "../model/problem.ts";
import { SENSE_WORKER_ROLE } from "../spawn/own-image.ts";
import {
  describeExit,
  LOAD_HARD_MS,
  spawnWorker,
  type WorkerExit,
  type WorkerProcess,
} from "../spawn/worker-process.ts";
import type { ScratchFolder } from "./folder.ts";
import {
  initOf,
  NEVER_LOADED,
  readyOf,
  type ScratchReady,
  type ScratchSeat,
  type ScratchSense,
  scratchCommand,
  seatOf,
} from "./seat.ts";

/** What it logged or printed. */
export type ScratchLog = Pick<WorkerMessageOf<"log">, "level" | "event" | "message" | "data">;

export type ComputeEnd =
  | { readonly kind: "signal"; readonly payloads: readonly unknown[]; readonly durationMs: number }
  | { readonly kind: "no-signal"; readonly durationMs: number }
  | { readonly kind: "failed"; readonly message: string; readonly stack: string | null; readonly durationMs: number }
  | { readonly kind: "timed-out" | "killed"; readonly message: string; readonly durationMs: number };

const GENERATION = 1;
const COMPUTE = 1;
/** Within this time a worker reports that it starts the compute. */
const SILENCE_MS = 10_000;
/** Within this time a worker leaves that was asked to. */
const LEAVE_MS = 2_000;
export class ScratchWorker {
  readonly database: string;
  readonly logs: ScratchLog[] = [];
  readonly #seat: ScratchSeat;
  readonly #folder: ScratchFolder;
  readonly #process: WorkerProcess<ParentMessage>;
  readonly #ready = Promise.withResolvers<Result<ScratchReady, Problem>>();
  readonly #end = Promise.withResolvers<ComputeEnd>();
  readonly #gone = Promise.withResolvers<void>();
  #limit: ReturnType<typeof setTimeout> | null = null;
  #killedFor: string | null = null;
  #startedAt: number | null = null;
  #isReady = false;
  #isGone = false;

  /** Copies the sense's data into `folder` and starts a worker on it. */
  static start(folder: ScratchFolder, about: ScratchSense): Result<ScratchWorker, Problem> {
    const seat = seatOf(folder, "senses", about);
    if (!seat.ok) return seat;
    try {
      return ok(new ScratchWorker(folder, seat.value));
    } catch (error) {
      return err(problem("worker-not-started", `no worker could be started: ${(error as Error).message}`));
    }
  }

  private constructor(folder: ScratchFolder, seat: ScratchSeat) {
    this.#folder = folder;
    this.#seat = seat;
    this.database = seat.database;
    this.#process = spawnWorker<ParentMessage>(scratchCommand(SENSE_WORKER_ROLE, folder, seat.config), {
      message: (raw) => this.#receive(raw),
      output: (stream, line) =>
        this.logs.push({ level: stream === "stdout" ? "info" : "error", event: "output", message: line, data: null }),
      exit: (exit) => this.#exited(exit),
    });
    folder.admit(this);
    this.#process.send([initOf([seat], GENERATION)]);
    this.#arm(LOAD_HARD_MS, `it ${NEVER_LOADED}`);
  }

  /** Once its databases are migrated and its module is loaded, or what is wrong. */
  get ready(): Promise<Result<ScratchReady, Problem>> {
    return this.#ready.promise;
  }

  /** One compute with these items, JSON texts; call it once, after `ready`. */
  compute(bodies: readonly string[]): Promise<ComputeEnd> {
    const now = Date.now();
    const trace = traceIds(SYSTEM_CHANCE)(now);
    const handed = { origin: "once", at: now, key: null, type: null };
    const items = bodies.map((body, nth) => ({ id: nth + 1, ...handed, body }));
    const inbox = items.length === 0 ? null : items;
    this.#arm(SILENCE_MS, `its worker did not answer for ${formatDuration(SILENCE_MS)}`);
    const { name: sense } = this.#seat.sense;
    const asked = { id: COMPUTE, sense, now, cause: null, trace, inbox, delivered: null };
    this.#process.send([{ type: "compute", generation: GENERATION, computes: [asked] }]);
    return this.#end.promise;
  }

  /** Resolves once the process is gone, by itself or killed. */
  async leave(): Promise<void> {
    if (!this.#isGone) {
      this.#arm(LEAVE_MS, "it did not leave");
      this.#process.send([{ type: "shutdown", generation: GENERATION }]);
    }
    await this.#gone.promise;
  }

  kill(): void {
    this.#process.kill();
  }

  #arm(limitMs: number, why: string): void {
    if (this.#limit) clearTimeout(this.#limit);
    this.#limit = setTimeout(() => {
      this.#killedFor = why;
      this.kill();
    }, limitMs);
  }

  #receive(raw: unknown): void {
    const parsed = parseWorkerMessage(raw);
    if (!parsed.ok) return this.#note(`the worker sent ${parsed.error.what}`);
    const message: WorkerMessage = parsed.value;
    switch (message.type) {
      case "started":
        return this.#started(message);
      case "ready":
        return this.#loaded(message);
      case "log": {
        const { level, event, data } = message;
        this.logs.push({ level, event, message: message.message, data });
        return;
      }
      case "error":
        if (message.id === null) return this.#note(message.message);
        return this.#settle(endOf(message, limitsOf(this.#seat.sense)));
      case "signal":
        for (const row of message.signals)
          this.#settle({ kind: "signal", payloads: payloadsOf(row), durationMs: row.durationMs });
        return;
      case "no-signal":
        for (const { durationMs } of message.computes) this.#settle({ kind: "no-signal", durationMs });
        return;
      case "left-over":
      case "behind":
      case "bye":
        return;
    }
  }

  #note(message: string): void {
    this.logs.push({ level: "error", event: "output", message, data: null });
  }

  #started(message: WorkerMessageOf<"started">): void {
    if (message.id === null) {
      return this.#arm(LOAD_HARD_MS, `its module ${NEVER_LOADED}`);
    }
    this.#startedAt = performance.now();
    const { timeoutMs, gracePeriodMs } = limitsOf(this.#seat.sense);
    const limits = `its timeout of ${formatDuration(timeoutMs)} and grace period of ${formatDuration(gracePeriodMs)}`;
    this.#arm(timeoutMs + gracePeriodMs, `the compute had not settled after ${limits}`);
  }

  #loaded(message: WorkerMessageOf<"ready">): void {
    if (this.#limit) clearTimeout(this.#limit);
    this.#isReady = true;
    const [only] = message.senses;
    if (only !== undefined) this.#ready.resolve(readyOf(this.#seat, only));
  }

  #settle(end: ComputeEnd): void {
    if (this.#limit) clearTimeout(this.#limit);
    this.#end.resolve(end);
  }

  #exited(exit: WorkerExit): void {
    if (this.#limit) clearTimeout(this.#limit);
    this.#isGone = true;
    this.#folder.dismiss(this);
    const how = this.#killedFor ?? describeExit(exit);
    if (!this.#isReady) {
      const kind = this.#killedFor === null ? "worker-died" : "never-settled";
      const message = this.#killedFor ?? `its worker died while it was being loaded: ${how}`;
      this.#ready.resolve(
        err({ ...problem(kind, message), file: this.#seat.module && join(this.#seat.module, "index.ts") }),
      );
    }
    const durationMs = this.#startedAt === null ? 0 : Math.round(performance.now() - this.#startedAt);
    const message = this.#killedFor === null ? `its worker died during the compute: ${how}` : `killed: ${how}`;
    this.#end.resolve({ kind: "killed", message, durationMs });
    this.#gone.resolve();
  }
}

const payloadsOf = ({ payload, more }: EmittedSignals): unknown[] => [
  payload,
  ...(more ?? []).map(({ payload: further }) => further),
];

function endOf(message: WorkerMessageOf<"error">, { timeoutMs }: Limits): ComputeEnd {
  const { durationMs, stack } = message;
  if (message.kind !== "timed-out") return { kind: "failed", message: message.message, stack, durationMs };
  return {
    kind: "timed-out",
    message: `the compute passed its timeout of ${formatDuration(timeoutMs)} and was rolled back`,
    durationMs,
  };
}
