/** `nerve rebuild`: opens logs.db beside a kernel, or without one, and compares its runs with its logs. */
import type { Database } from "bun:sqlite";
import { err, ok, type Result } from "../base/result.ts";
import { type Problem, problem } from "../model/problem.ts";
import { openReader, openWriter } from "../sqlite/open.ts";
import { ArchiveDamaged } from "./archive-files.ts";
import { logHistory } from "./log-history.ts";
import { migrationUnknownHere, newerStore, STORE_MIGRATIONS, storeFile, unusable } from "./open.ts";
import { type Comparison, checkRuns, rebuildRuns, restoreRuns, type ScanOf } from "./rebuild.ts";

export interface Rebuilt extends Comparison {
  /** The table was gone, and was made anew. */
  readonly wasGone: boolean;
}

/** Changes nothing. */
export const checkStore = (data: string): Result<Rebuilt, Problem> =>
  withReader(data, (reader) => {
    const compared = checkRuns(reader, historyIn(data));
    return ok(compared === null ? { ...NOTHING, wasGone: true } : { ...compared, wasGone: false });
  });

const NOTHING: Comparison = { runs: 0, events: 0, differing: 0, differences: [], faulty: 0, faults: [] };

/** Puts right what differs. */
export const rebuildStore = (data: string, durability: "full" | "normal", now: number): Result<Rebuilt, Problem> =>
  withReader(data, (reader, file) => {
    const opened = openWriter(file, durability);
    if (!opened.ok) return err(problem(`store-${opened.error.kind}`, opened.error.message, null, file));
    const writer = opened.value;
    try {
      const restored = restoreRuns(writer, STORE_MIGRATIONS, historyIn(data), now);
      if (restored !== null) return ok({ ...restored, wasGone: true });
      // Every log is read before anything is written: what is damaged may lie behind much that would be put right.
      const checked = checkRuns(reader, historyIn(data));
      const isRight = checked?.differing === 0;
      return ok({ ...(isRight ? checked : rebuildRuns(reader, writer, historyIn(data))), wasGone: false });
    } finally {
      writer.close(true);
    }
  });

/** Logs in table and archive. */
const historyIn =
  (data: string): ScanOf =>
  (db) =>
    logHistory(db, data).scan;

function withReader(
  data: string,
  act: (reader: Database, file: string) => Result<Rebuilt, Problem>,
): Result<Rebuilt, Problem> {
  const file = storeFile(data);
  const opened = openReader(file);
  if (!opened.ok) return err(problem(`store-${opened.error.kind}`, opened.error.message, null, file));
  const reader = opened.value;
  try {
    const unknown = migrationUnknownHere(reader);
    return unknown === null ? act(reader, file) : err(newerStore(file, unknown));
  } catch (error) {
    if (error instanceof ArchiveDamaged) return err(error.problem);
    if ((error as { code?: string }).code?.startsWith("SQLITE_")) return err(unusable(file, error));
    throw error;
  } finally {
    reader.close(true);
  }
}
