/** Opens logs.db for commands: reads beside a running kernel or without one, and writes nothing. */
import type { Database } from "bun:sqlite";
import { err, ok, type Result } from "../base/result.ts";
import { type Problem, problem } from "../model/problem.ts";
import { openReader, type SqliteProblem } from "../sqlite/open.ts";
import { archiveFolder } from "./archive-names.ts";
import { type OnDamage, RESTORE, StoreDamaged } from "./damage.ts";
import { STORE_MIGRATIONS } from "./migrations.ts";
import { misplacedLogs } from "./misplaced.ts";
import { idsBelow, idsBeyond, lowSequences } from "./numbering.ts";
import { besideStore } from "./proofs.ts";
import { checkPages, checkTables } from "./soundness.ts";
import { appliedTo, migrationUnknownHere, newerStore, storeFile, type Tables, tablesOf, unusable } from "./tables.ts";

export type StoreReader = Omit<Tables, "senses"> & {
  /** Changes whenever another connection has committed. */
  version(): number;
  close(): void;
};

/** Reading every page of a larger file takes longer than an answer may. */
const CHECKED_BYTES = 32 * 1024 * 1024;

/** A store that no migration has made yet: a kernel is at it at this moment, or its file was emptied. */
const EMPTY = "store-empty";

function emptyProblem(db: Database): Problem | null {
  const tables = db.query<{ name: string }, []>("SELECT name FROM sqlite_schema WHERE type = 'table'").all();
  if (tables.some(({ name }) => name === "_migrations")) return null;
  if (tables.length === 0) return problem(EMPTY, `${db.filename} holds no table`, RESTORE, db.filename);
  return new StoreDamaged(db.filename, "the table _migrations is gone", RESTORE).problem;
}

/** What is wrong with an open store, or null. */
export function storeFault(db: Database, file: string, mostBytes: number): Problem | null {
  const empty = emptyProblem(db);
  if (empty !== null) return empty;
  const unknown = migrationUnknownHere(db);
  if (unknown !== null) return newerStore(file, unknown);
  const applied = new Set(appliedTo(db));
  checkTables(
    db,
    STORE_MIGRATIONS.filter(({ name }) => applied.has(name)),
  );
  checkPages(db, mostBytes);
  return null;
}

/** What follows from the logs can be derived again. */
function derivedGone(db: Database): Problem | null {
  const has = (table: string): boolean =>
    db.query("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?").get(table) !== null;
  const hint = "`nerve rebuild` derives it from the logs, and so does the daemon's next start";
  if (!has("workflow_runs")) return problem("runs-gone", "the table of runs is gone", hint, db.filename);
  if (has("incidents") || !appliedTo(db).includes("0011_incidents.sql")) return null;
  return problem("incidents-gone", "the table of incidents is gone", hint, db.filename);
}

/** The file is gone, and what nerve kept beside it is not. */
const GONE = "store-gone";

/** Why a reader of the store in `data` could not open it. */
export function unopened(data: string, { kind, message, file }: SqliteProblem): Problem {
  const beside = kind === "missing" ? besideStore(data) : null;
  if (beside !== null) {
    const hint =
      "put back a copy of logs.db; without one the daemon's next start begins anew, and signals, logs and runs are lost";
    return problem(GONE, `${file} is gone, though ${beside} lie beside it`, hint, file);
  }
  const hint = kind === "missing" ? "start nerve once with this config" : kind === "not-a-database" ? RESTORE : null;
  return problem(`store-${kind}`, message, hint, file);
}

/** `onDamage`: to whom rows are told that are damaged. Readers go on without them. */
export function openStoreReader(data: string, onDamage: OnDamage): Result<StoreReader, Problem> {
  const file = storeFile(data);
  const opened = openReader(file);
  if (!opened.ok) return err(unopened(data, opened.error));
  const db = opened.value;
  try {
    const fault = storeFault(db, file, CHECKED_BYTES) ?? derivedGone(db);
    if (fault !== null) {
      db.close(true);
      return err(fault);
    }
    const { senses: _, ...tables } = tablesOf(db, file, { signals: onDamage, others: onDamage });
    const unlisted = [
      ...idsBelow(db),
      ...idsBeyond(db),
      ...lowSequences(db),
      ...misplacedLogs(tables.archive, file, archiveFolder(data)),
    ];
    for (const found of unlisted) onDamage(found);
    const version = db.prepare<{ data_version: number }, []>("PRAGMA data_version");
    return ok({ ...tables, version: () => version.get()?.data_version ?? 0, close: () => db.close(true) });
  } catch (error) {
    // Not nerve's, or a kernel is making it at this moment.
    db.close(true);
    return err(unusable(file, error));
  }
}
