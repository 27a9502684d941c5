/**
 * An incident: what a workflow reflex with `incident` keeps per key from its opening to its resolution. Here are its
 * words, and what a notification says of it.
 */
export const SEVERITIES = ["info", "warning", "critical"] as const;
export type Severity = (typeof SEVERITIES)[number];

export const DEFAULT_SEVERITY: Severity = "warning";

/** An acked incident is open as well: it has not resolved. */
export const INCIDENT_STATES = ["open", "acked", "resolved"] as const;
export type IncidentState = (typeof INCIDENT_STATES)[number];

export const NOTIFICATIONS = ["opened", "reminded", "escalated", "resolved"] as const;
/** What a run is to report of an incident. */
export type Notification = (typeof NOTIFICATIONS)[number];

/** `trigger.incident` of a run that reports an incident, as it stood when that was decided. */
export interface TriggerIncident {
  readonly id: number;
  readonly notification: Notification;
  readonly state: IncidentState;
  /** Why it resolved, where it did for another reason than that the key stopped matching. */
  readonly reason: string | null;
  readonly severity: Severity;
  /** One line, at most 200 characters, without controls. */
  readonly summary: string;
  /** Unix milliseconds. */
  readonly opened_at: number;
  /** From the opening to this notification, or to the resolution. */
  readonly duration_ms: number;
  /** How often the key has begun to match: 1, and 1 for each time that it did so again before it resolved. */
  readonly count: number;
  readonly acked_by: string | null;
  /** How long this notification was held back, and by what: `silence`, `quiet_hours`, `queue`, `inhibited_by:REFLEX`. */
  readonly suppressed_ms: number;
  readonly suppressed_by: readonly string[];
}
