/**
 * `nerve/sources`: what senses share that read what a host may have or lack: files by a pattern, and the one log where there is
 * nothing to read.
 */
import { opendir, stat } from "node:fs/promises";
import { join } from "node:path";
import { matches } from "./glob.ts";
import type { Log } from "./index.ts";

const told = new WeakSet<object>();

/**
 * What a compute returns where the host lacks what the sense reads: no signal. The log is written once in the life of a worker.
 * `db` is the sense's own, by which it is known.
 */
export function lacking(db: object, log: Log, message: string): null {
  if (!told.has(db)) log("info", message);
  told.add(db);
  return null;
}

export interface FoundFile {
  readonly path: string;
  readonly bytes: number;
  /** Unix milliseconds of the last change of its content. */
  readonly changed_at: number;
}

/** More names take too long to look at. */
const MOST_NAMES = 20_000;

/**
 * The regular files that a path names. `*` in it stands for any run of characters within one name, and not for a dot that a
 * name begins with. Throws where that are more names than `mostNames`, and where a folder may not be read.
 */
export async function filesOf(
  pattern: string,
  signal: AbortSignal,
  mostNames = MOST_NAMES,
): Promise<readonly FoundFile[]> {
  const names = pattern.split("/").filter((name) => name !== "" && name !== ".");
  const seen = { names: 0, most: mostNames };
  let paths: readonly string[] = [pattern.startsWith("/") ? "/" : "."];
  for (const name of names) {
    const next: string[] = [];
    for (const folder of paths) {
      signal.throwIfAborted();
      if (!name.includes("*")) next.push(join(folder, name));
      else next.push(...(await namesIn(folder, name, seen)).map((found) => join(folder, found)));
    }
    paths = next;
  }
  const files: FoundFile[] = [];
  for (const path of paths) {
    signal.throwIfAborted();
    const found = await stat(path).catch(unlessGone);
    if (found?.isFile()) files.push({ path, bytes: found.size, changed_at: Math.floor(found.mtimeMs) });
  }
  return files;
}

async function namesIn(
  folder: string,
  pattern: string,
  seen: { names: number; readonly most: number },
): Promise<readonly string[]> {
  const handle = await opendir(folder).catch(unlessGone);
  const found: string[] = [];
  for await (const { name } of handle ?? []) {
    if (++seen.names > seen.most) {
      throw new Error(`more than ${seen.most} names are to be looked at in ${folder}: name a folder with fewer`);
    }
    if (matches(pattern, name) && (!name.startsWith(".") || pattern.startsWith("."))) found.push(name);
  }
  return found.sort();
}

/** A file that is gone, and a name that is no folder, are none. */
function unlessGone(error: NodeJS.ErrnoException): null {
  if (error.code === "ENOENT" || error.code === "ENOTDIR") return null;
  const why = error.code === "EACCES" ? "nerve's user may not read it, or the unit hides it" : error.message;
  throw new Error(`${error.path ?? "a file"} cannot be looked at (${error.code}): ${why}`);
}
