/**
 * What becomes of the incidents of one key, the slow way: time passes in steps, and at each step everything that could
 * happen is asked about anew. Nothing is scheduled, and nothing is remembered of why something waits.
 */
import type { Notification } from "../../../src/model/incident.ts";
import type { IncidentRule } from "../../../src/rules/decision.ts";
import { later } from "./decisions.ts";
import { IncidentLife, type LifeWords, type Move } from "./incident-life.ts";
import { IncidentReports, type Pending } from "./incident-reports.ts";

/** Whatever happens falls on a multiple of it; what holds notifications back ends in between, at half a step. */
export const STEP_MS = 500;
export const LATE_MS = 1_000;

export interface Span {
  readonly from: number;
  readonly to: number;
}

export type Happening =
  | { readonly kind: "signal"; readonly at: number; readonly matches: boolean; readonly clears: boolean }
  | { readonly kind: "ack"; readonly at: number }
  | { readonly kind: "resolve"; readonly at: number };

/** A configuration, from `at` on. */
export interface Edition {
  readonly at: number;
  readonly words: IncidentRule;
  readonly forMs: number | null;
  readonly hasClear: boolean;
  /** `when`, `clear` or `for` is another one than before. */
  readonly decidesAnew: boolean;
}

export interface Story {
  /** In the order of time; the first is there from the beginning. */
  readonly editions: readonly [Edition, ...Edition[]];
  readonly happenings: readonly Happening[];
  /** While nerve is down. */
  readonly downs: readonly Span[];
  /** What holds everything back, and what holds back what one workflow is to report. */
  readonly held: readonly Span[];
  readonly full: ReadonlyMap<string, readonly Span[]>;
  /** As many are open as may be. */
  readonly limited: readonly Span[];
  readonly end: number;
}

export const isWithin = (spans: readonly Span[], at: number): boolean =>
  spans.some(({ from, to }) => from <= at && at < to);

export const isHeld = ({ held, full }: Story, workflow: string, at: number): boolean =>
  isWithin(held, at) || isWithin(full.get(workflow) ?? [], at);

/** What is released at a moment: all that nothing holds, what stops being held at that very moment, or nothing. */
type Released = "all" | "ending" | "none";

interface Owed {
  readonly id: number;
  readonly n: number;
  readonly lasted: number;
  readonly pending: Pending;
}

interface Incident {
  readonly id: number;
  readonly opened: number;
  readonly reports: IncidentReports;
}

export class IncidentModel {
  readonly said: string[] = [];
  readonly #story: Story;
  #edition: Edition;
  readonly #life = new IncidentLife(later);
  #open: Incident | null = null;
  #owed: Owed[] = [];
  #ids = 0;

  constructor(story: Story) {
    this.#story = story;
    this.#edition = story.editions[0];
  }

  run(): string[] {
    for (let at = 0; at <= this.#story.end; at += STEP_MS / 2) {
      if (isWithin(this.#story.downs, at)) continue;
      if (at % STEP_MS !== 0) {
        // Here ends what no clock ends: what is due has had its turn.
        this.#pass(at, (due) => due <= at, "none");
        this.#release(at, "all");
        continue;
      }
      this.#catchUp(at);
      this.#pass(at, (due) => due <= at, "all");
      for (const edition of this.#story.editions) if (edition.at === at && at > 0) this.#edit(edition, at);
      for (const happening of this.#story.happenings) if (happening.at === at) this.#happen(happening, at);
    }
    return this.said;
  }

  /** Nerve was down until now: what passed a moment ago acts at its own time, what passed before acts now. */
  #catchUp(now: number): void {
    if (!this.#story.downs.some(({ to }) => to === now)) return;
    for (let at = now - LATE_MS; at < now; at += STEP_MS / 2) {
      if (isWithin(this.#story.downs, at)) this.#pass(at, (due) => due === at, at % STEP_MS === 0 ? "ending" : "none");
    }
  }

  /** What is open stays, and the next look decides. What another waiting time makes due acts now. */
  #edit(edition: Edition, now: number): void {
    this.#edition = edition;
    if (edition.decidesAnew) this.#life.decidesAnew();
    this.#pass(now, (due) => due <= now, "all");
  }

  /** Until nothing more is due, the first first. */
  #pass(at: number, isDue: (due: number) => boolean, released: Released): void {
    while (this.#one(at, isDue, released));
  }

  #one(at: number, isDue: (due: number) => boolean, released: Released): boolean {
    const { words } = this.#edition;
    const open = this.#open;
    const due = this.#life.due(this.#lifeWords);
    if (open !== null && due !== null && isDue(due.at)) {
      this.#moves(this.#life.acts(), at);
      return true;
    }
    if (this.#release(at, released)) return true;
    const report = open?.reports.due(words).find((one) => isDue(one.at));
    if (report !== undefined) {
      if (report.notification === "escalated") open?.reports.escalates(report.workflow);
      this.#notify(report.notification, report.workflow, at);
      return true;
    }
    if (open === null && due !== null && isDue(due.at)) {
      this.#moves(this.#life.acts(), at);
      return true;
    }
    return false;
  }

  get #lifeWords(): LifeWords {
    const { hasClear, forMs, words } = this.#edition;
    return { hasClear, forMs, resolveAfterMs: words.resolveAfterMs };
  }

  #happen(happening: Happening, at: number): void {
    const open = this.#open;
    if (happening.kind === "ack") {
      if (open === null || open.reports.isAcked) return;
      open.reports.acks();
      this.said.push(`acked ${open.id}`);
    } else if (happening.kind === "resolve") {
      this.#life.resolvedByHand();
      if (open !== null) this.#resolve(at, "by hand");
    } else {
      const { matches, clears } = happening;
      const move = this.#life.hears(this.#lifeWords, { signal: 0, at, matches, clears });
      if (move !== null) this.#moves(move, at);
    }
  }

  #moves({ kind }: Move, at: number): void {
    if (kind === "opens") this.#begin(at);
    else if (kind === "resolves") this.#resolve(at, null);
    else this.said.push(`again ${this.#open?.id}`);
  }

  #begin(at: number): void {
    if (isWithin(this.#story.limited, at)) {
      this.#life.isRefused();
      return void this.said.push("limited");
    }
    const id = ++this.#ids;
    this.said.push(`opened ${id}`);
    this.#open = { id, opened: at, reports: new IncidentReports() };
    this.#notify("opened", this.#edition.words.workflow, at);
  }

  #resolve(at: number, reason: string | null): void {
    const open = this.#open as Incident;
    this.#open = null;
    this.said.push(`resolved ${open.id} ${reason}`);
    for (const workflow of open.reports.heard) {
      const n = ++open.reports.runs;
      const lasted = at - open.opened;
      if (isHeld(this.#story, workflow, at)) {
        this.said.push(`suppressed ${open.id} resolved ${workflow}`);
        this.#owed.push({ id: open.id, n, lasted, pending: { workflow, notification: "resolved", since: at } });
      } else {
        this.#tellOwed(workflow, at);
        this.#say(open.id, "resolved", workflow, n, lasted, 0);
      }
    }
  }

  #notify(notification: Notification, workflow: string, at: number): void {
    const { id, reports } = this.#open as Incident;
    if (!isHeld(this.#story, workflow, at)) return this.#tell(notification, workflow, at);
    if (reports.holds(notification, workflow, at)) this.said.push(`suppressed ${id} ${notification} ${workflow}`);
  }

  #tell(notification: Notification, workflow: string, at: number): void {
    const { id, opened, reports } = this.#open as Incident;
    this.#tellOwed(workflow, at);
    const since = reports.pendingOf(workflow)?.since ?? at;
    reports.tells(notification, workflow, workflow === this.#edition.words.workflow, at);
    this.#say(id, notification, workflow, reports.runs, at - opened, at - since);
  }

  #tellOwed(workflow: string, at: number): void {
    for (const owed of this.#owed.filter(({ pending }) => pending.workflow === workflow)) this.#sayOwed(owed, at);
    this.#owed = this.#owed.filter(({ pending }) => pending.workflow !== workflow);
  }

  /** What nothing holds back any more. */
  #release(at: number, released: Released): boolean {
    if (released === "none") return false;
    const isFree = ({ workflow }: Pending): boolean =>
      !isHeld(this.#story, workflow, at) && (released === "all" || isHeld(this.#story, workflow, at - 1));
    const free = this.#owed.filter(({ pending }) => isFree(pending));
    for (const owed of free) this.#sayOwed(owed, at);
    this.#owed = this.#owed.filter((owed) => !free.includes(owed));
    const pending = this.#open?.reports.pending.filter(isFree) ?? [];
    for (const one of pending) this.#tell(one.notification, one.workflow, at);
    return free.length + pending.length > 0;
  }

  #sayOwed({ id, n, lasted, pending }: Owed, at: number): void {
    this.#say(id, "resolved", pending.workflow, n, lasted, at - pending.since);
  }

  #say(id: number, notification: Notification, workflow: string, n: number, lasted: number, heldMs: number): void {
    this.said.push(`notified ${id} ${notification} ${workflow} run ${n} after ${lasted} held ${heldMs}`);
  }
}
