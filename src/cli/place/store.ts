/** Opens logs.db for a command that reads it beside the daemon, or without one. */
import type { Result } from "../../base/result.ts";
import { type Problem, problem } from "../../model/problem.ts";
import { openStoreReader, type StoreReader } from "../../store/open.ts";
import { EXIT, type Failure, fail } from "../frame/outcome.ts";
import { shellWord } from "../screen/shell-word.ts";
import { nothingThere, type Place } from "./place.ts";

/** What trying again does not cure. */
const BROKEN: ReadonlySet<string> = new Set(["newer-store", "store-not-a-database", "store-symlink"]);

export function readStore(place: Place): Result<StoreReader, Failure> {
  const opened = openStoreReader(place.data);
  return opened.ok ? opened : storeFailure(place, opened.error);
}

/** How a command ends that could not open the store. */
export function storeFailure(place: Place, found: Problem): { readonly ok: false; readonly error: Failure } {
  if (found.kind === "archive-damaged") return fail(EXIT.finding, found);
  if (BROKEN.has(found.kind)) return fail(EXIT.badConfig, found);
  if (found.message.includes("no such table: workflow_runs")) {
    const hint = "`nerve rebuild` derives it from the logs, and so does the daemon's next start";
    return fail(EXIT.finding, problem("runs-gone", "the table of runs is gone", hint, found.file));
  }
  if (found.message.includes("no such table")) {
    return nothingThere(place, { ...found, hint: "a daemon is setting it up: try again in a moment" });
  }
  const start = `no nerve has run on this data yet; start one with \`nerve start -c ${shellWord(place.file)}\``;
  return nothingThere(place, found.kind === "store-missing" ? { ...found, hint: start } : found);
}
