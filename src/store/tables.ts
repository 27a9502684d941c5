/** The tables of logs.db on one connection, and what is wrong with a file that cannot be opened. */
import type { Database } from "bun:sqlite";
import { dirname, join } from "node:path";
import { type Problem, problem } from "../model/problem.ts";
import { describeSqliteError } from "../sqlite/open.ts";
import { ArchiveTable } from "./archive.ts";
import { ArchiveDamaged } from "./archive-damage.ts";
import { damagedRow, type OnDamage, RESTORE, StoreDamaged } from "./damage.ts";
import { InboxTable } from "./inbox.ts";
import { inboxRequestTable } from "./inbox-requests.ts";
import { inboxSenseTable } from "./inbox-senses.ts";
import { incidentTable } from "./incidents.ts";
import { LiveRunsNote } from "./live-runs.ts";
import { loadedReflexTable } from "./loaded-reflexes.ts";
import { LogHistory } from "./log-history.ts";
import { logGuards } from "./log-row.ts";
import { LogWindows } from "./log-windows.ts";
import { logTable } from "./logs.ts";
import { MetaTable } from "./meta.ts";
import { STORE_MIGRATIONS } from "./migrations.ts";
import { originTable } from "./origins.ts";
import { reflexStateTable } from "./reflex-state.ts";
import { runTable } from "./runs.ts";
import { senseStateTable } from "./sense-state.ts";
import { signalTable } from "./signals.ts";
import { silenceTable } from "./silences.ts";
import { switchTable } from "./switches.ts";

export const storeFile = (data: string): string => join(data, "logs.db");

const MIGRATION_NAME = /^\d{4}_\w+\.sql$/;

/** `migration`: a row of `_migrations` that this build does not know. */
export const newerStore = (file: string, migration: string): Problem => {
  if (!MIGRATION_NAME.test(migration))
    return damagedRow(file, "_migrations", migration, "name", migration, "that of a migration").problem;
  const hint = "run the build of nerve that wrote it, or a later one";
  return problem("newer-store", `${file} was written by a newer nerve (it has ${migration})`, hint, file);
};

/** What a person does about each kind. */
const HINTS: Readonly<Record<string, string>> = {
  "not-a-database": `${RESTORE}; moved away, nerve begins anew`,
  trigger: "nerve made no trigger: drop it",
};

/** Why the store at `file` cannot be used, from whatever was thrown; null for what is a bug of nerve's. */
export function storeProblem(file: string, error: unknown): Problem | null {
  if (error instanceof ArchiveDamaged || error instanceof StoreDamaged) return error.problem;
  if (!String((error as { code?: unknown } | null)?.code ?? "").startsWith("SQLITE_")) return null;
  const { kind, message } = describeSqliteError(file, error);
  return problem(`store-${kind}`, message, HINTS[kind] ?? null, file);
}

/** As above, where the file itself may be at fault. */
export const unusable = (file: string, error: unknown): Problem => {
  const { kind, message } = describeSqliteError(file, error);
  return storeProblem(file, error) ?? problem(`store-${kind}`, message, HINTS[kind] ?? null, file);
};

/** Kinds of problems of the store that time may heal: nothing is wrong with the data, or with the config. */
export const PASSING: ReadonlySet<string> = new Set(["store-no-space", "store-io", "store-locked"]);

/** The names of the migrations that a store has had. */
export const appliedTo = (db: Database): string[] =>
  db
    .query<{ name: unknown }, []>("SELECT name FROM _migrations ORDER BY name")
    .all()
    .map(({ name }) => String(name));

/** Its first migration that this build does not have, or null. */
export function migrationUnknownHere(db: Database): string | null {
  const known = new Set(STORE_MIGRATIONS.map(({ name }) => name));
  return appliedTo(db).find((name) => !known.has(name)) ?? null;
}

/** To whom damaged rows are told. */
export interface DamagePolicy {
  readonly signals: OnDamage;
  readonly others: OnDamage;
}

export function tablesOf(db: Database, file: string, { signals, others }: DamagePolicy) {
  const meta = new MetaTable(db);
  const guards = logGuards(others);
  const logs = logTable(db, guards);
  return {
    signals: signalTable(db, signals),
    logs,
    archive: new ArchiveTable(db),
    /** All logs, archived or not. */
    history: new LogHistory(db, dirname(file), guards, logs.settle),
    /** The same, stretch by stretch. */
    windows: new LogWindows(db, dirname(file), guards),
    runs: runTable(db, others),
    incidents: incidentTable(db, others),
    inbox: new InboxTable(db, signals),
    inboxRequests: inboxRequestTable(db),
    inboxSenses: inboxSenseTable(db),
    liveRuns: new LiveRunsNote(db),
    senses: senseStateTable(db),
    reflexes: reflexStateTable(db),
    loadedReflexes: loadedReflexTable(db, meta, others),
    switches: switchTable(db, others),
    origins: originTable(db, others),
    silences: silenceTable(db, others),
    meta,
  };
}

export type Tables = ReturnType<typeof tablesOf>;
