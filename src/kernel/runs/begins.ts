/**
 * Owns the begin of runs in their worker: which runs were sent and are not known to have begun. A run is known to have begun
 * by the worker's `started`, or before that by a note of the worker.
 */
import type { Note, Notes } from "../../ipc/notes.ts";
import { RUN_PLACES } from "../../ipc/workflow-definitions.ts";
import type { WorkflowConfig } from "../../model/config.ts";
import type { LiveRun } from "../memory/run.ts";
import type { Ticker } from "../time/ticker.ts";
import { hardMsOf } from "./run-policy.ts";

interface BeginsParts {
  readonly ticker: Pick<Ticker, "awakeMs" | "awakeAt">;
  /** Awake milliseconds of the worker's newest message. */
  readonly heardAt: () => number;
  /** Called when `run` is known to have begun, at `at` of awake milliseconds. */
  readonly begins: (run: LiveRun, at: number) => void;
  readonly malformed: (what: string) => void;
}

export class Begins {
  readonly #parts: BeginsParts;
  /** Runs that are not known to have begun. */
  readonly #unknown = new Map<number, LiveRun>();
  /** Runs that are known by a note, until their `started` comes. */
  readonly #noted = new Set<number>();

  constructor(parts: BeginsParts) {
    this.#parts = parts;
  }

  /** True while a run was sent that is not known to have begun. */
  get areAwaited(): boolean {
    return this.#unknown.size > 0;
  }

  sends(run: LiveRun): void {
    run.sentAt = this.#parts.ticker.awakeMs();
    this.#unknown.set(run.id, run);
  }

  started(id: number): void {
    if (this.#noted.delete(id)) return;
    const run = this.#unknown.get(id);
    if (run === undefined) return this.#parts.malformed(`"started" of run ${id}, which was not sent`);
    this.#unknown.delete(id);
    this.#parts.begins(run, this.#parts.heardAt());
  }

  /** The shortest time in which a run that is not known to have begun passes its limit. */
  soonestLimitMs(config: WorkflowConfig): number {
    let soonest = Number.POSITIVE_INFINITY;
    for (const run of this.#unknown.values()) soonest = Math.min(soonest, hardMsOf(run, config));
    return soonest;
  }

  /** Takes up what the worker has noted: of runs that were sent, and of which it has said nothing. */
  noted(notes: Notes, areOver: boolean): void {
    for (let place = 0; this.#unknown.size > 0 && place < RUN_PLACES; place++) {
      const note = notes.at(place);
      if (note !== null && note.isOver === areOver) this.#takes(note);
    }
  }

  #takes({ id, forMs }: Note): void {
    const run = this.#unknown.get(id);
    if (run === undefined) return;
    this.#unknown.delete(id);
    this.#noted.add(id);
    // A time that cannot be is not believed.
    const at = this.#parts.ticker.awakeAt(Number.isFinite(forMs) ? Math.max(0, forMs) : 0);
    this.#parts.begins(run, Math.max(run.sentAt, at));
  }

  forget({ id }: LiveRun): void {
    this.#unknown.delete(id);
    this.#noted.delete(id);
  }

  /** Called when the worker is gone. */
  clear(): void {
    this.#unknown.clear();
    this.#noted.clear();
  }
}
