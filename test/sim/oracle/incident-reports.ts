/**
 * What is reported of one incident, to whom, and when: the one model of it. Whoever uses it says what holds a report back, and
 * whether it looks at each moment (`incident-model.ts`) or at the events that a kernel has left (`incidents.ts`). When the incident
 * opens and ends, `incident-life.ts` says.
 */
import type { Notification } from "../../../src/model/incident.ts";

export interface ReportWords {
  readonly workflow: string;
  readonly remindEveryMs: number | null;
  readonly escalate: readonly { readonly afterMs: number; readonly workflow: string }[];
}

/** What is held back of a workflow: the latest that it was to report. */
export interface Pending {
  readonly workflow: string;
  readonly notification: Notification;
  readonly since: number;
}

export interface DueReport {
  readonly notification: "escalated" | "reminded";
  readonly workflow: string;
  readonly at: number;
}

export class IncidentReports {
  isAcked = false;
  /** Runs that report it, so far. */
  runs = 0;
  /** The latest last; of each workflow one at most. */
  pending: readonly Pending[] = [];
  openingReported: number | null = null;
  /** When the workflow of the reflex has reported it last. */
  reported: number | null = null;
  /** Workflows that have reported it, in the order of their first report, and are to report its end. */
  readonly heard = new Set<string>();
  /** Workflows of the entries of `escalate` that have had their turn. */
  #escalated: readonly string[] = [];

  /** What is due beside what is held back: the next entry of `escalate`, and a reminder. One entry comes after the other. */
  due({ workflow, remindEveryMs, escalate }: ReportWords): DueReport[] {
    const { openingReported, reported } = this;
    if (this.isAcked || openingReported === null || reported === null) return [];
    const times = (names: readonly string[], name: string): number => names.filter((one) => one === name).length;
    const entries = escalate.map((entry) => entry.workflow);
    const next = escalate.find(
      (entry, place) => times(this.#escalated, entry.workflow) <= times(entries.slice(0, place), entry.workflow),
    );
    const due: DueReport[] = [];
    if (next !== undefined)
      due.push({ notification: "escalated", workflow: next.workflow, at: openingReported + next.afterMs });
    if (remindEveryMs !== null && this.pendingOf(workflow) === null)
      due.push({ notification: "reminded", workflow, at: reported + remindEveryMs });
    return due;
  }

  pendingOf(workflow: string): Pending | null {
    return this.pending.find((one) => one.workflow === workflow) ?? null;
  }

  /** An entry of `escalate` has its turn, whether or not its report is held back. */
  escalates(workflow: string): void {
    this.#escalated = [...this.#escalated, workflow];
  }

  acks(): void {
    this.isAcked = true;
    this.pending = this.pending.filter(({ notification }) => notification === "opened");
  }

  /** True: nothing of the workflow was held back before. */
  holds(notification: Notification, workflow: string, at: number): boolean {
    const before = this.pendingOf(workflow);
    this.forgets(workflow);
    this.pending = [...this.pending, { workflow, notification, since: before?.since ?? at }];
    return before === null;
  }

  /** What is held back of the workflow is not reported any more. */
  forgets(workflow: string): void {
    this.pending = this.pending.filter((one) => one.workflow !== workflow);
  }

  /** A run of `workflow` reports it. `isOwn`: the reflex names that workflow. */
  tells(notification: Notification, workflow: string, isOwn: boolean, at: number): void {
    this.forgets(workflow);
    if (isOwn) this.reported = at;
    if (notification === "opened") this.openingReported = at;
    this.heard.add(workflow);
    this.runs++;
  }
}
