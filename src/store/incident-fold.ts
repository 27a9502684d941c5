/** `incidents` beside what the logs say: folded with the runs in one pass, compared, put right and made anew. */
import type { Database } from "bun:sqlite";
import { advanceIncident, type Incident, incidentEventOf } from "../model/incident-row.ts";
import type { Log } from "../model/log.ts";
import type { MigrationFile } from "../sqlite/migrate.ts";
import { splitStatements } from "../sqlite/statements.ts";
import { refuse } from "./damage.ts";
import { hasIncidents, incidentTable } from "./incidents.ts";
import { raiseSequence } from "./sequence.ts";

/** A value of a row that is not what the logs say. `column` `row`: one of the two has no such incident. */
export interface IncidentDifference {
  readonly incident: number;
  readonly column: string;
  readonly table: string | number | null;
  readonly log: string | number | null;
}

export interface IncidentFault {
  readonly incident: number;
  readonly log: number;
  readonly message: string;
}

/** Incidents as the logs tell them. There are few: all of them are held. */
export class IncidentFold {
  readonly #incidents = new Map<number, Incident>();
  readonly #faults = new Map<number, IncidentFault>();
  #firstLog: number | null = null;
  #highest = 0;

  take(log: Log): void {
    this.#firstLog ??= log.id;
    if (!log.event.startsWith("incident.")) return;
    let id = 0;
    try {
      const found = incidentEventOf(log);
      if (found === null) return;
      id = found.event.data.incident;
      if (!Number.isSafeInteger(id) || id < 1) throw new Error(`log ${log.id}: it names no incident`);
      this.#highest = Math.max(this.#highest, id);
      if (this.#faults.has(id)) return;
      const before = this.#incidents.get(id) ?? null;
      // Its opening was in logs that retention has removed.
      if (before === null && found.event.event !== "incident.opened" && this.#firstLog !== 1) return;
      this.#incidents.set(id, advanceIncident(before, found.row, found.event));
    } catch (error) {
      const said = (error as Error).message;
      const message = said.startsWith("log ") ? said : `log ${log.id}: ${log.event} cannot be read: ${said}`;
      this.#incidents.delete(id);
      this.#faults.set(id, { incident: id, log: log.id, message });
    }
  }

  get all(): ReadonlyMap<number, Incident> {
    return this.#incidents;
  }

  /** At most one an incident. */
  get faults(): readonly IncidentFault[] {
    return [...this.#faults.values()];
  }

  isFaulty(id: number): boolean {
    return this.#faults.has(id);
  }

  get highest(): number {
    return this.#highest;
  }
}

/** The logs as they pass, each shown to `fold` first. */
export function* shownTo(fold: IncidentFold, logs: Iterable<Log>): Generator<Log> {
  for (const log of logs) {
    fold.take(log);
    yield log;
  }
}

function differencesOf(table: Incident | null, log: Incident): IncidentDifference[] {
  if (table === null) return [{ incident: log.id, column: "row", table: null, log: log.state }];
  return Object.keys(log).flatMap((column) => {
    const [is, shouldBe] = [table[column as keyof Incident], log[column as keyof Incident]];
    return is === shouldBe ? [] : [{ incident: log.id, column, table: is, log: shouldBe }];
  });
}

/** What differs, by incident. Null: there is no table. */
export function compareIncidents(db: Database, fold: IncidentFold): readonly IncidentDifference[] | null {
  if (!hasIncidents(db)) return null;
  const table = incidentTable(db, refuse);
  const found = [...fold.all.values()].flatMap((incident) => differencesOf(table.asFound(incident.id), incident));
  for (const id of table.ids()) {
    if (fold.all.has(id) || fold.isFaulty(id)) continue;
    found.push({ incident: id, column: "row", table: table.asFound(id)?.state ?? null, log: null });
  }
  return found;
}

/** Writes rows as the logs have them, and removes those that no log tells of. Inside a transaction. */
export function putIncidentsRight(db: Database, fold: IncidentFold): void {
  const table = incidentTable(db, refuse);
  for (const { incident: id, log } of compareIncidents(db, fold) ?? []) {
    const incident = fold.all.get(id);
    if (incident !== undefined) table.put(incident);
    else if (log === null) db.query("DELETE FROM incidents WHERE id = ?").run(id);
  }
  raiseSequence(db, "incidents", fold.highest);
}

/** Key states with an open incident. SQLite keeps any value in any column, so the JSON is asked for first. */
const REMEMBERED = `SELECT CASE WHEN json_valid(state) THEN state ->> '$.incident.open.id' END AS id
  FROM reflex_state WHERE state LIKE '%"incident":{%'`;

/** Whether the table is gone, or an open incident has no row that can be read. Null: neither. */
export function incidentsLack(db: Database): "gone" | "damaged" | null {
  if (!hasIncidents(db)) return "gone";
  let isWhole = true;
  const rows = incidentTable(db, () => {
    isWhole = false;
  }).open();
  const open = new Set<unknown>(rows.map(({ id }) => id));
  const remembered = db.query<{ id: unknown }, []>(REMEMBERED).all();
  return isWhole && remembered.every(({ id }) => id === null || open.has(id)) ? null : "damaged";
}

/** Makes a table that is gone. Inside a transaction. */
export function makeIncidents(db: Database, migrations: readonly MigrationFile[]): void {
  for (const { sql } of migrations) {
    for (const { text } of splitStatements(sql)) if (/\bincidents(_\w+)?\b/.test(text)) db.run(text);
  }
}
