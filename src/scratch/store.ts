/** The migrations that logs.db has yet to get, tried on a copy: what a start of the daemon would do to it. */
import { join } from "node:path";
import { err, ok, type Result } from "../base/result.ts";
import type { Problem } from "../model/problem.ts";
import { openReader } from "../sqlite/open.ts";
import { STORE_MIGRATIONS } from "../store/migrations.ts";
import { openStore } from "../store/open.ts";
import { appliedTo, migrationUnknownHere, newerStore, storeFile } from "../store/tables.ts";
import { copyDatabase, type ScratchFolder } from "./folder.ts";

/** Names of the migrations; none where there is no logs.db, or where this process may not read one. */
export function rehearseStore(folder: ScratchFolder, data: string): Result<readonly string[], Problem> {
  const file = storeFile(data);
  const opened = openReader(file);
  if (!opened.ok) return ok([]);
  const db = opened.value;
  let pending: string[];
  try {
    const unknown = migrationUnknownHere(db);
    if (unknown !== null) return err(newerStore(file, unknown));
    const applied = new Set(appliedTo(db));
    pending = STORE_MIGRATIONS.map(({ name }) => name).filter((name) => !applied.has(name));
  } catch {
    // A kernel is making it at this moment, or it is damaged, which whoever reads it says.
    return ok([]);
  } finally {
    db.close(true);
  }
  return pending.length === 0 ? ok([]) : migrateCopy(folder, data, pending);
}

function migrateCopy(folder: ScratchFolder, data: string, pending: string[]): Result<readonly string[], Problem> {
  const file = storeFile(data);
  const room = folder.folder("store");
  const copied = copyDatabase(file, storeFile(room));
  if (!copied.ok) return copied;
  const opened = openStore(room, "normal", "rehearsal", 0);
  if (!opened.ok) {
    const { message } = opened.error;
    return err({ ...opened.error, file, message: message.replaceAll(join(room, ""), join(data, "")) });
  }
  opened.value.close();
  return ok(pending);
}
