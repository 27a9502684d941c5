/**
 * Owns the entrance of a workflow, inside the transaction that asks: the room for runs, the runs that wait for others, and the
 * runs that join another run. An incident's reports that have not begun join its resolution, and a reminder that has not begun
 * joins the next. A group joins its first run.
 */
import { DEFAULT_CONCURRENCY } from "../../config/defaults.ts";
import { batchConfigOf, type WorkflowConfig } from "../../model/config.ts";
import { isOver } from "../../model/run.ts";
import type { Draft } from "../commits/draft.ts";
import type { LiveRun, RunOrder } from "../memory/run.ts";
import { type Admission, admit, type Room, whyBatchesFull, whyFull } from "./admission.ts";
import { batchWaitOf } from "./batch-wait.ts";
import type { Line } from "./line.ts";
import { type Reading, type Taken, take } from "./taking.ts";

/** The part of a workflow that its entrance needs. */
export interface Entered {
  readonly config: WorkflowConfig;
  /** A worker has loaded the module, and nothing holds new runs back. */
  readonly mayBegin: boolean;
  readonly code: string;
  deadline(ms: number): { readonly until: number; readonly due: number };
  /** Called when runs have ended because they joined another run. */
  joined(runs: readonly LiveRun[]): void;
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
    run.batch = batchWaitOf(config, order, (ms) => this.#workflow.deadline(ms));
    const mayBegin = this.#workflow.mayBegin && !this.#line.isBeginning();
    this.#join(draft, this.#replacedBy(draft, run, order), run);
    const isBehind = run.incident !== null && this.#reportsIn(draft, run.incident).length > 0;
    const how = admit(draft, run, order, { ...this.#roomIn(draft), isBehind, mayBegin, code, config, admitted });
    if (run.incident !== null && how !== "dropped") admitted.reports.push(run);
    return how;
  }

  /** The room for runs, after the runs that `draft` has let in. */
  #roomIn(draft: Draft): Pick<Room, "running" | "waiting" | "free" | "batched"> {
    const { started, queued, batched } = draft.admitted(this);
    const { running, queued: waiting, ready } = this.#line;
    return {
      running: running + started,
      waiting: waiting + queued,
      free: Math.max(0, this.free - ready - started),
      batched: this.#line.batched + batched,
    };
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

  /** The reports of the same incident that `run` makes superfluous. A batch makes one message of its reminders by itself. */
  #replacedBy(draft: Draft, run: LiveRun, { trigger }: RunOrder): LiveRun[] {
    const notification = trigger.incident?.notification;
    if (run.incident === null) return [];
    if (notification === "resolved") return this.#unbegun(draft, run.incident);
    run.isReminder = notification === "reminded" && run.batch === null;
    return run.isReminder ? this.#unbegun(draft, run.incident).filter(({ isReminder }) => isReminder) : [];
  }

  /** True when one run more than `granted` may be let in. The reports of `joining` that have not begun make room. */
  hasRoom(draft: Draft, granted: number, joining: string | null): boolean {
    const room = this.#roomIn(draft);
    const joined = joining === null ? [] : this.#unbegun(draft, joining);
    const { config } = this.#workflow;
    if (batchConfigOf(config) !== null) {
      const batched = joined.filter(({ batch }) => batch !== null).length;
      return whyBatchesFull(room.batched + granted - batched) === null;
    }
    const waiting = Math.max(0, room.waiting + granted - joined.length);
    return whyFull({ ...room, waiting, config }) === null;
  }

  /** Called when `first` begins, which has waited for others. Whatever of its group is queued joins `first`. */
  take(draft: Draft, first: LiveRun, read: Reading): Taken {
    const taken = take(draft, first, this.#line, read);
    if (taken.runs.length === 0) return taken;
    draft.afterwards(() => this.#line.carry(first, taken.runs));
    this.#join(draft, taken.runs, first);
    return taken;
  }

  /** Ends `runs`, which have not begun. Run `into` takes their place. */
  #join(draft: Draft, runs: readonly LiveRun[], into: LiveRun): void {
    if (runs.length === 0) return;
    const admitted = draft.admitted(this);
    for (const run of runs) {
      draft.run(run, { event: "run.joined", data: { into: into.id } });
      if (run.batch === null) admitted.queued--;
      else admitted.batched--;
    }
    draft.afterwards(() => this.#workflow.joined(runs));
  }
}
