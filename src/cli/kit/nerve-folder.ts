/**
 * The folder `.nerve/` beside nerve.yaml: what editors and `check` know nerve by. nerve's own, and made anew by `nerve init`;
 * other things in it are left alone. The file `version` is written last, so a folder without it is not whole.
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
  /** `name`: of which kit; null where it is not whole. */
  | { readonly kind: "other"; readonly name: string | null };

/** Of the folder `.nerve/` in `folder`. */
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

/** Null where an editor and `check` know this build. */
export function staleness(folder: string): Problem | null {
  const state = stateOf(folder);
  if (state.kind !== "other") return null;
  const which = state.name === null ? "is not whole" : `is of another build: ${state.name}, and this is ${KIT_NAME}`;
  return problem("stale-types", `${NERVE_FOLDER} ${which}`, "`nerve init` refreshes it", join(folder, NERVE_FOLDER));
}

/** Makes `.nerve/` in `folder` anew. Throws what the file system refuses. */
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
