/**
 * A sense's own database and the one transaction that each of its computes is (G7): it begins at the first statement,
 * is kept together with the compute's signal in `_outbox`, or is rolled back whole. Opened at the first use, so that a
 * sense that keeps nothing has no file.
 */
import type { Database, Statement } from "bun:sqlite";
import { FileWatch } from "../base/file-watch.ts";
import { err, ok, type Result } from "../base/result.ts";
import type { SenseDatabase } from "../sdk/index.ts";
import { type MigrationFile, type MigrationProblem, runMigrations } from "../sqlite/migrate.ts";
import { describeSqliteError, openWriter, releasePages, type SqliteProblem, WRITER_BUSY_MS } from "../sqlite/open.ts";
import { shortage } from "../sqlite/size.ts";
import { WalKeeper } from "../sqlite/wal.ts";
import type { JsonCopy } from "../worker/json-copy.ts";
import { author, type ComputeAuthor } from "./author.ts";
import { AuthorError, authorDatabase, type Gate } from "./author-database.ts";
import { Outbox, type OutboxRow, type Signed } from "./outbox.ts";
import { Savepoints } from "./savepoints.ts";
import { Taken, type TakenUpTo } from "./taken.ts";

/** How a compute's transaction ended. */
export interface ComputeCommit {
  /** The rows that its signals were kept in, in their order; none for a lone signal of a compute that wrote nothing. */
  readonly outbox: readonly number[];
  readonly wrote: boolean;
}

export interface SenseDb {
  /** What the author gets. Its statements run only while a compute is under way. */
  readonly database: SenseDatabase;
  /** Opens the file, applies migrations, and answers with the names of those applied. A sense without migrations can wait. */
  prepare(): Result<readonly string[], SqliteProblem | MigrationProblem>;
  /** Of a database that is open: what has become of its file, in words for people; null: nothing. */
  lost(): string | null;
  /** How far the items of `origin` are taken; 0: none is. */
  itemsTaken(origin: string): number;
  /** How far signals were delivered, by the epoch of their ids. */
  signalsTaken(): readonly TakenUpTo[];
  begin(): void;
  /** The compute under way takes this: recorded with what the compute keeps. */
  takes(handed: readonly TakenUpTo[]): void;
  /**
   * Keeps what was written since `begin`, with the signals of these payloads. Several are kept whatever was written. Throws what
   * SQLite throws, having rolled back.
   */
  keep(payloads: readonly Pick<JsonCopy, "text">[], signed: Signed): ComputeCommit;
  rollBack(): void;
  /** Rows the kernel has not taken yet, oldest first, at most `limit`. */
  waiting(after: number, limit: number): OutboxRow[];
  /** The kernel has committed the rows up to `id`: they go with the next compute's transaction or at close. */
  taken(id: number): void;
  close(): void;
}

/** Damage that was put right, in words. */
type Report = (message: string) => void;

/**
 * `outboxTaken` is the highest row that the kernel has ever taken from this sense. `migrations` are read by the caller. `full`:
 * what a compute keeps survives a power loss.
 */
export const openSenseDb = (
  file: string,
  migrations: readonly MigrationFile[],
  outboxTaken: number,
  now: () => number,
  report: Report,
  durability: "full" | "normal" = "normal",
): SenseDb => new SenseFile(file, migrations, outboxTaken, now, report, durability);

/** A sense that uses its database less often than this keeps no pages of it in memory meanwhile. */
const SELDOM_MS = 250;
/** Between two looks at the file. */
const LOOK_MS = 250;
const REMEDY = "put the file back, or move it away for the sense to begin anew; then `nerve reload`";
const OUTSIDE = "the sense's database can only be used while its compute runs";
const LOST = "the compute's transaction was rolled back by a conflict, nothing more can be written in it";
const NOT_ENDED = "a db.transaction had not ended when the compute returned: await it";

/** Everything that exists once the file is open. */
interface Connection {
  readonly db: Database;
  readonly outbox: Outbox;
  readonly taken: Taken;
  readonly wal: WalKeeper;
  readonly watch: FileWatch;
  readonly totalChanges: Statement<{ n: number }, []>;
}

const NOTHING: readonly TakenUpTo[] = [];

class SenseFile implements SenseDb, Gate {
  readonly database: SenseDatabase;
  readonly #file: string;
  readonly #migrations: readonly MigrationFile[];
  readonly #now: () => number;
  readonly #nested = new Savepoints();
  #takenUpTo: number;
  #connection: Connection | null = null;
  /** Whether a compute is under way, and whose code it is. */
  #isActive = false;
  #owner: ComputeAuthor | null = null;
  /** Of the compute's transaction, from its first statement on. */
  #inTransaction = false;
  #usedAt = Number.NEGATIVE_INFINITY;
  #isSeldom = true;
  #changedSchema = false;
  #handed: readonly TakenUpTo[] = NOTHING;
  #changesBefore = 0;
  readonly #report: Report;
  readonly #durability: "full" | "normal";
  #lookedAt = Number.NEGATIVE_INFINITY;

  constructor(
    file: string,
    migrations: readonly MigrationFile[],
    outboxTaken: number,
    now: () => number,
    report: Report,
    durability: "full" | "normal",
  ) {
    this.#report = report;
    this.#durability = durability;
    this.#file = file;
    this.#migrations = migrations;
    this.#takenUpTo = outboxTaken;
    this.#now = now;
    this.database = authorDatabase(this, this.#nested);
  }

  prepare(): Result<readonly string[], SqliteProblem | MigrationProblem> {
    if (this.#connection) return ok([]);
    const opened = openWriter(this.#file, this.#durability);
    if (!opened.ok) return err(opened.error);
    const db = opened.value;
    try {
      const missing = shortage(db);
      if (missing !== null)
        throw new Error(
          `the file ${missing}; put back an untouched copy, or move the file away: the sense begins anew`,
        );
      const applied = runMigrations(db, this.#migrations, this.#now());
      if (applied.ok) {
        this.#connection = this.#connect(db);
        releasePages(db);
      } else db.close(true);
      return applied;
    } catch (error) {
      // A full disk, a damaged page, or a table of the author's that has the name of one of ours.
      db.close(true);
      return err(describeSqliteError(this.#file, error));
    }
  }

  #connect(db: Database): Connection {
    return {
      db,
      outbox: new Outbox(db, this.#takenUpTo, this.#report),
      taken: new Taken(db),
      wal: new WalKeeper(db, this.#file, WRITER_BUSY_MS),
      watch: new FileWatch(this.#file),
      totalChanges: db.prepare("SELECT total_changes() AS n"),
    };
  }

  #open(): Connection {
    if (this.#connection === null) {
      const prepared = this.prepare();
      if (!prepared.ok) throw new AuthorError(prepared.error.message);
    }
    if (this.#connection === null) throw new AuthorError(`${this.#file} is closed`);
    return this.#connection;
  }

  /** Every statement of the author passes here. */
  enter(): Database {
    // What an earlier compute left running must not write into the one under way now.
    if (!this.#isActive || (author.getStore() ?? this.#owner) !== this.#owner) throw new AuthorError(OUTSIDE);
    const db = this.#begun();
    // INSERT OR ROLLBACK and RAISE(ROLLBACK) end the transaction. Each statement after that would be kept on its own.
    if (!db.inTransaction) throw new AuthorError(LOST);
    return db;
  }

  defines(): void {
    this.#changedSchema = true;
  }

  /** The connection, within the compute's transaction. */
  #begun(): Database {
    const { db, totalChanges } = this.#open();
    if (this.#inTransaction) return db;
    db.run("BEGIN");
    this.#inTransaction = true;
    const now = performance.now();
    this.#isSeldom = now - this.#usedAt > SELDOM_MS;
    this.#usedAt = now;
    this.#changesBefore = totalChanges.get()?.n ?? 0;
    return db;
  }

  signalsTaken(): readonly TakenUpTo[] {
    return this.#connection?.taken.ofSignals() ?? NOTHING;
  }

  itemsTaken(origin: string): number {
    return this.#connection?.taken.upTo(origin) ?? 0;
  }

  lost(): string | null {
    if (this.#connection === null || performance.now() - this.#lookedAt < LOOK_MS) return null;
    this.#lookedAt = performance.now();
    const what = this.#connection.watch.lost();
    return what === null
      ? null
      : `${this.#file} ${what} while nerve ran: what a compute keeps would be lost; ${REMEDY}`;
  }

  begin(): void {
    this.#isActive = true;
    this.#changedSchema = false;
    this.#handed = NOTHING;
    this.#owner = author.getStore() ?? null;
  }

  takes(handed: readonly TakenUpTo[]): void {
    this.#handed = handed;
  }

  keep(payloads: readonly Pick<JsonCopy, "text">[], { cause, trace, now }: Signed): ComputeCommit {
    this.#isActive = false;
    const handed = this.#handed;
    const mustWrite = payloads.length > 1 || handed.length > 0;
    if (mustWrite) this.#begun();
    if (!this.#inTransaction || this.#connection === null) return { outbox: [], wrote: false };
    const { db, outbox, taken, wal, totalChanges } = this.#connection;
    if (!db.inTransaction || this.#nested.open > 0) {
      const why = this.#nested.open > 0 ? NOT_ENDED : LOST;
      this.rollBack();
      throw new AuthorError(why);
    }
    const wrote = mustWrite || this.#changedSchema || (totalChanges.get()?.n ?? 0) !== this.#changesBefore;
    try {
      if (wrote) outbox.sweep();
      const rows = wrote ? payloads.map(({ text: payload }) => outbox.add({ payload, cause, trace, at: now })) : [];
      for (const each of handed) taken.record(each);
      db.run("COMMIT");
      this.#inTransaction = false;
      if (this.#isSeldom) releasePages(db);
      if (handed.length > 0) taken.kept();
      if (wrote) wal.committed();
      return { outbox: rows, wrote };
    } catch (error) {
      outbox.rolledBack();
      this.rollBack();
      throw error;
    }
  }

  rollBack(): void {
    this.#isActive = false;
    this.#nested.reset();
    if (!this.#inTransaction) return;
    this.#inTransaction = false;
    if (this.#connection === null) return;
    const { db } = this.#connection;
    if (db.inTransaction) db.run("ROLLBACK");
    if (this.#isSeldom) releasePages(db);
  }

  waiting(after: number, limit: number): OutboxRow[] {
    return this.#connection?.outbox.waiting(after, limit) ?? [];
  }

  taken(id: number): void {
    this.#takenUpTo = Math.max(this.#takenUpTo, id);
    this.#connection?.outbox.taken(id);
  }

  close(): void {
    this.rollBack();
    if (this.#connection === null) return;
    const { db, outbox, wal } = this.#connection;
    wal.stop();
    try {
      outbox.sweep();
      db.run("PRAGMA wal_checkpoint(TRUNCATE)");
    } catch {
      // Someone else holds the file, or the disk is full. Neither step is needed, and leaving must not fail.
    }
    db.close(true);
    this.#connection = null;
  }
}
