/** Opens logs.db: migrations, the epoch, and the transaction every change goes through. The kernel is its one writer. */
import type { Database } from "bun:sqlite";
import { randomBytes } from "node:crypto";
import { dirname, join } from "node:path";
import storeSql from "../../migrations/0001_store.sql" with { type: "text" };
import runsSql from "../../migrations/0002_runs.sql" with { type: "text" };
import archiveSql from "../../migrations/0003_archive.sql" with { type: "text" };
import blobsSql from "../../migrations/0004_blobs.sql" with { type: "text" };
import silencesSql from "../../migrations/0005_silences.sql" with { type: "text" };
import reflexesSql from "../../migrations/0006_reflexes.sql" with { type: "text" };
import decisionsSql from "../../migrations/0007_decisions.sql" with { type: "text" };
import { err, ok, type Result } from "../base/result.ts";
import { type Problem, problem } from "../model/problem.ts";
import { type MigrationFile, runMigrations } from "../sqlite/migrate.ts";
import { describeSqliteError, openReader, openWriter } from "../sqlite/open.ts";
import { archiveTable } from "./archive.ts";
import { ArchiveDamaged } from "./archive-files.ts";
import { type BlobReferences, blobReferences } from "./blob-references.ts";
import { loadedReflexTable } from "./loaded-reflexes.ts";
import { logHistory } from "./log-history.ts";
import { logTable } from "./logs.ts";
import { metaTable } from "./meta.ts";
import { restoreRuns } from "./rebuild.ts";
import { reflexStateTable } from "./reflex-state.ts";
import { runTable } from "./runs.ts";
import { senseStateTable } from "./sense-state.ts";
import { signalTable } from "./signals.ts";
import { silenceTable } from "./silences.ts";
import { switchTable } from "./switches.ts";

export const STORE_MIGRATIONS: readonly MigrationFile[] = [
  { name: "0001_store.sql", sql: storeSql },
  { name: "0002_runs.sql", sql: runsSql },
  { name: "0003_archive.sql", sql: archiveSql },
  { name: "0004_blobs.sql", sql: blobsSql },
  { name: "0005_silences.sql", sql: silencesSql },
  { name: "0006_reflexes.sql", sql: reflexesSql },
  { name: "0007_decisions.sql", sql: decisionsSql },
];

export const storeFile = (data: string): string => join(data, "logs.db");

export const newerStore = (file: string, migration: string): Problem => {
  const hint = "run the build of nerve that wrote it, or a later one";
  return problem("newer-store", `${file} was written by a newer nerve (it has ${migration})`, hint, file);
};

export const unusable = (file: string, error: unknown): Problem => {
  const { kind, message } = describeSqliteError(file, error);
  return problem(`store-${kind}`, message, null, file);
};

/** Kinds of problems of the store that time may heal: nothing is wrong with the data, or with the config. */
export const PASSING: ReadonlySet<string> = new Set(["store-no-space", "store-io", "store-locked"]);

/** Its first migration that this build does not have, or null. */
export function migrationUnknownHere(db: Database): string | null {
  const known = new Set(STORE_MIGRATIONS.map(({ name }) => name));
  const applied = db.query<{ name: string }, []>("SELECT name FROM _migrations ORDER BY name").all();
  return applied.find(({ name }) => !known.has(name))?.name ?? null;
}

/** How long a commit waits, and everything with it, for another connection that is writing. */
const BUSY_MS = 250;
/** How large the WAL grows before it is written back, unless less is asked for. Source: sqlite.org/pragma.html. */
const WAL_PAGES = 1_000;

function tables(db: Database, file: string) {
  const meta = metaTable(db);
  return {
    signals: signalTable(db),
    logs: logTable(db),
    archive: archiveTable(db),
    /** All logs, archived or not. */
    history: logHistory(db, dirname(file)),
    runs: runTable(db),
    senses: senseStateTable(db),
    reflexes: reflexStateTable(db),
    loadedReflexes: loadedReflexTable(db, meta),
    switches: switchTable(db),
    silences: silenceTable(db),
    meta,
  };
}

export type Store = ReturnType<typeof tables> & {
  readonly file: string;
  /** Changes when the last commits may have been lost, so that a reader's cursor is not trusted across it. */
  readonly epoch: string;
  /** Runs `change` in one IMMEDIATE transaction: kept whole or, when it throws, not at all. */
  commit<T>(change: () => T): T;
  readonly blobs: BlobReferences;
  /** Writes the WAL back into the database, as far as readers and the disk let it; the next commit then begins it anew. */
  checkpoint(): void;
  /** Does so by itself once the WAL is larger than this; never later than SQLite does unasked. */
  checkpointAbove(walBytes: number): void;
  /** Bytes of pages in the database that nothing uses: room for rows without growing. */
  reusableBytes(): number;
  close(): void;
};

/** Under `normal`, commits since the last checkpoint may be gone after the machine went down without a clean stop. */
function epochOf(meta: ReturnType<typeof metaTable>, bootId: string, durability: "full" | "normal"): string {
  const known = meta.get("epoch");
  const lost = meta.get("durability") === "normal" && meta.get("boot") !== bootId && meta.get("stopped") !== "clean";
  const epoch = known === null || lost ? randomBytes(8).toString("hex") : known;
  meta.set("epoch", epoch);
  meta.set("boot", bootId);
  meta.set("durability", durability);
  meta.set("stopped", "no");
  return epoch;
}

/** The kernel's store. Problems are of kind `newer-store`, `store-migration` or what SQLite said. */
export function openStore(
  data: string,
  durability: "full" | "normal",
  bootId: string,
  now: number,
): Result<Store, Problem> {
  const file = storeFile(data);
  const opened = openWriter(file, durability);
  if (!opened.ok) {
    const hint =
      opened.error.kind === "not-a-database" ? "move it away to begin anew, or restore it from a copy" : null;
    return err(problem(`store-${opened.error.kind}`, opened.error.message, hint, file));
  }
  const db = opened.value;
  try {
    const migrated = runMigrations(db, STORE_MIGRATIONS, now);
    if (migrated.ok) {
      restoreRuns(db, STORE_MIGRATIONS, (on) => logHistory(on, data).scan, now);
      return ok(storeOn(db, file, durability, bootId));
    }
    db.close(true);
    const { kind, message, file: name } = migrated.error;
    return err(kind === "vanished" ? newerStore(file, name) : problem("store-migration", message, null, file));
  } catch (error) {
    db.close(true);
    return err(error instanceof ArchiveDamaged ? error.problem : unusable(file, error));
  }
}

function storeOn(db: Database, file: string, durability: "full" | "normal", bootId: string): Store {
  const all = tables(db, file);
  const transaction = db.transaction((change: () => unknown) => change());
  const commit = <T>(change: () => T): T => transaction.immediate(change) as T;
  const pageBytes = db.query<{ page_size: number }, []>("PRAGMA page_size").get()?.page_size ?? 0;
  const epoch = commit(() => epochOf(all.meta, bootId, durability));
  // Whoever commits tries again by itself; meanwhile the kernel has a clock to watch and workers to end.
  db.run(`PRAGMA busy_timeout = ${BUSY_MS}`);
  return {
    ...all,
    file,
    epoch,
    commit,
    blobs: blobReferences(db),
    checkpoint() {
      try {
        db.run("PRAGMA wal_checkpoint(PASSIVE)");
      } catch {
        // The disk is full or failing: what could not be written back stays in the WAL.
      }
    },
    checkpointAbove(walBytes) {
      const pages = Math.max(1, Math.min(WAL_PAGES, Math.floor(walBytes / pageBytes)));
      db.run(`PRAGMA wal_autocheckpoint = ${pages}`);
    },
    reusableBytes: () =>
      (db.query<{ freelist_count: number }, []>("PRAGMA freelist_count").get()?.freelist_count ?? 0) * pageBytes,
    close() {
      try {
        all.meta.set("stopped", "clean");
        db.run("PRAGMA wal_checkpoint(TRUNCATE)");
      } catch {
        // Not writable at the moment: the next start then takes it for a stop that was not clean, which is right.
      }
      db.close(true);
    },
  };
}

export interface StoreReader
  extends Pick<
    ReturnType<typeof tables>,
    | "signals"
    | "logs"
    | "archive"
    | "history"
    | "runs"
    | "meta"
    | "switches"
    | "silences"
    | "reflexes"
    | "loadedReflexes"
  > {
  /** Changes whenever another connection has committed. */
  version(): number;
  close(): void;
}

/** For commands: reads beside a running kernel or without one, and writes nothing. */
export function openStoreReader(data: string): Result<StoreReader, Problem> {
  const file = storeFile(data);
  const opened = openReader(file);
  if (!opened.ok) {
    const hint = opened.error.kind === "missing" ? "start nerve once with this config" : null;
    return err(problem(`store-${opened.error.kind}`, opened.error.message, hint, file));
  }
  const db = opened.value;
  try {
    const unknown = migrationUnknownHere(db);
    if (unknown !== null) {
      db.close(true);
      return err(newerStore(file, unknown));
    }
    const all = tables(db, file);
    const version = db.prepare<{ data_version: number }, []>("PRAGMA data_version");
    return ok({
      signals: all.signals,
      logs: all.logs,
      archive: all.archive,
      history: all.history,
      runs: all.runs,
      meta: all.meta,
      switches: all.switches,
      silences: all.silences,
      reflexes: all.reflexes,
      loadedReflexes: all.loadedReflexes,
      version: () => version.get()?.data_version ?? 0,
      close: () => db.close(true),
    });
  } catch (error) {
    // Not nerve's, or a kernel is making it at this moment.
    db.close(true);
    return err(unusable(file, error));
  }
}
