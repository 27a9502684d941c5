/**
 * Owns the proof of a backup: every file is unchanged and no other is there, the databases are whole, the table of runs
 * agrees with the logs, and the archive is the one that logs.db knows. The proof only reads, also from a medium that cannot
 * be written.
 */
import { lstatSync } from "node:fs";
import { join } from "node:path";
import { counted } from "../base/counted.ts";
import { err, ok, type Result } from "../base/result.ts";
import { type Problem, problem } from "../model/problem.ts";
import { sha256Of } from "../release/sums.ts";
import { describeSqliteError, openReader } from "../sqlite/open.ts";
import { openStoreReader } from "../store/open-reader.ts";
import { checkStore } from "../store/rebuild-store.ts";
import { verifyArchive } from "../store/verify-archive.ts";
import { digestOfBlob, isDatabase, walk } from "./layout.ts";
import { type BackupFile, MANIFEST, MANIFEST_SUM, type Manifest, readManifest } from "./manifest.ts";

const damaged = (path: string, message: string): Problem =>
  problem("backup-damaged", `${path} ${message}`, "take another backup", path);

/** The fault of one file by its bytes, or null. */
export async function faultOfFile(folder: string, { path, bytes, sha256 }: BackupFile): Promise<Problem | null> {
  const file = join(folder, path);
  const stats = lstatSync(file, { throwIfNoEntry: false });
  if (stats === undefined) return damaged(file, "is missing");
  if (!stats.isFile()) return damaged(file, "is not a plain file");
  if (stats.size !== bytes) return damaged(file, `holds ${stats.size} bytes, not ${bytes}`);
  if ((await sha256Of(file)) !== sha256) return damaged(file, "is not what was written: its SHA-256 is another");
  const digest = digestOfBlob(path);
  return digest === null || digest === sha256 ? null : damaged(file, "is not the blob that its name says");
}

function strangers(folder: string, { files }: Manifest): Problem[] {
  const known = new Set([MANIFEST, MANIFEST_SUM, ...files.map(({ path }) => path)]);
  return walk(folder)
    .filter((path) => !known.has(path))
    .map((path) => {
      const file = join(folder, path);
      return problem("backup-damaged", `${file} is not in ${MANIFEST}`, "move it away", file);
    });
}

function faultOfDatabase(file: string): Problem | null {
  const opened = openReader(file);
  if (!opened.ok) return problem("backup-damaged", opened.error.message, null, file);
  try {
    const [row] = opened.value.query<{ integrity_check: string }, []>("PRAGMA integrity_check(1)").all();
    return row === undefined || row.integrity_check === "ok" ? null : damaged(file, row.integrity_check);
  } catch (error) {
    return problem("backup-damaged", describeSqliteError(file, error).message, null, file);
  } finally {
    opened.value.close(true);
  }
}

/** The faults of logs and archive. The databases are whole. */
async function faultsOfStore(folder: string): Promise<Problem[]> {
  const compared = checkStore(folder);
  if (!compared.ok) return [compared.error];
  const { differing, wasGone, faults } = compared.value;
  const differs = `the table of runs in ${join(folder, "logs.db")} is not what the logs say: ${counted(differing, "run differs", "runs differ")}`;
  const runs = differing === 0 && !wasGone ? [] : [problem("runs-differ", differs)];
  const damaged: Problem[] = [];
  const store = openStoreReader(folder, ({ problem: found }) => void damaged.push(found));
  if (!store.ok) return [store.error];
  try {
    const { problems } = await verifyArchive(store.value, folder);
    return [...runs, ...damaged, ...faults.map(({ message }) => problem("bad-history", message)), ...problems];
  } finally {
    store.value.close();
  }
}

/** The manifest, or all faults. */
export async function proveBackup(folder: string): Promise<Result<Manifest, readonly Problem[]>> {
  const read = readManifest(folder);
  if (!read.ok) return err([read.error]);
  const manifest = read.value;
  const found = strangers(folder, manifest);
  for (const file of manifest.files) {
    const fault = await faultOfFile(folder, file);
    if (fault !== null) found.push(fault);
  }
  if (found.length > 0) return err(found);
  const databases = manifest.files.filter(({ path }) => isDatabase(path));
  const faults = databases.flatMap(({ path }) => faultOfDatabase(join(folder, path)) ?? []);
  if (faults.length > 0) return err(faults);
  const told = await faultsOfStore(folder);
  return told.length === 0 ? ok(manifest) : err(told);
}
