/**
 * Whether only root or nerve's own user could have written a file. Whoever can write a configuration or a sense runs code
 * as nerve, so the file itself, every folder above it and every link on the way are looked at.
 *
 * A group that only its owner is in may write. A folder others may write to is fine above a file when it is sticky (the temporary folder): what lies in it can then only be
 * replaced by its owner, who is checked next. At the end of the path it is not, since anyone could add a file.
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

/** Something that others than root and our user could change. */
export interface Offender {
  readonly kind: "unsafe-owner" | "unsafe-mode";
  readonly path: string;
  /** What is wrong with it, to follow its name. */
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
  // The mode of a link means nothing: who may replace it is decided by its folder.
  if (stats.isSymbolicLink() || (isAbove && (stats.mode & STICKY) !== 0)) return null;
  const isOpen =
    (stats.mode & BY_OTHERS) !== 0 ||
    ((stats.mode & BY_GROUP) !== 0 && !isPrivateGroup(stats.gid, stats.uid, hostAccounts()));
  if (!isOpen) return null;
  const mode = (stats.mode & 0o7777).toString(8).padStart(4, "0");
  return { kind: "unsafe-mode", path, fault: `can be written to by its group or by others (mode ${mode})`, noun };
}

/** So many are named; the command mends all of them. */
const NAMED = 50;

/** What one command is to mend. */
export interface Mended {
  readonly offenders: readonly Offender[];
  /** Below this folder many paths may be mended by the name of a folder; above it each is named. */
  readonly root: string;
}

/** All of them as one problem of `asked`. */
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

/** Beyond so many paths the folder they share is named instead. */
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

/** What a path leads to, and what on the way there could be changed by others. */
export interface Walked {
  readonly offenders: readonly Offender[];
  readonly end: Result<Inspected, Problem>;
}

/** Walks `path` from the root, through links, judging every part on the way. */
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

/** `checkOwnership` for a folder and everything in it, packages included: all of it can be imported. */
export function checkFolder(folder: string): Problem | null {
  const { offenders, fault } = inspectFolder(folder);
  return isSome(offenders) ? unsafe(folder, offenders) : fault;
}

/** Everything in it that others could change, and what could not be looked at. */
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

/** Everything that others could change of the modules and packages beside the config `file`. */
export const inspectBeside = (file: string): readonly Offender[] =>
  ["senses", "workflows", "node_modules"]
    .map((name) => join(dirname(resolve(file)), name))
    .filter(existsSync)
    .flatMap((folder) => (folder.endsWith("node_modules") ? inspect(folder) : inspectFolder(folder)).offenders);

/** Files are judged here; folders and links, which lead elsewhere, are left in `waiting`. */
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

/** A link to nothing can only be brought to life by whoever may write where it points, so it is not followed. */
const leadsSomewhere = (path: string): boolean => {
  try {
    realpathSync(path);
    return true;
  } catch {
    return false;
  }
};
