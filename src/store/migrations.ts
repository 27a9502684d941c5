/** The migrations of logs.db, embedded. */
import storeSql from "../../migrations/0001_store.sql" with { type: "text" };
import runsSql from "../../migrations/0002_runs.sql" with { type: "text" };
import archiveSql from "../../migrations/0003_archive.sql" with { type: "text" };
import blobsSql from "../../migrations/0004_blobs.sql" with { type: "text" };
import silencesSql from "../../migrations/0005_silences.sql" with { type: "text" };
import reflexesSql from "../../migrations/0006_reflexes.sql" with { type: "text" };
import decisionsSql from "../../migrations/0007_decisions.sql" with { type: "text" };
import clockStepsSql from "../../migrations/0009_clock_steps.sql" with { type: "text" };
import runEventsSql from "../../migrations/0010_run_events.sql" with { type: "text" };
import incidentsSql from "../../migrations/0011_incidents.sql" with { type: "text" };
import inboxSql from "../../migrations/0012_inbox.sql" with { type: "text" };
import originsSql from "../../migrations/0013_origins.sql" with { type: "text" };
import senseKeysSql from "../../migrations/0014_sense_keys.sql" with { type: "text" };
import type { MigrationFile } from "../sqlite/migrate.ts";

export const STORE_MIGRATIONS: readonly MigrationFile[] = [
  { name: "0001_store.sql", sql: storeSql },
  { name: "0002_runs.sql", sql: runsSql },
  { name: "0003_archive.sql", sql: archiveSql },
  { name: "0004_blobs.sql", sql: blobsSql },
  { name: "0005_silences.sql", sql: silencesSql },
  { name: "0006_reflexes.sql", sql: reflexesSql },
  { name: "0007_decisions.sql", sql: decisionsSql },
  { name: "0009_clock_steps.sql", sql: clockStepsSql },
  { name: "0010_run_events.sql", sql: runEventsSql },
  { name: "0011_incidents.sql", sql: incidentsSql },
  { name: "0012_inbox.sql", sql: inboxSql },
  { name: "0013_origins.sql", sql: originsSql },
  { name: "0014_sense_keys.sql", sql: senseKeysSql },
];
