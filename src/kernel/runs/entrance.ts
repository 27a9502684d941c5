/**
 * Owns the entrance of a workflow, inside the transaction that asks: the room for runs, and what becomes of an incident's
 * reports that have not begun when the incident resolves.
 */
import { DEFAULT_CONCURRENCY } from "../../config/defaults.ts";
import type { WorkflowConfig } from "../../model/config.ts";
import { isOver } from "../../model/run.ts";
import type { Draft } from "../commits/draft.ts";
import type { LiveRun, RunOrder } from "../memory/run.ts";
import { type Admission, admit, whyFull } from "./admission.ts";
import type { Line } from "./line.ts";

/** The part of a workflow that its entrance needs. */
export interface Entered {
  readonly config: WorkflowConfig;
  /** A worker has loaded the module, and nothing holds new runs back. */
  readonly mayBegin: boolean;
  readonly code: string;
  /** Called when a run has ended by other means than its worker. */
  abandon(run: LiveRun): void;
}

export class Entrance {
  readonly #workflow: Entered;
  readonly #line: Line;

  constructor(workflow: Entered, line: Line) {
    this.#workflow = workflow;
    this.#line = line;
  }

  /** The number of free slots. */
  get free(): number {
    return (this.#workflow.config.concurrency ?? DEFAULT_CONCURRENCY) - this.#line.running;
  }

  /** Queues the run, and starts or drops it where that is decided already. */
  admit(draft: Draft, run: LiveRun, order: RunOrder): Admission {
    const admitted = draft.admitted(this);
    const { config, code } = this.#workflow;
    const mayBegin = this.#workflow.mayBegin && !this.#line.isBeginning();
    if (run.incident !== null && order.trigger.incident?.notification === "resolved") {
      this.#join(draft, run.incident, run.id);
    }
    const isBehind = run.incident !== null && this.#reportsIn(draft, run.incident).length > 0;
    const how = admit(draft, run, order, { ...this.#roomIn(draft), isBehind, mayBegin, code, config, admitted });
    if (run.incident !== null && how !== "dropped") admitted.reports.push(run);
    return how;
  }

  /** The room for runs, after the runs that `draft` has let in. */
  #roomIn(draft: Draft): { readonly running: number; readonly waiting: number; readonly free: number } {
    const { started, queued } = draft.admitted(this);
    const { running, queued: waiting, ready } = this.#line;
    return { running: running + started, waiting: waiting + queued, free: Math.max(0, this.free - ready - started) };
  }

  /** Reports of `incident` that have not ended, as `draft` leaves them. */
  #reportsIn(draft: Draft, incident: string): LiveRun[] {
    const reports = draft.admitted(this).reports.filter((run) => run.incident === incident);
    return [...this.#line.reportsOf(incident), ...reports].filter((run) => {
      const row = draft.row(run);
      return row !== null && !isOver(row.state);
    });
  }

  #unbegun(draft: Draft, incident: string): LiveRun[] {
    return this.#reportsIn(draft, incident).filter((run) => draft.row(run)?.state === "queued");
  }

  /** True when one run more than `granted` may be let in. The reports of `joining` that have not begun make room. */
  hasRoom(draft: Draft, granted: number, joining: string | null): boolean {
    const room = this.#roomIn(draft);
    const joined = joining === null ? 0 : this.#unbegun(draft, joining).length;
    const waiting = Math.max(0, room.waiting + granted - joined);
    return whyFull({ ...room, waiting, config: this.#workflow.config }) === null;
  }

  /** Ends the reports of `incident` that have not begun. Run `into`, which reports the resolution, takes their place. */
  #join(draft: Draft, incident: string, into: number): void {
    for (const run of this.#unbegun(draft, incident)) {
      draft.run(run, { event: "run.joined", data: { into } });
      draft.admitted(this).queued--;
      draft.afterwards(() => this.#workflow.abandon(run));
    }
  }
}
