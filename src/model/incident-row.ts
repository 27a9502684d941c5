/**
 * A row of `incidents`, as a pure fold over its events: `advanceIncident` is the only place that says what an event does to
 * an incident. The kernel writes the row it yields beside the log; `nerve rebuild` folds the logs again.
 */
import type { Json } from "../base/json.ts";
import type { IncidentState, Notification, Severity } from "./incident.ts";
import type { Log } from "./log.ts";

/** Times are Unix milliseconds. */
export interface Incident {
  readonly id: number;
  readonly reflex: string;
  /** The value of the reflex's `key`: a text as it is, anything else as JSON; null where it has none. */
  readonly key: string | null;
  /** As its newest run reported them; before the first run as they were at the opening. */
  readonly severity: Severity;
  readonly summary: string;
  readonly state: IncidentState;
  readonly opened_at: number;
  readonly acked_at: number | null;
  readonly acked_by: string | null;
  readonly resolved_at: number | null;
  /** How often the key has begun to match. */
  readonly count: number;
  /** When a run was last to report it. */
  readonly notified_at: number | null;
  /** The signal that opened it, and the newest that anything was recorded with. */
  readonly signal_id: number | null;
  readonly last_signal_id: number | null;
  readonly trace: string;
  /** Why it resolved, where its key did not stop matching. */
  readonly reason: string | null;
  readonly first_log_id: number;
  readonly last_log_id: number;
}

/** `data` of each event; `incident` is the id. */
export interface IncidentEventData {
  "incident.opened": {
    readonly incident: number;
    readonly key: Json;
    readonly severity: Severity;
    readonly summary: string;
    readonly signal: number;
  };
  "incident.again": { readonly incident: number; readonly signal: number };
  "incident.notified": {
    readonly incident: number;
    readonly notification: Notification;
    readonly workflow: string;
    readonly run: number;
    readonly severity: Severity;
    readonly summary: string;
    readonly signal: number;
    readonly suppressed_ms: number;
    readonly suppressed_by: readonly string[];
  };
  "incident.acked": { readonly incident: number; readonly by: string; readonly why: string | null };
  "incident.suppressed": {
    readonly incident: number;
    readonly notification: Notification;
    readonly workflow: string;
    readonly by: readonly string[];
  };
  "incident.resolved": { readonly incident: number; readonly reason: string | null };
}

export type IncidentEventName = keyof IncidentEventData;

export type IncidentEvent = {
  [Name in IncidentEventName]: { readonly event: Name; readonly data: IncidentEventData[Name] };
}[IncidentEventName];

const NAMES: ReadonlySet<string> = new Set<IncidentEventName>([
  "incident.opened",
  "incident.again",
  "incident.notified",
  "incident.acked",
  "incident.suppressed",
  "incident.resolved",
]);

export const isIncidentEvent = (event: string): event is IncidentEventName => NAMES.has(event);

/** What a log of an incident says beside its event. */
export interface IncidentRecord {
  readonly id: number;
  readonly at: number;
  readonly reflex: string;
  readonly trace: string;
}

const SOURCE = "reflex:";

/** The event of an incident that a log is, or null. */
export function incidentEventOf(log: Log): { readonly row: IncidentRecord; readonly event: IncidentEvent } | null {
  const { id, at, source, event, trace, data } = log;
  if (!isIncidentEvent(event) || !source.startsWith(SOURCE)) return null;
  const row = { id, at, reflex: source.slice(SOURCE.length), trace: trace ?? "" };
  return { row, event: { event, data: JSON.parse(data ?? "{}") } as IncidentEvent };
}

export const isResolved = ({ state }: Pick<Incident, "state">): boolean => state === "resolved";

const columnOf = (key: Json): string | null =>
  key === null ? null : (typeof key === "string" ? key : JSON.stringify(key)).toWellFormed();

function opened(row: IncidentRecord, data: IncidentEventData["incident.opened"]): Incident {
  const { id, at, reflex, trace } = row;
  return {
    id: data.incident,
    reflex,
    key: columnOf(data.key),
    severity: data.severity,
    summary: data.summary.toWellFormed(),
    state: "open",
    opened_at: at,
    acked_at: null,
    acked_by: null,
    resolved_at: null,
    count: 1,
    notified_at: null,
    signal_id: data.signal,
    last_signal_id: data.signal,
    trace,
    reason: null,
    first_log_id: id,
    last_log_id: id,
  };
}

/** Of a resolved incident a resolution can still be reported, or held back; nothing else can follow. */
const FOLLOWS_RESOLUTION: ReadonlySet<IncidentEventName> = new Set<IncidentEventName>([
  "incident.notified",
  "incident.suppressed",
]);

/** The incident after `event`. Throws for what cannot follow. */
export function advanceIncident(
  incident: Incident | null,
  row: IncidentRecord,
  { event, data }: IncidentEvent,
): Incident {
  const name = `log ${row.id}: ${event} of incident ${data.incident}`;
  if (incident === null) {
    if (event !== "incident.opened") throw new Error(`${name}, which was not opened`);
    return opened(row, data);
  }
  if (event === "incident.opened") throw new Error(`${name}, which was opened before`);
  if (isResolved(incident) && !FOLLOWS_RESOLUTION.has(event)) throw new Error(`${name}, which is resolved`);
  const seen = { ...incident, last_log_id: row.id };
  switch (event) {
    case "incident.again":
      return { ...seen, count: incident.count + 1, last_signal_id: data.signal };
    case "incident.notified": {
      const { severity, summary, signal } = data;
      return { ...seen, severity, summary: summary.toWellFormed(), last_signal_id: signal, notified_at: row.at };
    }
    case "incident.acked":
      return { ...seen, state: "acked", acked_at: row.at, acked_by: data.by.toWellFormed() };
    case "incident.suppressed":
      return seen;
    case "incident.resolved":
      return { ...seen, state: "resolved", resolved_at: row.at, reason: data.reason?.toWellFormed() ?? null };
  }
}
