/** Owns the holds on notifications: a silence, an incident of another reflex, quiet hours, a full queue. */
import type { QuietHours } from "../../model/config.ts";
import { incidentOf, spellDecision } from "../../model/run-decision.ts";
import type { Asked, Suppression } from "../../rules/incident-moves.ts";
import { quietUntil } from "../../rules/quiet-hours.ts";
import { fixedSeverity, severityOf } from "../../rules/summary.ts";
import type { Draft } from "../commits/draft.ts";
import type { Workflows } from "../runs/workflows.ts";
import type { Lifetime } from "../time/lifetime.ts";
import type { IncidentRows } from "./incident-rows.ts";
import type { IncidentKey, Subjects } from "./incident-subject.ts";
import type { Silences } from "./silences.ts";

export interface SuppressionsParts {
  readonly lifetime: Lifetime;
  readonly subjects: Subjects;
  readonly workflows: Workflows;
  readonly silences: Silences;
  readonly rows: IncidentRows;
}

export class Suppressions {
  readonly #parts: SuppressionsParts;
  /** Workflows whose full queue holds a notification back. */
  readonly #awaited = new Set<string>();
  quietHours: readonly QuietHours[] = [];

  constructor(parts: SuppressionsParts) {
    this.#parts = parts;
  }

  /** Called when a run of `workflow` has left the queue or a slot. True when a notification was held back for that. */
  hasRoom(workflow: string): boolean {
    return this.#awaited.delete(workflow);
  }

  /**
   * Null where nothing holds the notification back. `granted` is the number of runs of that workflow that the same decision
   * starts.
   */
  over(draft: Draft, of: IncidentKey, asked: Asked, granted: number): Suppression | null {
    const { elapsed } = asked;
    const { name, incident } = of.config;
    const by: string[] = [];
    const ends: number[] = [];
    const silence = this.#parts.silences.over(name, elapsed);
    if (silence !== null) {
      by.push("silence");
      ends.push(silence.due);
    }
    for (const other of incident?.inhibitedBy ?? []) {
      if (this.#parts.rows.countOf(draft, other) > 0) by.push(`inhibited_by:${other}`);
    }
    const quiet = this.#quietUntil(draft, of, asked);
    if (quiet !== null) {
      by.push("quiet_hours");
      ends.push(quiet);
    }
    if (!this.#hasRoom(draft, asked, granted)) by.push("queue");
    return by.length === 0 ? null : { by, until: ends.length === 0 ? null : Math.max(...ends) };
  }

  #hasRoom(draft: Draft, { id, notification, workflow }: Asked, granted: number): boolean {
    const joining =
      notification === "resolved" ? incidentOf(spellDecision({ kind: "incident", incident: id, n: 1 })) : null;
    if (this.#parts.workflows.hasRoom(draft, workflow, granted, joining)) return true;
    this.#awaited.add(workflow);
    return false;
  }

  #quietUntil(draft: Draft, of: IncidentKey, { id, elapsed, notification }: Asked): number | null {
    if (this.quietHours.length === 0) return null;
    const { rows, subjects, lifetime } = this.#parts;
    const template = of.config.incident?.severity ?? null;
    const severityNow = () =>
      fixedSeverity(template) ?? severityOf(template, subjects.of(of, of.newest ?? this.#newestOf(draft, id)));
    // A resolution has the severity of its incident.
    const severity = notification === "resolved" ? (rows.row(draft, id)?.severity ?? severityNow()) : severityNow();
    const wallMs = lifetime.wallAt(elapsed);
    const end = quietUntil(this.quietHours, severity, wallMs);
    return end === null ? null : elapsed + Math.max(1, end - wallMs);
  }

  #newestOf(draft: Draft, id: number): number {
    return this.#parts.rows.row(draft, id)?.last_signal_id ?? 0;
  }
}
