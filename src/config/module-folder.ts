/** Owns the place of a module's code, and the code's fingerprint. A reload compares fingerprints to find changed code. */

import { type Dirent, existsSync, readdirSync, readFileSync, readlinkSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { Sha256 } from "../base/digest.ts";
import { meantOr } from "../base/nearest.ts";
import type { NerveConfig } from "../model/config.ts";
import type { Problem } from "../model/problem.ts";

export type ModuleKind = "sense" | "workflow";

export type ModuleLocation =
  | { readonly kind: "folder"; readonly path: string }
  | { readonly kind: "built-in"; readonly name: string }
  | { readonly kind: "missing"; readonly problem: Problem };

/** An entry of the configuration that uses a module: a sense or a workflow. */
export interface ModuleUser {
  readonly name: string;
  readonly use: string;
}

/** The folder beside the configuration. The current folder does not matter: a daemon may start anywhere. */
export const modulesFolder = (config: NerveConfig, kind: ModuleKind): string =>
  join(dirname(config.file), kind === "sense" ? "senses" : "workflows");

export function locateModule(
  config: NerveConfig,
  kind: ModuleKind,
  user: ModuleUser,
  builtInNames: Iterable<string>,
): ModuleLocation {
  const path = join(modulesFolder(config, kind), user.use);
  if (existsSync(join(path, "index.ts"))) return { kind: "folder", path };
  const builtIn = new Set(builtInNames);
  if (builtIn.has(user.use)) return { kind: "built-in", name: user.use };
  const others = [...builtIn, ...folderNames(config, kind)].filter((name) => name !== user.use);
  const message = `${kind} \`${user.name}\`: there is no ${path}/index.ts, and no built-in ${kind} is called \`${user.use}\``;
  const hint =
    misplaced(modulesFolder(config, kind), user.use) ??
    meantOr(
      user.use,
      others,
      `write that file, or name a built-in ${kind} with \`use\`: ${[...builtIn].sort().join(", ")}`,
    );
  return {
    kind: "missing",
    problem: { kind: `${kind}-not-found`, message, hint, file: config.file, line: null, column: null },
  };
}

const PROGRAM = /\.(py|sh|bash|pl|rb|php|lua)$/;

/** The remedy where a file with the module's name stands in the wrong place or under another name. */
function misplaced(folder: string, use: string): string | null {
  const module = `${use}/index.ts`;
  const inside = entriesOf(join(folder, use));
  const programs = [...entriesOf(folder).filter(({ name }) => name.startsWith(`${use}.`)), ...inside];
  const program = programs.find((entry) => entry.isFile() && PROGRAM.test(entry.name));
  if (program !== undefined)
    return `${program.name} is a program: run it with \`use: exec\` and \`with: { command: [ … ] }\``;
  const beside = entriesOf(folder).find(
    ({ name }) => /^\.[cm]?[jt]s$/.test(name.slice(use.length)) && name.startsWith(use),
  );
  if (beside !== undefined) return `move ${beside.name} to ${module}`;
  const scripts = inside.filter((entry) => entry.isFile() && /\.[cm]?[jt]sx?$/.test(entry.name));
  const main =
    scripts.find(({ name }) => /^(index|main|mod)\./.test(name)) ?? (scripts.length === 1 ? scripts[0] : undefined);
  return main === undefined ? null : `rename ${use}/${main.name} to ${module}`;
}

function folderNames(config: NerveConfig, kind: ModuleKind): string[] {
  const entries = entriesOf(modulesFolder(config, kind));
  return entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
}

/** Larger files are compared by size and time, and not read: a module may keep data beside its code. */
const MAX_HASHED_BYTES = 4 * 1024 * 1024;

/** Changes with every file in `folder` that is added, removed, renamed or edited. In `node_modules` only package.json files count. */
export function fingerprint(folder: string): string {
  const hash = new Sha256();
  addFolder(hash, folder, "");
  return hash.hex();
}

function addFolder(hash: Sha256, folder: string, prefix: string): void {
  for (const entry of entriesOf(folder)) {
    const path = join(folder, entry.name);
    const name = `${prefix}${entry.name}`;
    if (entry.isDirectory() && entry.name === "node_modules") addPackages(hash, path, `${name}/`);
    else if (entry.isDirectory()) addFolder(hash, path, `${name}/`);
    else if (entry.isSymbolicLink()) addLink(hash, path, name);
    else if (entry.isFile()) addFile(hash, path, name);
  }
}

function addPackages(hash: Sha256, folder: string, prefix: string): void {
  for (const entry of entriesOf(folder)) {
    const path = join(folder, entry.name);
    if (entry.name.startsWith("@")) addPackages(hash, path, `${prefix}${entry.name}/`);
    else if (!entry.name.startsWith(".")) addFile(hash, join(path, "package.json"), `${prefix}${entry.name}`);
  }
}

/** Adds the link's target, and the content of a target that is a file. A folder behind a link may lead back up: it is not entered. */
function addLink(hash: Sha256, path: string, name: string): void {
  try {
    hash.update(`link\0${name}\0${readlinkSync(path)}\0`);
  } catch {
    // The link is gone since the folder was listed. The next reload finds the change.
  }
  addFile(hash, path, name);
}

function addFile(hash: Sha256, path: string, name: string): void {
  try {
    const { size, mtimeMs, ...stats } = statSync(path);
    if ((stats.mode & 0o170000) !== 0o100000) return;
    // The length comes first. Without the length, two files could pass for one file that holds the bytes of both.
    if (size > MAX_HASHED_BYTES) hash.update(`large\0${name}\0${size}\0${mtimeMs}\0`);
    else {
      const bytes = readFileSync(path);
      hash.update(`file\0${name}\0${bytes.length}\0`).update(bytes);
    }
  } catch (error) {
    hash.update(`unreadable\0${name}\0${(error as NodeJS.ErrnoException).code}\0`);
  }
}

function entriesOf(folder: string): Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1));
  } catch {
    return [];
  }
}
