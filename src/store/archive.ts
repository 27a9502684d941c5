/**
 * The table of archive files and the watermark: logs with ids up to it are read from the files, those above from the
 * table `logs`, where the former may lie for a while yet.
 */
import type { Database } from "bun:sqlite";
import type { Log } from "../model/log.ts";
import type { ArchiveFile, ArchiveGap } from "./archive-files.ts";

const COLUMNS = "file, day, first_id, last_id, rows, bytes, sha256, at, after_id";
const UP_TO = "archived_up_to";
/** The file that is no longer in the table and whose unlinking is not known to be durable yet. */
const REMOVING = "archive_removing";
/** The last log of the newest file that retention removed, 0 while it removed none: the rest must be there. */
const REMOVED_UP_TO = "archive_removed_up_to";

export function archiveTable(db: Database) {
  const meta = db.prepare<{ value: string }, [string]>("SELECT value FROM meta WHERE key = ?");
  const setMeta = db.prepare(
    "INSERT INTO meta (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
  );
  const unsetMeta = db.prepare("DELETE FROM meta WHERE key = ?");
  const all = db.prepare<ArchiveFile, []>(`SELECT ${COLUMNS} FROM archive ORDER BY first_id`);
  const byName = db.prepare<ArchiveFile, [string]>(`SELECT ${COLUMNS} FROM archive WHERE file = ?`);
  const next = db.prepare<ArchiveFile, [number, string]>(
    `SELECT ${COLUMNS} FROM archive WHERE last_id > ? AND day >= ? ORDER BY first_id LIMIT 1`,
  );
  const endBefore = db.prepare<{ last_id: number }, [number]>(
    "SELECT last_id FROM archive WHERE first_id < ? ORDER BY first_id DESC LIMIT 1",
  );
  const insert = db.prepare(`INSERT INTO archive (${COLUMNS}) VALUES (${COLUMNS.replace(/\w+/g, "?")})`);
  const remove = db.prepare("DELETE FROM archive WHERE file = ?");
  const removeRuns = db.prepare("DELETE FROM workflow_runs WHERE first_log_id <= ?");
  const needed = db.prepare<{ id: number | null }, []>(
    `WITH RECURSIVE needed (id) AS (
       SELECT id FROM workflow_runs WHERE state IN ('queued', 'running', 'sleeping')
       UNION SELECT run.retry_of FROM workflow_runs AS run JOIN needed USING (id) WHERE run.retry_of IS NOT NULL
     ) SELECT min(first_log_id) AS id FROM workflow_runs JOIN needed USING (id)`,
  );
  const firstLog = db.prepare<{ id: number | null }, []>("SELECT min(id) AS id FROM logs");
  const log = db.prepare<Log, [number]>(
    "SELECT id, at, level, source, event, run, trace, message, data FROM logs WHERE id = ?",
  );
  const logsAfter = db.prepare<Log, [number, number]>(
    "SELECT id, at, level, source, event, run, trace, message, data FROM logs WHERE id > ? ORDER BY id LIMIT ?",
  );
  const removeLogs = db.prepare("DELETE FROM logs WHERE id >= ? AND id <= ?");
  const upTo = (): number => Number(meta.get(UP_TO)?.value ?? 0);
  /** Null: not known. */
  const removedUpTo = (): number | null => {
    const { value = null } = meta.get(REMOVED_UP_TO) ?? {};
    return value === null ? null : Number(value);
  };
  const gap = (file: ArchiveFile | null, from: number): ArchiveGap | null => {
    const follows = file === null ? upTo() : file.after_id;
    const end = endBefore.get(file?.first_id ?? Number.MAX_SAFE_INTEGER)?.last_id ?? removedUpTo();
    if (follows === null || end === null || Math.max(follows, end) <= from) return null;
    if (end < follows) return { lost: "row", after: end, upTo: follows };
    return file === null && end > follows ? { lost: "watermark", after: follows, upTo: end } : null;
  };
  return {
    /** The watermark: the highest log id that is known to be in a file; 0 before the first. */
    upTo,
    /** In the order of their ids. */
    all: (): ArchiveFile[] => all.all(),
    byName: (file: string): ArchiveFile | null => byName.get(file),
    /** The file with the lowest ids of those that hold any above `after` and are of `day` or a later one; "": of any. */
    next: (after: number, day = ""): ArchiveFile | null => next.get(after, day),
    removedUpTo,
    /**
     * What is lost between a file and the one before it, if it reaches above `from`. Null for the file: between the
     * watermark and the newest, which is to be asked inside a transaction.
     */
    gap,
    gaps: (): ArchiveGap[] => db.transaction(() => [...all.all(), null].flatMap((file) => gap(file, 0) ?? []))(),
    /** A file that is durable: its rows are read from it from now on. Inside a commit of the store, as what follows. */
    add(file: ArchiveFile): void {
      const { day, first_id, last_id, rows, bytes, sha256, at, after_id } = file;
      if (upTo() === 0) setMeta.run(REMOVED_UP_TO, "0");
      insert.run(file.file, day, first_id, last_id, rows, bytes, sha256, at, after_id);
      setMeta.run(UP_TO, String(file.last_id));
    },
    /** Forgets a file that is to be unlinked, and the runs that cannot be derived from logs without it. */
    forget(file: ArchiveFile): void {
      remove.run(file.file);
      removeRuns.run(file.last_id);
      setMeta.run(REMOVED_UP_TO, String(file.last_id));
      setMeta.run(REMOVING, file.file);
    },
    /** The name of the forgotten file that may still be there. */
    forgotten: (): string | null => meta.get(REMOVING)?.value ?? null,
    unlinked: (): void => void unsetMeta.run(REMOVING),
    /** The lowest log id that a run which has not ended needs, with those of the runs it retries; null for none. */
    neededFrom: (): number | null => needed.get()?.id ?? null,
    /** The lowest id in the table `logs`, or null. */
    firstLogId: (): number | null => firstLog.get()?.id ?? null,
    /** Rows of the table `logs`, archived or not. */
    log: (id: number): Log | null => log.get(id),
    logsAfter: (after: number, limit: number): Log[] => logsAfter.all(after, limit),
    /** Deletes some of the oldest rows of the table `logs`: at most `limit` of them, none above `last`. */
    removeLogs(last: number, limit: number): void {
      const first = firstLog.get()?.id ?? null;
      if (first !== null) removeLogs.run(first, Math.min(last, first + limit - 1));
    },
  };
}
