/** A restore that is under way in a data directory, or was killed there: what lies in the directory is not whole. */
import { lstatSync } from "node:fs";
import { join } from "node:path";
import { type Problem, problem } from "../model/problem.ts";

/** The file that says so. */
export const RESTORING = "restoring";

export function unfinishedRestore(data: string): Problem | null {
  if (lstatSync(join(data, RESTORING), { throwIfNoEntry: false }) === undefined) return null;
  const message = `${data} holds a restore that is not finished`;
  return problem("restore-unfinished", message, "run `nerve restore DIR` again: it begins anew", data);
}
