/**
 * Owns the opening of logs.db for a command that reads, beside the daemon or without a daemon, and the endings of a command
 * that cannot read.
 */
import { join } from "node:path";
import type { Result } from "../../base/result.ts";
import type { Problem } from "../../model/problem.ts";
import { DAMAGED } from "../../store/damage.ts";
import { isKernelRunning } from "../../store/kernel-lock.ts";
import { openStoreReader, type StoreReader } from "../../store/open-reader.ts";
import { unfinishedRestore } from "../../store/restoring.ts";
import { PASSING, storeProblem } from "../../store/tables.ts";
import { FOUND_DAMAGE } from "../frame/found-damage.ts";
import { EXIT, type Failure, fail, type Outcome } from "../frame/outcome.ts";
import { nothingThere, type Place, startCommand } from "./place.ts";

/** Kinds of problems that a second try does not cure. */
const BROKEN: ReadonlySet<string> = new Set([
  DAMAGED,
  "newer-store",
  "store-gone",
  "store-not-a-database",
  "store-symlink",
  "store-not-plain",
  "store-trigger",
]);

/** A part of the store is damaged, or can be derived again. */
const FINDINGS: ReadonlySet<string> = new Set(["archive-damaged", "runs-gone", "incidents-gone"]);

/** The store of this command. An error of SQLite in the midst of an answer is about this file. */
let opened: string | null = null;

export function readStore(place: Place): Result<StoreReader, Failure> {
  const unfinished = unfinishedRestore(place.data);
  if (unfinished !== null) return fail(EXIT.badConfig, unfinished);
  const reader = openStoreReader(place.data, ({ problem: found }) => FOUND_DAMAGE.add(found));
  if (!reader.ok) return storeFailure(place, reader.error);
  opened = join(place.data, "logs.db");
  return reader;
}

/**
 * The ending of a command that found the store damaged or out of reach in the midst of its answer. Null where the error is
 * another one.
 */
export function failureInStore(error: unknown): Outcome | null {
  const found = storeProblem(opened ?? "logs.db", error);
  if (found === null) return null;
  return fail(PASSING.has(found.kind) ? EXIT.inUse : EXIT.badConfig, found);
}

/** The ending of a command that could not open the store. */
export function storeFailure(place: Place, found: Problem): { readonly ok: false; readonly error: Failure } {
  const unfinished = unfinishedRestore(place.data);
  if (unfinished !== null) return fail(EXIT.badConfig, unfinished);
  if (FINDINGS.has(found.kind)) return fail(EXIT.finding, found);
  // A daemon makes the tables of a new store in its first moment.
  if (found.kind === "store-empty" && isKernelRunning(place.data)) {
    return nothingThere(place, { ...found, hint: "a daemon is setting it up: try again in a moment" });
  }
  if (BROKEN.has(found.kind) || found.kind === "store-empty") return fail(EXIT.badConfig, found);
  const start = `no nerve has run on this data yet: start it with \`${startCommand(place)}\``;
  return nothingThere(place, found.kind === "store-missing" ? { ...found, hint: start } : found);
}
