/** Owns incidents as text for people, as one line and as part of a sentence. As JSON an incident is its columns. */
import { escapeForTerminal } from "../../base/escape.ts";
import { ago, duration } from "../../base/times.ts";
import type { IncidentState, Severity } from "../../model/incident.ts";
import type { Incident } from "../../model/incident-row.ts";
import { padded } from "./rows.ts";
import { type Span, type Style, span } from "./terminal.ts";

export const INCIDENT_STYLES: Readonly<Record<IncidentState, Style>> = {
  open: "red",
  acked: "yellow",
  resolved: "green",
};
const SEVERITY_STYLES: Readonly<Record<Severity, Style | null>> = { info: "dim", warning: "yellow", critical: "red" };

const STATE_WIDTH = "resolved".length;
const SEVERITY_WIDTH = "critical".length;

/** The duration of the incident, its number of matches, and the person who acknowledged it. */
export function incidentFacts(row: Incident, now: number): string[] {
  const { opened_at, resolved_at, count, acked_by, notified_at } = row;
  const lasted = duration(Math.max(0, (resolved_at ?? now) - opened_at));
  return [
    resolved_at === null ? `for ${lasted}` : `after ${lasted}`,
    ...(count > 1 ? [`matched ${count} times`] : []),
    ...(acked_by === null ? [] : [`acknowledged by ${escapeForTerminal(acked_by)}`]),
    notified_at === null ? "not reported" : `last reported ${ago(notified_at, now)}`,
  ];
}

export function incidentSpans(row: Incident, now: number): Span[] {
  const { id, reflex, severity, state, summary, reason } = row;
  const facts = incidentFacts(row, now).join(", ");
  const why = reason === null ? "" : `: ${escapeForTerminal(reason)}`;
  return [
    span(padded(`${reflex} #${id}`), "cyan"),
    span(`${state.padEnd(STATE_WIDTH)} `, INCIDENT_STYLES[state]),
    span(`${severity.padEnd(SEVERITY_WIDTH)} `, SEVERITY_STYLES[severity]),
    span(escapeForTerminal(summary), "bold"),
    span(` · ${facts}${why}`, "dim"),
  ];
}

export const incidentTitle = ({ id, summary }: Pick<Incident, "id" | "summary">): string =>
  `incident ${id} (${escapeForTerminal(summary)})`;
