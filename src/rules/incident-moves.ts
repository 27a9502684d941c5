/**
 * Owns the moves of an incident, which the rule of incidents decides, and the questions that the rule asks of the world.
 */
import type { Notification } from "../model/incident.ts";

/** Each move is one event of the log, in the transaction of the signal or deadline that led to the move. */
export type IncidentMove =
  | { readonly kind: "opened"; readonly id: number; readonly signal: number; readonly due: number | null }
  /** The key matches again before `resolve_after` has passed. */
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
      /** The number of this run among the runs of the incident, from 1. */
      readonly n: number;
      /** From the opening to this notification, or to the resolution. */
      readonly durationMs: number;
      readonly suppressedMs: number;
      readonly suppressedBy: readonly string[];
    }
  | { readonly kind: "acked"; readonly id: number; readonly by: string; readonly why: string | null }
  | { readonly kind: "resolved"; readonly id: number; readonly reason: string | null }
  /** The reflex has as many open incidents as it may have. */
  | { readonly kind: "limited" };

export interface Suppression {
  readonly by: readonly string[];
  /** The next time at which a hold may be over, after the moment that was asked about. Null where no time is known. */
  readonly until: number | null;
}

export interface Asked {
  readonly id: number;
  readonly notification: Notification;
  readonly workflow: string;
  readonly elapsed: number;
}

export interface IncidentWorld {
  /** Digest of the words that define the keys. */
  readonly scope: string;
  /** The id of an incident that opens now. Null where as many incidents are open as may be. */
  nextId(): number | null;
  /** The holds on a notification. Null where nothing holds it back: then the notification becomes a run. */
  suppression(asked: Asked): Suppression | null;
}
