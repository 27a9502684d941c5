/** The events of incidents, as they stand in the table of events; `model/incident-row.ts` folds them. */
import type { EventKind, Field } from "./event-kind.ts";
import type { IncidentEventData, IncidentEventName } from "./incident-row.ts";

/** Holds this table and the fold to the same events, with the same keys of `data`. */
type IncidentEventKinds = {
  readonly [Name in IncidentEventName]: EventKind & { readonly data: Record<keyof IncidentEventData[Name], Field> };
};

const notification = { incident: "number", notification: "string", workflow: "string" } as const;

const FOLDED = {
  "incident.opened": {
    levels: ["warn"],
    sentence: "An incident opened. `nerve ack ID` ends its reminders, `nerve resolve ID` resolves it by hand.",
    data: { incident: "number", key: "any", severity: "string", summary: "string", signal: "number" },
  },
  "incident.again": {
    levels: ["info"],
    sentence: "An open incident matches again before `resolve_after` has passed: it goes on, and nothing is reported.",
    data: { incident: "number", signal: "number" },
  },
  "incident.notified": {
    levels: ["info"],
    sentence: "A run is to report an incident.",
    data: {
      ...notification,
      run: "number",
      severity: "string",
      summary: "string",
      signal: "number",
      suppressed_ms: "number",
      suppressed_by: "string[]",
    },
  },
  "incident.acked": {
    levels: ["info"],
    sentence: "A person acknowledged an incident: its reminders and escalations end.",
    data: { incident: "number", by: "string", why: "string | null" },
  },
  "incident.suppressed": {
    levels: ["info"],
    sentence: "A notification is held back, and reported once nothing in `by` holds it back any more.",
    data: { ...notification, by: "string[]" },
  },
  "incident.resolved": {
    levels: ["info"],
    sentence: "An incident resolved; `reason`: why, where its key did not stop matching.",
    data: { incident: "number", reason: "string | null" },
  },
} as const satisfies IncidentEventKinds;

export const INCIDENT_EVENT_KINDS = {
  ...FOLDED,
  "incident.limited": {
    levels: ["warn"],
    sentence: "A reflex has as many open incidents as it may: further keys open none until some resolve. Logged once.",
    data: { open: "number" },
  },
  "incidents.restored": {
    levels: ["warn", "error"],
    sentence:
      "The table `incidents` was gone, or an open incident in it was damaged: all is derived from the logs again. `error`: some could not be.",
    data: { incidents: "number", faulty: "number" },
  },
} as const satisfies Readonly<Record<string, EventKind>>;
