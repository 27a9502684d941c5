/** Owns how runs leave their workflow: what they give back, and who hears of their end. */
import type { LiveRun } from "../memory/run.ts";
import type { Line } from "./line.ts";
import type { RunWorker } from "./run-worker.ts";
import type { Sleepers } from "./sleepers.ts";
import type { WorkflowHost } from "./workflow-host.ts";

export interface ExitsParts {
  readonly workflow: string;
  readonly host: Pick<WorkflowHost, "ended" | "hasRoom">;
  readonly line: Line;
  readonly sleepers: Sleepers;
  readonly worker: RunWorker;
  /** Gives free slots to runs that wait. */
  readonly fill: () => void;
}

export class Exits {
  readonly #parts: ExitsParts;

  constructor(parts: ExitsParts) {
    this.#parts = parts;
  }

  /** A run that has ended no longer has a slot. */
  release(run: LiveRun): void {
    this.#goes(run);
    this.#makesRoom();
  }

  /** Called when runs have joined another run before they began. A commit that is under way frees the run that it begins. */
  joined(runs: readonly LiveRun[]): void {
    for (const run of runs) {
      this.#parts.sleepers.forget(run);
      if (!run.isMovedByCommit) this.#goes(run);
    }
    this.#makesRoom();
  }

  /** Called when a run has ended by other means than its worker. */
  abandon(run: LiveRun): void {
    const { host, line, sleepers, worker } = this.#parts;
    host.ended(run);
    line.forget(run);
    sleepers.forget(run);
    // The slot is free once the code of the run has settled. A commit that is under way frees it itself.
    if (worker.abort(run) || run.isMovedByCommit) return;
    this.release(run);
  }

  /** From now on the run has no slot and waits for none. */
  leaves(run: LiveRun): void {
    this.#parts.line.leaves(run);
    this.#parts.worker.forget(run);
  }

  #goes(run: LiveRun): void {
    this.#parts.host.ended(run);
    run.to("gone");
    this.leaves(run);
    this.#parts.line.goes(run);
  }

  #makesRoom(): void {
    this.#parts.host.hasRoom(this.#parts.workflow);
    this.#parts.fill();
  }
}
