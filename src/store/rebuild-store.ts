/** `nerve rebuild`: opens logs.db beside a kernel, or without one, and compares its runs with its logs. */
import type { Database } from "bun:sqlite";
import { err, ok, type Result } from "../base/result.ts";
import { type Problem, problem } from "../model/problem.ts";
import { openReader, openWriter } from "../sqlite/open.ts";
import { hasIncidents } from "./incidents.ts";
import { scanIn } from "./log-scan.ts";
import { STORE_MIGRATIONS } from "./migrations.ts";
import { storeFault, unopened } from "./open-reader.ts";
import { rebuildRuns, restoreIncidents, restoreRuns } from "./rebuild.ts";
import { type Comparison, checkRuns } from "./run-comparison.ts";
import { storeFile, storeProblem } from "./tables.ts";

export interface Rebuilt extends Comparison {
  /** The table was gone, and was made anew. */
  readonly wasGone: boolean;
}

/** Changes nothing. `open`: how logs.db is opened. */
export const checkStore = (data: string, open: typeof openReader = openReader): Result<Rebuilt, Problem> =>
  withReader(data, open, (reader) => {
    const compared = checkRuns(reader, scanIn(data));
    return ok(compared === null ? { ...NOTHING, wasGone: true } : { ...compared, wasGone: false });
  });

const NOTHING: Comparison = {
  runs: 0,
  events: 0,
  differing: 0,
  differences: [],
  faulty: 0,
  faults: [],
  incidents: { incidents: 0, differing: 0, differences: [], faults: [], wasGone: false },
};

/** Puts right what differs. */
export const rebuildStore = (data: string, durability: "full" | "normal", now: number): Result<Rebuilt, Problem> =>
  withReader(data, openReader, (reader, file) => {
    const opened = openWriter(file, durability);
    if (!opened.ok) return err(problem(`store-${opened.error.kind}`, opened.error.message, null, file));
    const writer = opened.value;
    try {
      const restored = restoreRuns(writer, STORE_MIGRATIONS, scanIn(data), now);
      // Damaged rows are compared below, and put right with all others.
      const wasGone = !hasIncidents(writer) && restoreIncidents(writer, STORE_MIGRATIONS, scanIn(data), now) !== null;
      const asRestored = (all: Comparison): Comparison => ({ ...all, incidents: { ...all.incidents, wasGone } });
      if (restored !== null) return ok({ ...asRestored(restored), wasGone: true });
      // Every log is read before anything is written: what is damaged may lie behind much that would be put right.
      const checked = checkRuns(reader, scanIn(data));
      const isRight = checked?.differing === 0 && checked.incidents.differing === 0;
      return ok({ ...asRestored(isRight ? checked : rebuildRuns(reader, writer, scanIn(data))), wasGone: false });
    } finally {
      writer.close(true);
    }
  });

function withReader(
  data: string,
  open: typeof openReader,
  act: (reader: Database, file: string) => Result<Rebuilt, Problem>,
): Result<Rebuilt, Problem> {
  const file = storeFile(data);
  const opened = open(file);
  if (!opened.ok) return err(unopened(data, opened.error));
  const reader = opened.value;
  try {
    // Whatever is damaged, the table is not to be made like it: not even rows that would be right are written.
    const fault = storeFault(reader, file, Number.POSITIVE_INFINITY);
    return fault === null ? act(reader, file) : err(fault);
  } catch (error) {
    const found = storeProblem(file, error);
    if (found === null) throw error;
    return err(found);
  } finally {
    reader.close(true);
  }
}
