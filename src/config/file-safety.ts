/**
 * Whether only root or nerve's own user could have written a file. Whoever can write a configuration or a sense runs code
 * as nerve, so the file itself, every folder above it and every link on the way are looked at.
 *
 * A folder others may write to is fine above a file when it is sticky (the temporary folder): what lies in it can then only be
 * replaced by its owner, who is checked next. At the end of the path it is not, since anyone could add a file.
 */
import { lstatSync, readdirSync, readlinkSync, realpathSync, type Stats } from "node:fs";
import { join, resolve } from "node:path";
import { err, ok, type Result } from "../base/result.ts";
import { type Problem, problem } from "../model/problem.ts";

const MAX_LINKS = 40;
const WRITABLE_BY_OTHERS = 0o022;
const STICKY = 0o1000;

export interface Inspected {
  /** The path with every link resolved. */
  readonly path: string;
  readonly stats: Stats;
}

const what = (stats: Stats): string => {
  if (stats.isDirectory()) return "folder";
  return stats.isSymbolicLink() ? "link" : "file";
};

/** Null when only root or our user can change `path`. */
function judge(asked: string, path: string, stats: Stats, isAbove: boolean): Problem | null {
  const uid = process.geteuid?.() ?? 0;
  const thing = path === asked ? `this ${what(stats)}` : `the ${what(stats)} ${path}`;
  if (stats.uid !== 0 && stats.uid !== uid) {
    const message = `${thing} belongs to uid ${stats.uid}, and must belong to root${uid === 0 ? "" : ` or uid ${uid}`}`;
    return problem("unsafe-owner", message, `chown ${stats.isSymbolicLink() ? "-h " : ""}${uid} ${path}`, asked);
  }
  // The mode of a link means nothing: who may replace it is decided by its folder.
  const isWritable = !stats.isSymbolicLink() && (stats.mode & WRITABLE_BY_OTHERS) !== 0;
  if (!isWritable || (isAbove && (stats.mode & STICKY) !== 0)) return null;
  const mode = (stats.mode & 0o7777).toString(8).padStart(4, "0");
  const message = `${thing} can be written to by its group or by others (mode ${mode})`;
  return problem("unsafe-mode", message, `chmod go-w ${path}`, asked);
}

const unreadable = (asked: string, path: string, error: unknown): Problem => {
  const code = (error as NodeJS.ErrnoException).code ?? "unknown error";
  if (code === "ENOENT" || code === "ENOTDIR") {
    return problem("not-found", path === asked ? "there is no such file" : `there is no ${path}`, null, asked);
  }
  return problem("unreadable", `${path === asked ? "it" : path} cannot be looked at (${code})`, null, asked);
};

/** Walks `path` from the root, through links, judging every part on the way; what it ends at, for comparing with an open file. */
export function inspect(asked: string): Result<Inspected, Problem> {
  let parts = resolve(asked).split("/").filter(Boolean);
  let current = "/";
  let links = 0;
  try {
    for (;;) {
      const stats = lstatSync(current);
      if (stats.isSymbolicLink()) {
        const found = judge(asked, current, stats, parts.length > 0);
        if (found) return err(found);
        if (++links > MAX_LINKS) return err(problem("unreadable", "too many links on the way", null, asked));
        const target = readlinkSync(current);
        parts = [...target.split("/").filter((part) => part !== "" && part !== "."), ...parts];
        current = target.startsWith("/") ? "/" : join(current, "..");
        continue;
      }
      const isAbove = parts.length > 0;
      const found = judge(asked, current, stats, isAbove);
      if (found) return err(found);
      if (!isAbove) return ok({ path: current, stats });
      const part = parts.shift() as string;
      current = part === ".." ? join(current, "..") : join(current, part);
    }
  } catch (error) {
    return err(unreadable(asked, current === resolve(asked) ? asked : current, error));
  }
}

/** Null when only root or our user can change what `path` leads to. */
export function checkOwnership(path: string): Problem | null {
  const inspected = inspect(path);
  return inspected.ok ? null : inspected.error;
}

/** `checkOwnership` for a folder and everything in it, packages included: all of it can be imported. The first fault found. */
export function checkFolder(folder: string): Problem | null {
  const seen = new Set<string>();
  const waiting = [folder];
  for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
    const inspected = inspect(path);
    if (!inspected.ok) return { ...inspected.error, file: folder };
    const real = inspected.value.path;
    if (!inspected.value.stats.isDirectory() || seen.has(real)) continue;
    seen.add(real);
    const found = checkEntries(folder, real, waiting);
    if (found) return found;
  }
  return null;
}

/** Files are judged here; folders and links, which lead elsewhere, are left in `waiting`. */
function checkEntries(asked: string, folder: string, waiting: string[]): Problem | null {
  try {
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      const path = join(folder, entry.name);
      if (entry.isDirectory() || (entry.isSymbolicLink() && leadsSomewhere(path))) {
        waiting.push(path);
        continue;
      }
      const found = judge(asked, path, lstatSync(path), false);
      if (found) return found;
    }
    return null;
  } catch (error) {
    return unreadable(asked, folder, error);
  }
}

/** A link to nothing can only be brought to life by whoever may write where it points, so it is not followed. */
const leadsSomewhere = (path: string): boolean => {
  try {
    realpathSync(path);
    return true;
  } catch {
    return false;
  }
};
