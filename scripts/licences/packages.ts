/**
 * The packages that become part of the executable: those of the bundle (the dependencies, and theirs) and those whose types
 * are in the author's kit. Names, versions and hashes are those of the lock file.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { kitFiles } from "../kit/kit.ts";
import { ROOT } from "../toolchain.ts";

export interface Package {
  readonly name: string;
  readonly version: string;
  /** An SPDX identifier. */
  readonly licence: string;
  /** `sha512-…`, of the package as the registry has it. */
  readonly integrity: string;
}

/** `name@version`, where from, what it depends on, its hash. */
type Locked = readonly [
  id: string,
  source: string,
  { readonly dependencies?: Readonly<Record<string, string>> },
  string,
];

interface Lock {
  readonly packages: Readonly<Record<string, Locked>>;
}

/** A lock file of Bun: JSON with trailing commas. */
export const readLock = (file: string): Lock => Bun.JSONC.parse(readFileSync(file, "utf8")) as Lock;

/** `names`, and whatever they depend on. */
function closure(lock: Lock, names: readonly string[]): ReadonlySet<string> {
  const reached = new Set(names);
  for (const name of reached) {
    for (const dependency of Object.keys(lock.packages[name]?.[2].dependencies ?? {})) reached.add(dependency);
  }
  return reached;
}

/** The package that a path below `node_modules` belongs to. */
export const packageOf = (path: string): string => /^(?:@[^/]+\/)?[^/]+/.exec(path)?.[0] ?? path;

const TYPES = "types/node_modules/";

async function typedPackages(): Promise<readonly string[]> {
  const paths = Object.keys(await kitFiles()).filter((path) => path.startsWith(TYPES));
  return paths.map((path) => packageOf(path.slice(TYPES.length))).filter((name) => name !== "nerve");
}

export function lockedPackage(lock: Lock, name: string, folder: string): Package {
  const locked = lock.packages[name];
  if (locked === undefined) throw new Error(`${name} is not in the lock file`);
  const { license } = JSON.parse(readFileSync(join(folder, "node_modules", name, "package.json"), "utf8"));
  return { name, version: locked[0].slice(name.length + 1), licence: license, integrity: locked[3] };
}

/** In the order of their names. */
export async function embeddedPackages(): Promise<readonly Package[]> {
  const lock = readLock(join(ROOT, "bun.lock"));
  const { dependencies } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"));
  const names = new Set([...closure(lock, Object.keys(dependencies)), ...(await typedPackages())]);
  return [...names].sort().map((name) => lockedPackage(lock, name, ROOT));
}
