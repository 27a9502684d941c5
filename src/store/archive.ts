/**
 * The table of archive files and the watermark: logs with ids up to it are read from the files, those above from the
 * table `logs`, where the former may lie for a while yet. Both are parsed as strictly as a config: what they decide is
 * which logs there are (G2, G8).
 */
import type { Database } from "bun:sqlite";
import type { Log } from "../model/log.ts";
import { prepared } from "../sqlite/prepared.ts";
import { ArchiveDamaged, type ArchiveGap } from "./archive-damage.ts";
import { type ArchiveFile, dayOfName } from "./archive-names.ts";
import { isCount, isId, isTime } from "./columns.ts";
import { refuse, shownValue } from "./damage.ts";
import { LOG_COLUMNS, logGuards } from "./log-row.ts";
import { MetaTable } from "./meta.ts";

const COLUMNS = "file, day, first_id, last_id, rows, bytes, sha256, at, after_id";
const UP_TO = "archived_up_to";
/** The file that is no longer in the table and whose unlinking is not known to be durable yet. */
const REMOVING = "archive_removing";
/** The last log of the newest file that retention removed, 0 while it removed none: the rest must be there. */
const REMOVED_UP_TO = "archive_removed_up_to";

const MEND_ROW = "write what it was, from a copy of logs.db; `nerve archive verify` looks at every file";

/** What is wrong with a column of a row, as `NAME is VALUE`; null when nothing is. */
function faultOf(row: ArchiveFile): string | null {
  const checks: readonly (readonly [keyof ArchiveFile, boolean])[] = [
    ["file", dayOfName(row.file) !== null],
    ["day", dayOfName(row.file) === row.day],
    ["first_id", isId(row.first_id)],
    ["last_id", isId(row.last_id) && row.last_id >= row.first_id],
    ["rows", isId(row.rows) && row.rows <= row.last_id - row.first_id + 1],
    ["bytes", isId(row.bytes)],
    ["sha256", typeof row.sha256 === "string" && /^[0-9a-f]{64}$/.test(row.sha256)],
    ["at", isTime(row.at)],
    ["after_id", row.after_id === null || (isCount(row.after_id) && row.after_id < row.first_id)],
  ];
  const bad = checks.find(([, isGood]) => !isGood)?.[0];
  return bad === undefined ? null : `${bad} is ${shownValue(row[bad])}`;
}

/** What a row contradicts in the row before it; null when nothing does. A lost row between them is a gap. */
function contradiction(before: ArchiveFile, { first_id, after_id }: ArchiveFile): string | null {
  if (first_id <= before.last_id) return `first_id is ${first_id}, but ${before.file} ends with log ${before.last_id}`;
  if (after_id !== null && after_id < before.last_id)
    return `after_id is ${after_id}, but ${before.file}, the one before it, ends with log ${before.last_id}`;
  return null;
}

/** Changes of archive rows by this process, by connection. Those of others show in SQLite's `data_version`. */
const changes = new WeakMap<Database, number>();

const changed = (db: Database): void => void changes.set(db, (changes.get(db) ?? 0) + 1);

/** What was read of the table as of a version. */
interface Known {
  readonly own: number;
  readonly others: number;
  readonly files: readonly ArchiveFile[];
  readonly byName: ReadonlyMap<string, ArchiveFile>;
}

export class ArchiveTable {
  readonly #db: Database;
  readonly #meta: MetaTable;
  readonly #all;
  readonly #version;
  readonly #log;
  readonly #logsAfter;
  readonly #firstLog;
  /** The rows, all of them checked. */
  #known: Known | null = null;

  constructor(db: Database) {
    this.#db = db;
    this.#meta = new MetaTable(db);
    this.#all = prepared<ArchiveFile, []>(db, `SELECT ${COLUMNS} FROM archive ORDER BY first_id`);
    this.#version = prepared<{ data_version: number }, []>(db, "PRAGMA data_version");
    this.#log = prepared<Log, [number]>(db, `SELECT ${LOG_COLUMNS} FROM logs WHERE id = ?`);
    this.#logsAfter = prepared<Log, [number, number]>(
      db,
      `SELECT ${LOG_COLUMNS} FROM logs WHERE id > ? ORDER BY id LIMIT ?`,
    );
    this.#firstLog = prepared<{ id: number | null }, []>(db, "SELECT min(id) AS id FROM logs WHERE id > 0");
  }

  /** The watermark: the highest log id that is known to be in a file; 0 before the first. */
  upTo(): number {
    return this.#mark(UP_TO) ?? 0;
  }

  /** The last log of the newest file that retention removed; null: not known. */
  removedUpTo(): number | null {
    return this.#mark(REMOVED_UP_TO);
  }

  #mark(key: string): number | null {
    const written = this.#meta.get(key);
    if (written === null || /^(0|[1-9]\d{0,15})$/.test(written)) return written === null ? null : Number(written);
    throw this.#damaged(
      `table meta: \`${key}\` is ${shownValue(written)}, and not the id of a log`,
      this.#remedyFor(key),
    );
  }

  #remedyFor(key: string): string {
    const last = this.#all().all().at(-1)?.last_id;
    const known = key === UP_TO && isId(last) ? ` to ${last}, the last log of the newest file` : "";
    return `set it${known}, or put back a copy of logs.db`;
  }

  #damaged(why: string, remedy: string): ArchiveDamaged {
    return new ArchiveDamaged(this.#db.filename, why, remedy, null);
  }

  #versionNow(): Pick<Known, "own" | "others"> {
    return { own: changes.get(this.#db) ?? 0, others: this.#version().get()?.data_version ?? 0 };
  }

  /** What is known of the rows now; null: they have to be read. */
  #knownNow(): Known | null {
    const known = this.#known;
    const { own, others } = this.#versionNow();
    return known?.own === own && known.others === others ? known : null;
  }

  /** In the order of their ids. Throws {@link ArchiveDamaged} when a row cannot be what nerve wrote. */
  all(): readonly ArchiveFile[] {
    return this.#rows().files;
  }

  #rows(): Known {
    const known = this.#knownNow();
    if (known !== null) return known;
    const version = this.#versionNow();
    const { files, damaged } = this.examined();
    const [first] = damaged;
    if (first !== undefined) throw first;
    const read = { ...version, files, byName: new Map(files.map((row) => [row.file, row])) };
    this.#known = read;
    return read;
  }

  /** Every row: those that can be what nerve wrote, in the order of their ids, and what is wrong with the others. */
  examined(): { readonly files: readonly ArchiveFile[]; readonly damaged: readonly ArchiveDamaged[] } {
    const files: ArchiveFile[] = [];
    const damaged: ArchiveDamaged[] = [];
    for (const file of this.#all().all()) {
      const before = files.at(-1);
      const fault = faultOf(file) ?? (before === undefined ? null : contradiction(before, file));
      if (fault === null) files.push(file);
      else damaged.push(this.#damaged(`table archive, row ${shownValue(file.file)}: ${fault}`, MEND_ROW));
    }
    return { files, damaged };
  }

  /** Whether no file holds a log above `id`, whatever else is wrong with the table. */
  isBelow(id: number): boolean {
    const known = this.#knownNow();
    if (known !== null) return (known.files.at(-1)?.last_id ?? 0) <= id;
    const { last = null } =
      this.#db.query<{ last: unknown }, []>("SELECT max(last_id) AS last FROM archive").get() ?? {};
    return last === null || (isCount(last) && (last as number) <= id);
  }

  byName(name: string): ArchiveFile | null {
    return this.#rows().byName.get(name) ?? null;
  }

  /** The file with the lowest ids of those that hold any above `after` and are of `day` or a later one; "": of any. */
  next(after: number, day = ""): ArchiveFile | null {
    return this.all().find((file) => file.last_id > after && file.day >= day) ?? null;
  }

  /**
   * What is lost between a file and the one before it, if it reaches above `from`. Null for the file: between the
   * watermark and the newest, which is to be asked inside a transaction.
   */
  gap(file: ArchiveFile | null, from: number): ArchiveGap | null {
    const files = this.all();
    const follows = file === null ? this.upTo() : file.after_id;
    const before = file === null ? files.at(-1) : files.findLast(({ first_id }) => first_id < file.first_id);
    const end = before?.last_id ?? this.removedUpTo();
    if (follows === null || end === null || Math.max(follows, end) <= from) return null;
    if (end < follows) return { lost: "row", after: end, upTo: follows };
    return file === null && end > follows ? { lost: "watermark", after: follows, upTo: end } : null;
  }

  gaps(): ArchiveGap[] {
    return this.#db.transaction(() => [...this.all(), null].flatMap((file) => this.gap(file, 0) ?? []))();
  }

  /** A file that is durable: its rows are read from it from now on. Inside a commit of the store, as what follows. */
  add(file: ArchiveFile): void {
    changed(this.#db);
    const { day, first_id, last_id, rows, bytes, sha256, at, after_id } = file;
    if (this.upTo() === 0) this.#meta.set(REMOVED_UP_TO, "0");
    this.#db
      .query(`INSERT INTO archive (${COLUMNS}) VALUES (${COLUMNS.replace(/\w+/g, "?")})`)
      .run(file.file, day, first_id, last_id, rows, bytes, sha256, at, after_id);
    this.#meta.set(UP_TO, String(file.last_id));
  }

  /** Forgets a file that is to be unlinked, and the runs and incidents that cannot be derived from logs without it. */
  forget(file: ArchiveFile): void {
    changed(this.#db);
    this.#db.query("DELETE FROM archive WHERE file = ?").run(file.file);
    for (const table of ["workflow_runs", "incidents"]) {
      this.#db.query(`DELETE FROM ${table} WHERE first_log_id <= ?`).run(file.last_id);
    }
    this.#meta.set(REMOVING, file.file);
    this.#meta.set(REMOVED_UP_TO, String(file.last_id));
  }

  /** A transaction was rolled back, and rows that were added or forgotten in it are as before. */
  rolledBack(): void {
    changed(this.#db);
  }

  /** A file that was forgotten and may not be unlinked yet. */
  forgotten(): string | null {
    return this.#meta.get(REMOVING);
  }

  unlinked(): void {
    this.#meta.unset(REMOVING);
  }

  /** The lowest log id that a run or incident which has not ended needs, with the runs it retries; null for none. */
  neededFrom(): number | null {
    const needed = this.#db.query<{ id: number | null }, []>(
      `WITH RECURSIVE needed (id) AS (
         SELECT id FROM workflow_runs WHERE state IN ('queued', 'running', 'sleeping')
         UNION SELECT run.retry_of FROM workflow_runs AS run JOIN needed USING (id) WHERE run.retry_of IS NOT NULL
       ) SELECT min(first_log_id) AS id FROM (
         SELECT first_log_id FROM workflow_runs JOIN needed USING (id)
         UNION ALL SELECT first_log_id FROM incidents WHERE state <> 'resolved'
       )`,
    );
    return needed.get()?.id ?? null;
  }

  /** The lowest id in the table `logs`, or null. */
  firstLogId(): number | null {
    return this.#firstLog().get()?.id ?? null;
  }

  /** Rows of the table `logs`, archived or not. */
  log(id: number): Log | null {
    return logGuards(refuse)(this.#db.filename).orNull(this.#log().get(id));
  }

  /** The oldest rows of the table `logs` at or below the watermark, as they lie there. */
  rowsBelow(limit: number): Log[] {
    const watermark = this.upTo();
    return this.#logsAfter()
      .all(0, limit)
      .filter(({ id }) => id <= watermark);
  }

  logsAfter(after: number, limit: number): Log[] {
    return logGuards(refuse)(this.#db.filename).rows(this.#logsAfter().all(after, limit));
  }

  /** Deletes some of the oldest rows of the table `logs`: at most `limit` of them, none above `last` (G2). */
  removeLogs(last: number, limit: number): void {
    const first = this.firstLogId();
    if (first === null) return;
    this.#db.query("DELETE FROM logs WHERE id >= ? AND id <= ?").run(first, Math.min(last, first + limit - 1));
  }
}
