/**
 * Owns the folder `.nerve/` beside nerve.yaml, from which editors and `check` know nerve. `nerve init` makes nerve's files in
 * the folder anew and leaves all other files alone. The file `version` is written last: a folder without it is incomplete.
 */
import { lstatSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { err, ok, type Result } from "../../base/result.ts";
import { type Problem, problem } from "../../model/problem.ts";
import { KIT_NAME, type KitFiles } from "./kit.ts";

export const NERVE_FOLDER = ".nerve";
const VERSION_FILE = "version";

export type FolderState =
  | { readonly kind: "none" }
  | { readonly kind: "current" }
  /** `name` is the kit of the folder; null where the folder is incomplete. */
  | { readonly kind: "other"; readonly name: string | null };

/** The state of `.nerve/` in `folder`. */
export function stateOf(folder: string): FolderState {
  const path = join(folder, NERVE_FOLDER);
  if (lstatSync(path, { throwIfNoEntry: false }) === undefined) return { kind: "none" };
  const name = versionIn(path);
  return name === KIT_NAME ? { kind: "current" } : { kind: "other", name };
}

function versionIn(path: string): string | null {
  try {
    return readFileSync(join(path, VERSION_FILE), "utf8").trim();
  } catch {
    return null;
  }
}

/** Null where the folder's kit is the kit of this build. */
export function staleness(folder: string): Problem | null {
  const state = stateOf(folder);
  if (state.kind !== "other") return null;
  const which = state.name === null ? "is not whole" : `is of another build: ${state.name}, and this is ${KIT_NAME}`;
  return problem("stale-types", `${NERVE_FOLDER} ${which}`, "`nerve init` refreshes it", join(folder, NERVE_FOLDER));
}

/** Makes `.nerve/` in `folder` anew. Throws the errors of the file system. */
export function writeNerveFolder(folder: string, files: KitFiles): Result<null, Problem> {
  const path = join(folder, NERVE_FOLDER);
  const there = lstatSync(path, { throwIfNoEntry: false });
  if (there !== undefined && !there.isDirectory()) {
    const hint = "move it away: nerve keeps the types of editors in a folder of this name";
    return err(problem("no-folder", `${NERVE_FOLDER} is there, and is no folder`, hint, path));
  }
  mkdirSync(path, { recursive: true });
  rmSync(join(path, VERSION_FILE), { force: true });
  const tops = new Set(Object.keys(files).map((file) => file.split("/")[0] ?? file));
  for (const top of tops) rmSync(join(path, top), { recursive: true, force: true });
  const made = new Set<string>();
  for (const [file, text] of Object.entries(files)) {
    const target = join(path, file);
    const above = dirname(target);
    if (!made.has(above)) mkdirSync(above, { recursive: true });
    made.add(above);
    writeFileSync(target, text);
  }
  writeFileSync(join(path, VERSION_FILE), `${KIT_NAME}\n`);
  return ok(null);
}
