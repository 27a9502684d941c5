/** Undoes migrations of logs.db, so that it is as an earlier build left it. */
import type { Database } from "bun:sqlite";

/** As it was before 0014: the state of a sense is found by the sense's name. */
export function withoutSenseKeys(db: Database): void {
  db.run("ALTER TABLE sense_state RENAME TO newer");
  db.run(`CREATE TABLE sense_state (
    sense TEXT PRIMARY KEY, outbox INTEGER NOT NULL DEFAULT 0, owed TEXT, started TEXT, strikes INTEGER NOT NULL DEFAULT 0,
    quarantine TEXT) WITHOUT ROWID`);
  db.run("INSERT INTO sense_state SELECT sense, outbox, owed, started, strikes, quarantine FROM newer");
  db.run("DROP TABLE newer");
  db.run("DELETE FROM _migrations WHERE name >= '0014'");
}

/** As it was before 0013: no signal is of another host. */
export function withoutOrigins(db: Database): void {
  withoutSenseKeys(db);
  for (const column of ["origin", "origin_id", "origin_at", "late"])
    db.run(`ALTER TABLE signals DROP COLUMN ${column}`);
  for (const table of ["origins", "origin_epochs"]) db.run(`DROP TABLE ${table}`);
  db.run("DELETE FROM _migrations WHERE name >= '0013'");
}

/** As it was before 0011: there are no incidents, and no inbox. */
function withoutIncidents(db: Database): void {
  withoutOrigins(db);
  for (const table of ["incidents", "inbox", "inbox_requests", "inbox_senses"]) db.run(`DROP TABLE ${table}`);
  db.run("DELETE FROM _migrations WHERE name >= '0011'");
}

/** As it was before 0010: the events of runs are not counted, and no note of live runs is there. */
function withoutEvents(db: Database): void {
  db.run("ALTER TABLE workflow_runs DROP COLUMN events");
  db.run("DELETE FROM meta WHERE key = 'live_runs'");
  db.run("DELETE FROM _migrations WHERE name >= '0010'");
}

/** As it was before 0009: nothing is known of where the clock fell back. */
export function withoutClockSteps(db: Database): void {
  withoutIncidents(db);
  withoutEvents(db);
  db.run("DROP TABLE clock_steps");
  db.run("DELETE FROM _migrations WHERE name >= '0009'");
}

/** As it was before 0007: runs have no decision, and a reflex has at most one run a signal. */
export function withoutDecisions(db: Database): void {
  withoutClockSteps(db);
  db.run("DROP INDEX workflow_runs_decision");
  db.run("CREATE UNIQUE INDEX workflow_runs_once ON workflow_runs (signal_id, reflex) WHERE reflex IS NOT NULL");
  db.run("ALTER TABLE workflow_runs DROP COLUMN key");
  db.run("ALTER TABLE workflow_runs DROP COLUMN decision");
  db.run("DELETE FROM _migrations WHERE name >= '0007'");
}
