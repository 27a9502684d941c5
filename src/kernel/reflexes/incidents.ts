/**
 * Owns the consequences of incident moves: events, rows and runs, in the transaction of the signal or deadline that led to
 * them (G13).
 */
import type { Chance } from "../../base/chance.ts";
import { counted } from "../../base/counted.ts";
import { formatDuration } from "../../base/duration.ts";
import { traceIds } from "../../base/trace-id.ts";
import type { QuietHours } from "../../model/config.ts";
import type { TriggerIncident } from "../../model/incident.ts";
import type { Incident, IncidentEvent } from "../../model/incident-row.ts";
import { spellDecision } from "../../model/run-decision.ts";
import type { IncidentMove, IncidentWorld } from "../../rules/incident-moves.ts";
import type { OwedResolution } from "../../rules/incident-state.ts";
import { severityOf, summaryOf } from "../../rules/summary.ts";
import type { Store } from "../../store/open.ts";
import type { Draft } from "../commits/draft.ts";
import type { Journal } from "../commits/journal.ts";
import type { Workflows } from "../runs/workflows.ts";
import type { Lifetime } from "../time/lifetime.ts";
import { IncidentRows } from "./incident-rows.ts";
import { type IncidentKey, Subjects } from "./incident-subject.ts";
import type { Silences } from "./silences.ts";
import { Suppressions } from "./suppressions.ts";

export interface IncidentsParts {
  readonly lifetime: Lifetime;
  readonly journal: Journal;
  readonly store: Store;
  readonly workflows: Workflows;
  readonly silences: Silences;
  readonly chance: Chance;
}

/** One reflex may have at most this many open incidents. */
export const MAX_OPEN = 1_000;
/** Where incidents open and resolve around the limit, one log says so. */
const SAID_AGAIN_BELOW = MAX_OPEN / 2;

type Notified = Extract<IncidentMove, { kind: "notified" }>;

export class Incidents {
  readonly #parts: IncidentsParts;
  readonly rows: IncidentRows;
  readonly #newTrace: (wallMs: number) => string;
  readonly #suppressions: Suppressions;
  readonly #subjects: Subjects;
  /** Reflexes whose log already says that they have as many incidents as they may have. */
  readonly #saidLimited = new Set<string>();
  /** Asks again for held-back notifications: of all reflexes, or of those that an incident of `inhibitor` holds back. */
  onLook: (inhibitor: string | null) => void = () => {};

  constructor(parts: IncidentsParts) {
    const { lifetime, journal, store, workflows, silences } = parts;
    this.#parts = parts;
    this.#newTrace = traceIds(parts.chance);
    this.rows = new IncidentRows(store, journal);
    this.rows.onResolved = (reflex) => {
      if (this.rows.openOf(reflex) <= SAID_AGAIN_BELOW) this.#saidLimited.delete(reflex);
      this.onLook(reflex);
    };
    const subjects = new Subjects(store);
    this.#subjects = subjects;
    this.#suppressions = new Suppressions({ lifetime, subjects, workflows, silences, rows: this.rows });
  }

  set quietHours(hours: readonly QuietHours[]) {
    this.#suppressions.quietHours = hours;
  }

  get counts(): { readonly open: number; readonly acked: number } {
    const { open } = this.rows;
    return { open: open.length, acked: open.filter(({ state }) => state === "acked").length };
  }

  /** Called when a run of `workflow` has left the queue or a slot. */
  hasRoom(workflow: string): void {
    if (this.#suppressions.hasRoom(workflow)) this.onLook(null);
  }

  /** The present time on the axis of elapsed time. */
  now(): number {
    return this.#parts.lifetime.now();
  }

  // ── what the rule asks ───────────────────────────────────────────────

  /** The world's answers about `of` for one decision. */
  world(draft: Draft, of: IncidentKey): IncidentWorld {
    const granted = new Map<string, number>();
    return {
      scope: of.scope,
      nextId: () => (this.rows.countOf(draft, of.config.name) < MAX_OPEN ? this.rows.nextId(draft) : null),
      suppression: (asked) => {
        const before = granted.get(asked.workflow) ?? 0;
        const suppression = this.#suppressions.over(draft, of, asked, before);
        if (suppression === null) granted.set(asked.workflow, before + 1);
        return suppression;
      },
    };
  }

  // ── what follows ─────────────────────────────────────────────────────

  act(draft: Draft, of: IncidentKey, move: IncidentMove): void {
    const { name } = of.config;
    switch (move.kind) {
      case "opened":
        return this.#opens(draft, of, move.id, move.signal);
      case "again":
        return this.#says(draft, name, "matches again", {
          event: "incident.again",
          data: { incident: move.id, signal: move.signal },
        });
      case "suppressed": {
        const { id: incident, notification, workflow, by } = move;
        const data = { incident, notification, workflow, by };
        const said = `\`${notification}\` waits, held back by ${by.join(", ")}`;
        return this.#says(draft, name, said, { event: "incident.suppressed", data });
      }
      case "notified":
        return this.#report(draft, of, move);
      case "acked": {
        const data = { incident: move.id, by: move.by, why: move.why };
        const said = `is acknowledged by ${move.by}${move.why === null ? "" : `: ${move.why}`}`;
        return this.#says(draft, name, said, { event: "incident.acked", data });
      }
      case "resolved":
        return this.#resolves(draft, name, move.id, move.reason);
      case "limited":
        return this.#sayLimited(name);
    }
  }

  #says(draft: Draft, reflex: string, said: string, event: IncidentEvent): void {
    this.rows.record(draft, { reflex, level: "info", event, said, opening: null });
  }

  #opens(draft: Draft, of: IncidentKey, id: number, signal: number): void {
    const { name: reflex, incident } = of.config;
    const subject = this.#subjects.of(of, signal);
    const severity = severityOf(incident?.severity ?? null, subject);
    const summary = summaryOf(incident?.summary ?? null, subject);
    const data = { incident: id, key: subject.key, severity, summary, signal };
    this.rows.record(draft, {
      reflex,
      level: "warn",
      event: { event: "incident.opened", data },
      said: `opened, ${severity}: ${summary}`,
      opening: subject.trace ?? this.#newTrace(draft.now),
    });
  }

  #resolves(draft: Draft, reflex: string, id: number, reason: string | null): void {
    const openedAt = this.rows.row(draft, id)?.opened_at ?? draft.now;
    const took = formatDuration(Math.max(0, Math.round((draft.now - openedAt) / 1_000) * 1_000));
    const said = `resolved after ${took}${reason === null ? "" : `: ${reason}`}`;
    this.#says(draft, reflex, said, { event: "incident.resolved", data: { incident: id, reason } });
  }

  /** Starts a run that reports the incident. Where its workflow is gone, there is no run and no event. */
  #report(draft: Draft, of: IncidentKey, { id, notification, workflow, n, ...move }: Notified): void {
    const row = this.rows.row(draft, id);
    if (row === null) return;
    const words = of.config.incident;
    const signal = of.newest ?? row.last_signal_id ?? 0;
    const subject = this.#subjects.of(of, signal);
    const severity = notification === "resolved" ? row.severity : severityOf(words?.severity ?? null, subject);
    const summary = summaryOf(words?.summary ?? null, subject);
    // The axis falls back where the clock was set back before a crash: nothing lasts less than no time.
    const [durationMs, suppressedMs] = [Math.max(0, move.durationMs), Math.max(0, move.suppressedMs)];
    const suppressed = { suppressed_ms: suppressedMs, suppressed_by: move.suppressedBy };
    const incident: TriggerIncident = {
      id,
      notification,
      state: row.state,
      reason: row.reason,
      severity,
      summary,
      opened_at: row.opened_at,
      duration_ms: durationMs,
      count: row.count,
      acked_by: row.acked_by,
      ...suppressed,
    };
    const { sense, at, reflex, key, payload: input } = subject;
    const isElement = of.config.each !== null;
    const trigger = { id: subject.id, sense, at, reflex, key, isElement, due: null, incident };
    const decision = spellDecision({ kind: "incident", incident: id, n });
    const run = this.#parts.workflows.start(draft, workflow, { input, trigger, decision }, row.trace);
    if (run === null) return;
    const data = { incident: id, notification, workflow, run, severity, summary, signal, ...suppressed };
    const said = `\`${notification}\` is reported by run ${run} of ${workflow}`;
    this.#says(draft, of.config.name, said, { event: "incident.notified", data });
  }

  #sayLimited(reflex: string): void {
    if (this.#saidLimited.has(reflex)) return;
    this.#saidLimited.add(reflex);
    const message = `it has ${counted(MAX_OPEN, "open incident")}, as many as it may: further keys open none until some resolve`;
    this.#parts.journal.of(`reflex:${reflex}`).warn("incident.limited", message, { open: MAX_OPEN });
  }

  /** Reports a held-back resolution of a reflex that is gone or no longer keeps incidents. */
  endHeld(draft: Draft, of: IncidentKey, { id, opened, resolved, n, held }: OwedResolution): void {
    const { workflow, since, by: suppressedBy } = held;
    const [durationMs, suppressedMs] = [resolved - opened, this.now() - since];
    const move = { id, notification: "resolved", workflow, n, durationMs, suppressedMs, suppressedBy } as const;
    this.#report(draft, of, { kind: "notified", ...move });
  }

  /** Resolves an incident whose key is forgotten. Its workflows that still exist report the resolution. */
  end(draft: Draft, of: IncidentKey, { id, reflex, opened_at }: Incident, reason: string): void {
    const { workflows, runs } = this.#parts.store.incidents.reportedBy(reflex, id);
    this.#resolves(draft, reflex, id, reason);
    const about = { id, durationMs: draft.now - opened_at, suppressedMs: 0, suppressedBy: [] };
    workflows.forEach((workflow, index) => {
      this.#report(draft, of, { kind: "notified", notification: "resolved", workflow, n: runs + index + 1, ...about });
    });
  }
}
