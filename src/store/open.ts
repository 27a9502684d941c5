/**
 * Opens logs.db for the kernel, its one writer: migrations, what is wrong with it, the epoch, and the transaction every
 * change goes through.
 */

import type { Database } from "bun:sqlite";
import { dirname } from "node:path";
import { randomBytes } from "../base/chance.ts";
import { err, ok, type Result } from "../base/result.ts";
import { syncPath } from "../base/sync-path.ts";
import { type Problem, problem } from "../model/problem.ts";
import { runMigrations } from "../sqlite/migrate.ts";
import { openWriter } from "../sqlite/open.ts";
import { WalKeeper } from "../sqlite/wal.ts";
import { BlobReferences } from "./blob-references.ts";
import { DamagedRows, RESTORE, refuse } from "./damage.ts";
import { deliveredUpTo } from "./delivered.ts";
import { EPOCHS, survivorsIn, withEpoch } from "./epochs.ts";
import { scanIn } from "./log-scan.ts";
import { MetaTable } from "./meta.ts";
import { STORE_MIGRATIONS } from "./migrations.ts";
import { idsBelow, idsBeyond } from "./numbering.ts";
import { type Earlier, earlierStore, NO_PROOF, type Restored, restoreSequences } from "./proofs.ts";
import { restoreIncidents, restoreRuns } from "./rebuild.ts";
import { checkPages, checkTables, foreignTrigger, schemaMark } from "./soundness.ts";
import { newerStore, storeFile, type Tables, tablesOf, unusable } from "./tables.ts";

/** What the kernel is to say about the store it opened. */
export interface Notice {
  readonly event: "store.begun-anew" | "store.sequence-restored" | "store.foreign-trigger";
  readonly message: string;
}

export type Store = Tables & {
  readonly file: string;
  /** Changes when the last commits may have been lost, so that a reader's cursor is not trusted across it. */
  readonly epoch: string;
  /** The highest id that names the same signal as in the earlier epoch `epoch`. */
  survivors(epoch: string): number;
  readonly durability: "full" | "normal";
  readonly notices: readonly Notice[];
  readonly damaged: DamagedRows;
  /** Runs `change` in one IMMEDIATE transaction: kept whole or, when it throws, not at all. */
  commit<T>(change: () => T): T;
  /** Makes what is committed durable, whatever `durability` is. */
  sync(): void;
  readonly blobs: BlobReferences;
  /** Writes the WAL back into the database, as far as readers and the disk let it; the next commit then begins it anew. */
  checkpoint(): void;
  /** Does so by itself once the WAL is larger than this; never later than SQLite does unasked. */
  checkpointAbove(walBytes: number): void;
  /** Bytes of pages in the database that nothing uses: room for rows without growing. */
  reusableBytes(): number;
  close(): void;
};

/** How long a commit waits, and everything with it, for another connection that is writing. */
const BUSY_MS = 250;
/** How large the WAL grows before it is written back, unless less is asked for. Source: sqlite.org/pragma.html. */
const WAL_PAGES = 1_000;
/** Reading every page of a larger file takes longer than a start may. */
const CHECKED_BYTES = 128 * 1024 * 1024;

const isNew = (db: Database): boolean =>
  db.query("SELECT 1 FROM sqlite_schema WHERE name = '_migrations'").get() === null;

/** How logs.db is opened. A simulated host keeps the file in memory. */
export type OpenWriter = typeof openWriter;

/** Problems are of kind `newer-store`, `store-migration`, `store-damaged`, `archive-damaged` or what SQLite said. */
export function openStore(
  data: string,
  durability: "full" | "normal",
  bootId: string,
  now: number,
  open: OpenWriter = openWriter,
): Result<Store, Problem> {
  const file = storeFile(data);
  const opened = open(file, durability);
  if (!opened.ok) {
    const hint = opened.error.kind === "not-a-database" ? `${RESTORE}; moved away, nerve begins anew` : null;
    return err(problem(`store-${opened.error.kind}`, opened.error.message, hint, file));
  }
  const db = opened.value;
  try {
    const isFresh = isNew(db);
    const earlier = isFresh ? earlierStore(data) : null;
    if (!isFresh) checkPages(db, CHECKED_BYTES);
    const migrated = runMigrations(db, STORE_MIGRATIONS, now);
    if (migrated.ok) {
      if (!isFresh && keptMark(db) !== schemaMark(db, STORE_MIGRATIONS)) checkTables(db, STORE_MIGRATIONS);
      restoreRuns(db, STORE_MIGRATIONS, scanIn(data), now);
      restoreIncidents(db, STORE_MIGRATIONS, scanIn(data), now);
      return ok(storeOn(db, file, { durability, bootId, earlier }));
    }
    db.close(true);
    const { kind, message, file: name } = migrated.error;
    const hint = /already exists|no such/.test(message) ? RESTORE : null;
    return err(kind === "vanished" ? newerStore(file, name) : problem("store-migration", message, hint, file));
  } catch (error) {
    db.close(true);
    return err(unusable(file, error));
  }
}

const MARK = "schema";

/** Null where none is kept, or nothing can be read. */
function keptMark(db: Database): string | null {
  try {
    return new MetaTable(db).get(MARK);
  } catch {
    // The check of the tables says what is wrong.
    return null;
  }
}

/**
 * `survived`: the highest signal id of before, above which other signals may have had the ids that are given now. Under `normal`, commits since the last checkpoint may be gone after the machine went down without a clean stop. */
function epochOf(meta: MetaTable, { durability, bootId }: Opening, isOther: boolean, survived: number): string {
  const known = meta.get("epoch");
  const lost = meta.get("durability") === "normal" && meta.get("boot") !== bootId && meta.get("stopped") !== "clean";
  const epoch = known === null || lost || isOther ? randomBytes(8).toString("hex") : known;
  meta.set("epoch", epoch);
  if (known !== null && epoch !== known) {
    meta.set("epoch_from", String(survived));
    meta.set(EPOCHS, withEpoch(meta.get(EPOCHS), epoch, survived));
  }
  meta.set("boot", bootId);
  meta.set("durability", durability);
  meta.set("stopped", "no");
  return epoch;
}

interface Opening {
  readonly durability: "full" | "normal";
  readonly bootId: string;
  readonly earlier: Earlier | null;
}

function noticesOf(file: string, earlier: Earlier | null, restored: readonly Restored[]): Notice[] {
  if (earlier !== null) {
    const { beside, ids } = earlier;
    const message = `${file} was missing or empty and is begun anew, though ${beside} lie beside it: signals, logs and runs of before are lost unless a copy of logs.db is put back; ids go on above log ${ids.logs}, signal ${ids.signals} and run ${ids.workflow_runs}`;
    return [{ event: "store.begun-anew", message }];
  }
  return restored.map(({ table, from, to }) => ({
    event: "store.sequence-restored",
    message: `${file}, table sqlite_sequence, row ${table}: seq was ${from}, though ids up to ${to} were given; new ids go on above that`,
  }));
}

function triggerNotice(db: Database): Notice[] {
  const trigger = foreignTrigger(db);
  if (trigger === null) return [];
  const message = `${db.filename} has the ${trigger}, which nerve did not make: the kernel ends when it refuses what nerve writes`;
  return [{ event: "store.foreign-trigger", message }];
}

/** Everything that is read once is read now, so that what is damaged is found at the start. Runs are held against their logs. */
function readAll({ senses, switches, silences, loadedReflexes, meta, archive }: Tables): void {
  senses.all();
  switches.disabled();
  silences.all();
  loadedReflexes.all();
  for (const key of ["blobs_read_signals", "blobs_read_logs"]) meta.count(key);
  archive.upTo();
}

function markSchema(db: Database, meta: MetaTable): void {
  const mark = schemaMark(db, STORE_MIGRATIONS);
  if (meta.get(MARK) !== mark) meta.set(MARK, mark);
}

function storeOn(db: Database, file: string, opening: Opening): Store {
  const [beyond] = idsBeyond(db);
  if (beyond !== undefined) throw beyond;
  const damaged = new DamagedRows();
  const all = tablesOf(db, file, { signals: damaged.add, others: refuse });
  for (const row of idsBelow(db)) damaged.add(row);
  const transaction = db.transaction((change: () => unknown) => change());
  const wal = new WalKeeper(db, file, BUSY_MS);
  const commit = <T>(change: () => T): T => {
    try {
      const value = transaction.immediate(() => {
        all.logs.begins();
        const made = change();
        all.logs.settle();
        return made;
      }) as T;
      all.signals.committed();
      all.logs.committed();
      return value;
    } catch (error) {
      for (const table of [all.signals, all.logs, all.archive, all.senses]) table.rolledBack();
      throw error;
    } finally {
      wal.committed();
    }
  };
  const pageBytes = db.query<{ page_size: number }, []>("PRAGMA page_size").get()?.page_size ?? 0;
  const { earlier, durability } = opening;
  const { epoch, restored } = commit(() => {
    const survived = all.signals.lastId();
    const ids = earlier?.ids ?? NO_PROOF;
    const signals = Math.max(ids.signals, deliveredUpTo(dirname(file), all.meta, survived));
    const restored = restoreSequences(db, { ...ids, signals });
    markSchema(db, all.meta);
    return { restored, epoch: epochOf(all.meta, opening, restored.length > 0, survived) };
  });
  readAll(all);
  // Whoever commits tries again by itself; meanwhile the kernel has a clock to watch and workers to end.
  db.run(`PRAGMA busy_timeout = ${BUSY_MS}`);
  return {
    ...all,
    file,
    epoch,
    survivors: (former) => survivorsIn(all.meta, former),
    durability,
    damaged,
    notices: [...noticesOf(file, earlier, restored), ...triggerNotice(db)],
    commit,
    // SQLite holds no lock on the WAL itself, so that closing another descriptor of it lets go of none.
    sync: () => (durability === "full" ? undefined : syncPath(`${file}-wal`)),
    blobs: new BlobReferences(db),
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
      wal.stop();
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
