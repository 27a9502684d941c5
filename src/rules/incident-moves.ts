/** What the rule of incidents decides, what it asks of the world, and what can happen to an incident. */
import type { Notification } from "../model/incident.ts";

/** Each is one event of the log, in the transaction of the signal or deadline that led to it. */
export type IncidentMove =
  | { readonly kind: "opened"; readonly id: number; readonly signal: number; readonly due: number | null }
  /** It matches again before `resolve_after` has passed. */
  | { readonly kind: "again"; readonly id: number; readonly signal: number }
  | {
      readonly kind: "suppressed";
      readonly id: number;
      readonly notification: Notification;
      readonly workflow: string;
      readonly by: readonly string[];
    }
  | {
      readonly kind: "notified";
      readonly id: number;
      readonly notification: Notification;
      readonly workflow: string;
      /** Which of the incident's runs this is, from 1. */
      readonly n: number;
      /** From the opening to this notification, or to the resolution. */
      readonly durationMs: number;
      readonly suppressedMs: number;
      readonly suppressedBy: readonly string[];
    }
  | { readonly kind: "acked"; readonly id: number; readonly by: string; readonly why: string | null }
  | { readonly kind: "resolved"; readonly id: number; readonly reason: string | null }
  /** As many incidents are open as may be. */
  | { readonly kind: "limited" };

export interface Suppression {
  readonly by: readonly string[];
  /** When those may be over whose end is known, behind the moment that was asked about; null where no time says so. */
  readonly until: number | null;
}

export interface Asked {
  readonly id: number;
  readonly notification: Notification;
  readonly workflow: string;
  readonly elapsed: number;
}

export interface IncidentWorld {
  /** Digest of the words that say which keys there are. */
  readonly scope: string;
  /** The id of an incident that opens now; null: as many are open as may be. */
  nextId(): number | null;
  /** What holds a notification back; null: nothing, and the notification will be a run. */
  suppression(asked: Asked): Suppression | null;
}
