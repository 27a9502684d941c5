/** The table of incidents: one row an incident, written beside the log that changed it, and read by listings. */
import type { Database } from "bun:sqlite";
import { INCIDENT_STATES, type IncidentState, SEVERITIES } from "../model/incident.ts";
import type { Incident } from "../model/incident-row.ts";
import { COUNT, FULL_TEXT, ID, oneOf, orNull, RowGuard, TEXT, TIME, TRACE } from "./columns.ts";
import type { OnDamage } from "./damage.ts";
import { among, type Page, readPage, WHOLE_PAGE } from "./page.ts";
import { lastIdOf } from "./sequence.ts";

export interface IncidentFilter extends Page {
  /** Empty for all, as the following. */
  readonly states: readonly IncidentState[];
  readonly reflexes: readonly string[];
}

export const ALL_INCIDENTS: IncidentFilter = { ...WHOLE_PAGE, states: [], reflexes: [] };

const COLUMNS =
  "id, reflex, key, severity, state, summary, opened_at, acked_at, acked_by, resolved_at, count, notified_at, signal_id, last_signal_id, trace, reason, first_log_id, last_log_id";

const valuesOf = (row: Incident) =>
  [
    row.id,
    row.reflex,
    row.key,
    row.severity,
    row.state,
    row.summary,
    row.opened_at,
    row.acked_at,
    row.acked_by,
    row.resolved_at,
    row.count,
    row.notified_at,
    row.signal_id,
    row.last_signal_id,
    row.trace,
    row.reason,
    row.first_log_id,
    row.last_log_id,
  ] as const;

const guardOf = (db: Database, onDamage: OnDamage): RowGuard<Incident> => {
  const columns = {
    id: ID,
    reflex: FULL_TEXT,
    key: orNull(TEXT),
    severity: oneOf(SEVERITIES),
    state: oneOf(INCIDENT_STATES),
    summary: TEXT,
    opened_at: TIME,
    acked_at: orNull(TIME),
    acked_by: orNull(TEXT),
    resolved_at: orNull(TIME),
    count: COUNT,
    notified_at: orNull(TIME),
    signal_id: orNull(COUNT),
    last_signal_id: orNull(COUNT),
    trace: TRACE,
    reason: orNull(TEXT),
    first_log_id: COUNT,
    last_log_id: COUNT,
  };
  return new RowGuard<Incident>(db.filename, "incidents", "id", columns, onDamage);
};

const PUT = `INSERT OR REPLACE INTO incidents (${COLUMNS}) VALUES (${COLUMNS.replace(/\w+/g, "?")})`;

/** A reader may look at a store that 0011 has not reached. */
export const hasIncidents = (db: Database): boolean =>
  db.query("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'incidents'").get() !== null;

export function incidentTable(db: Database, onDamage: OnDamage) {
  const all = `SELECT ${COLUMNS} FROM incidents`;
  const guard = guardOf(db, onDamage);
  const read = <T>(sql: string, ...values: (string | number)[]): T[] =>
    hasIncidents(db) ? db.query<T, (string | number)[]>(sql).all(...values) : [];
  const asFound = (id: number): Incident | null => read<Incident>(`${all} WHERE id = ?`, id)[0] ?? null;
  const reports = (reflex: string, incident: number) =>
    read<{ id: number; workflow: string; decision: string }>(
      "SELECT id, workflow, decision FROM workflow_runs WHERE reflex = ? AND decision >= ? AND decision < ? ORDER BY id",
      reflex,
      `incident:${incident}:`,
      `incident:${incident};`,
    );
  return {
    /** As an event leaves it. Inside a commit of the store. */
    put: (row: Incident): void => void db.query(PUT).run(...valuesOf(row)),
    /** As it lies there, whatever it holds: for whoever holds it against the logs. */
    asFound,
    byId: (id: number): Incident | null => guard.orNull(asFound(id)),
    /** Those that have not resolved, oldest first. */
    open: (): Incident[] => guard.rows(read<Incident>(`${all} WHERE state <> 'resolved' ORDER BY id`)),
    /** Those of which a log above `id` tells, in the order of their newest. */
    /** How many are open, by severity, without a look at each. */
    openBySeverity: (): { severity: string; open: number }[] =>
      read("SELECT severity, count(*) AS open FROM incidents WHERE state <> 'resolved' GROUP BY severity"),
    changedSince: (id: number): Incident[] =>
      guard.rows(read<Incident>(`${all} WHERE last_log_id > ? ORDER BY last_log_id`, id)),
    /** The highest id there is, 0 without rows. */
    newestId: (): number => read<{ id: number | null }>("SELECT max(id) AS id FROM incidents")[0]?.id ?? 0,
    ids: (): number[] => read<{ id: number }>("SELECT id FROM incidents ORDER BY id").map(({ id }) => id),
    /** Workflows with a run that reports `incident`, in the order of the first of these runs; and how many runs there are. */
    reportedBy(reflex: string, incident: number): { readonly workflows: string[]; readonly runs: number } {
      const rows = reports(reflex, incident);
      const numbers = rows.map(({ decision }) => Number(decision.split(":")[2] ?? 0));
      return { workflows: [...new Set(rows.map(({ workflow }) => workflow))], runs: Math.max(0, ...numbers) };
    },
    /** Ids of the runs that report `incident`. */
    reportsOf: (reflex: string, incident: number): number[] => reports(reflex, incident).map(({ id }) => id),
    /** The highest id ever given, 0 before the first. */
    lastId: (): number => lastIdOf(db, "incidents"),
    /** `since` and `until` are about `opened_at`. */
    list(filter: IncidentFilter): Incident[] {
      if (!hasIncidents(db)) return [];
      const states = filter.states.map((state) => `'${state}'`).join(", ");
      const select = states === "" ? all : `SELECT * FROM (${all} WHERE state IN (${states}))`;
      return readPage<Incident>(db, guard, select, filter, among({ reflex: filter.reflexes }), "opened_at");
    },
  };
}
