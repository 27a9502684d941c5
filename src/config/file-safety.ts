/**
 * Owns the check that only root or nerve's own user could have written a file. Whoever can write a configuration or a
 * sense runs code as nerve. The check therefore covers the file itself, every folder above it and every link on the way.
 *
 * A group that holds only its owner may write. A folder above the file may be open to others when the folder is sticky
 * (as the temporary folder is): only the owner of an entry can then replace the entry, and the check judges this owner
 * next. A sticky folder at the end of the path is refused, since anyone could add a file to the folder.
 */
import { existsSync, lstatSync, readdirSync, readlinkSync, realpathSync, type Stats } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { err, ok, type Result } from "../base/result.ts";
import { type Problem, problem } from "../model/problem.ts";
import { hostAccounts, isPrivateGroup } from "./private-groups.ts";

const MAX_LINKS = 40;
const BY_GROUP = 0o020;
const BY_OTHERS = 0o002;
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

/** A file, folder or link that someone other than root and our user could change. */
export interface Offender {
  readonly kind: "unsafe-owner" | "unsafe-mode";
  readonly path: string;
  /** The fault, worded to follow the name of the path. */
  readonly fault: string;
  readonly noun: string;
}

/** Null when only root or our user can change `path`. */
function judge(path: string, stats: Stats, isAbove: boolean): Offender | null {
  const uid = process.geteuid?.() ?? 0;
  const noun = what(stats);
  if (stats.uid !== 0 && stats.uid !== uid) {
    const fault = `belongs to uid ${stats.uid}, and must belong to root${uid === 0 ? "" : ` or uid ${uid}`}`;
    return { kind: "unsafe-owner", path, fault, noun };
  }
  // The mode of a link means nothing: the link's folder decides who may replace the link.
  if (stats.isSymbolicLink() || (isAbove && (stats.mode & STICKY) !== 0)) return null;
  const isOpen =
    (stats.mode & BY_OTHERS) !== 0 ||
    ((stats.mode & BY_GROUP) !== 0 && !isPrivateGroup(stats.gid, stats.uid, hostAccounts()));
  if (!isOpen) return null;
  const mode = (stats.mode & 0o7777).toString(8).padStart(4, "0");
  return { kind: "unsafe-mode", path, fault: `can be written to by its group or by others (mode ${mode})`, noun };
}

/** The message names this many paths; the command mends all of them. */
const NAMED = 50;

/** The paths that one command mends. */
export interface Mended {
  readonly offenders: readonly Offender[];
  /** Below this folder the command may name one folder in place of many paths. Above this folder it names each path. */
  readonly root: string;
}

/** All offenders as one problem of the path `asked`. */
export function unsafe(
  asked: string,
  offenders: readonly [Offender, ...Offender[]],
  mended: Mended = { offenders, root: asked },
): Problem {
  const [first] = offenders;
  const others = offenders
    .filter(({ path }, index) => offenders.findIndex((one) => one.path === path) === index)
    .slice(1);
  const name = first.path === asked ? `this ${first.noun}` : `the ${first.noun} ${first.path}`;
  const listed = others.slice(0, NAMED).map(({ noun, path, fault }) => `\nand the ${noun} ${path} ${fault}`);
  const more = others.length > NAMED ? `\nand ${others.length - NAMED} more` : "";
  return problem(first.kind, `${name} ${first.fault}${listed.join("")}${more}`, commandFor(mended), asked);
}

const word = (path: string): string => (/^[\w./@%+=:,-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`);

/** Above this number of paths the command names the folder that the paths share. */
const WRITTEN_OUT = 8;

function commandFor({ offenders, root }: Mended): string {
  const uid = process.geteuid?.() ?? 0;
  const parts = [
    ["unsafe-owner", offenders.some(({ noun }) => noun === "link") ? `chown -h` : "chown", ` ${uid}`],
    ["unsafe-mode", "chmod", " go-w"],
  ] as const;
  return parts
    .flatMap(([kind, command, change]) => {
      const paths = [...new Set(offenders.filter((one) => one.kind === kind).map(({ path }) => path))];
      if (paths.length === 0) return [];
      const inside = paths.filter((path) => path === root || path.startsWith(`${root}/`));
      const run = (option: string, named: readonly string[]): string =>
        `${command}${option}${change} ${named.map(word).join(" ")}`;
      if (inside.length <= WRITTEN_OUT) return run("", paths);
      const outside = paths.filter((path) => !inside.includes(path));
      return [run(" -R", [commonFolder(inside)]), ...(outside.length === 0 ? [] : [run("", outside)])];
    })
    .join(" && ");
}

function commonFolder(paths: readonly string[]): string {
  const [first = [], ...others] = paths.map((path) => path.split("/"));
  let length = first.length;
  for (const parts of others) while (parts.slice(0, length).join("/") !== first.slice(0, length).join("/")) length--;
  return first.slice(0, length).join("/") || "/";
}

const unreadable = (asked: string, path: string, error: unknown): Problem => {
  const code = (error as NodeJS.ErrnoException).code ?? "unknown error";
  if (code === "ENOENT" || code === "ENOTDIR") {
    return problem("not-found", path === asked ? "there is no such file" : `there is no ${path}`, null, asked);
  }
  return problem("unreadable", `${path === asked ? "it" : path} cannot be looked at (${code})`, null, asked);
};

/** The end of a path, and everything on the way there that others could change. */
export interface Walked {
  readonly offenders: readonly Offender[];
  readonly end: Result<Inspected, Problem>;
}

/** Walks `path` from the root, through links, and judges every part on the way. */
export function inspect(asked: string): Walked {
  const offenders: Offender[] = [];
  let parts = resolve(asked).split("/").filter(Boolean);
  let current = "/";
  let links = 0;
  const note = (stats: Stats, isAbove: boolean): void => {
    const found = judge(current, stats, isAbove);
    if (found && !offenders.some(({ path }) => path === found.path)) offenders.push(found);
  };
  try {
    for (;;) {
      const stats = lstatSync(current);
      const isAbove = parts.length > 0;
      note(stats, isAbove);
      if (stats.isSymbolicLink()) {
        if (++links > MAX_LINKS) {
          return { offenders, end: err(problem("unreadable", "too many links on the way", null, asked)) };
        }
        const target = readlinkSync(current);
        parts = [...target.split("/").filter((part) => part !== "" && part !== "."), ...parts];
        current = target.startsWith("/") ? "/" : join(current, "..");
        continue;
      }
      if (!isAbove) return { offenders, end: ok({ path: current, stats }) };
      const part = parts.shift() as string;
      current = part === ".." ? join(current, "..") : join(current, part);
    }
  } catch (error) {
    return { offenders, end: err(unreadable(asked, current === resolve(asked) ? asked : current, error)) };
  }
}

const isSome = <T>(items: readonly T[]): items is readonly [T, ...T[]] => items.length > 0;

/** Null when only root or our user can change what `path` leads to. */
export function checkOwnership(path: string): Problem | null {
  const { offenders, end } = inspect(path);
  if (isSome(offenders)) return unsafe(path, offenders);
  return end.ok ? null : end.error;
}

/** `checkOwnership` for a folder and everything in it, packages included: any file in it can be imported. */
export function checkFolder(folder: string): Problem | null {
  const { offenders, fault } = inspectFolder(folder);
  return isSome(offenders) ? unsafe(folder, offenders) : fault;
}

/** Everything in the folder that others could change, and the first part that could not be examined. */
export function inspectFolder(folder: string): {
  readonly offenders: readonly Offender[];
  readonly fault: Problem | null;
} {
  const found = new Map<string, Offender>();
  let fault: Problem | null = null;
  const seen = new Set<string>();
  const waiting = [folder];
  for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
    const { offenders, end } = inspect(path);
    for (const offender of offenders) found.set(offender.path, offender);
    if (!end.ok) {
      fault ??= { ...end.error, file: folder };
      continue;
    }
    const real = end.value.path;
    if (!end.value.stats.isDirectory() || seen.has(real)) continue;
    seen.add(real);
    fault ??= judgeEntries(folder, real, waiting, found);
  }
  return { offenders: [...found.values()], fault };
}

/** All modules and packages beside the config `file` that others could change. */
export const inspectBeside = (file: string): readonly Offender[] =>
  ["senses", "workflows", "node_modules"]
    .map((name) => join(dirname(resolve(file)), name))
    .filter(existsSync)
    .flatMap((folder) => (folder.endsWith("node_modules") ? inspect(folder) : inspectFolder(folder)).offenders);

/** Judges the files of a folder. Adds folders and links to `waiting`, since these lead elsewhere. */
function judgeEntries(asked: string, folder: string, waiting: string[], found: Map<string, Offender>): Problem | null {
  try {
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      const path = join(folder, entry.name);
      if (entry.isDirectory() || (entry.isSymbolicLink() && leadsSomewhere(path))) {
        waiting.push(path);
        continue;
      }
      const offender = judge(path, lstatSync(path), false);
      if (offender) found.set(path, offender);
    }
    return null;
  } catch (error) {
    return unreadable(asked, folder, error);
  }
}

/** A link to nothing is not followed: only someone who may write to its target can make the target exist. */
const leadsSomewhere = (path: string): boolean => {
  try {
    realpathSync(path);
    return true;
  } catch {
    return false;
  }
};
