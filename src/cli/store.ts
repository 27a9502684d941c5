/** Opens logs.db for a command that reads it beside the daemon, or without one. */
import type { Database } from "bun:sqlite";
import type { Result } from "../base/result.ts";
import { openReader } from "../sqlite/open.ts";
import { openStoreReader, STORE_MIGRATIONS, type StoreReader, storeFile } from "../store/open.ts";
import { EXIT, type Failure, fail, problem } from "./outcome.ts";
import { nothingThere, type Place, shellWord } from "./place.ts";

export function readStore(place: Place): Result<StoreReader, Failure> {
  const file = storeFile(place.data);
  const newer = newerThanThisBuild(file);
  if (newer !== null) {
    const message = `${file} was written by a newer nerve (it has ${newer})`;
    return fail(
      EXIT.badConfig,
      problem("newer-store", message, "run the build of nerve that wrote it, or a later one"),
    );
  }
  try {
    const opened = openStoreReader(place.data);
    if (opened.ok) return opened;
    const { kind, message } = opened.error;
    if (kind === "store-not-a-database" || kind === "store-symlink") return fail(EXIT.badConfig, opened.error);
    const hint = `no nerve has run on this data yet; start one with \`nerve start -c ${shellWord(place.file)}\``;
    const found = kind === "store-missing" ? problem(kind, message, hint) : opened.error;
    return nothingThere(place, found);
  } catch (error) {
    // Made but not migrated yet: the daemon is in its first moments.
    const message = `${file} is not set up yet: ${(error as Error).message}`;
    return nothingThere(place, problem("store-not-ready", message, "try again in a moment"));
  }
}

/** Name of a migration this build does not know, or null. */
function newerThanThisBuild(file: string): string | null {
  const opened = openReader(file);
  if (!opened.ok) return null;
  const db: Database = opened.value;
  try {
    const known = new Set(STORE_MIGRATIONS.map(({ name }) => name));
    const rows = db.query<{ name: string }, []>("SELECT name FROM _migrations ORDER BY name").all();
    return rows.find(({ name }) => !known.has(name))?.name ?? null;
  } catch {
    return null;
  } finally {
    db.close(true);
  }
}
