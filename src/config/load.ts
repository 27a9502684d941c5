/** Owns the reading of the main file, the included files and the credentials from disk. `parse.ts` does everything else. */
import { existsSync, readFileSync } from "node:fs";
import { hostname } from "node:os";
import { dirname, isAbsolute, join } from "node:path";
import { err, ok, type Result } from "../base/result.ts";
import type { NerveConfig } from "../model/config.ts";
import type { Problem } from "../model/problem.ts";
import { type ReadConfig, readNerveConfig, unreadable, wholly } from "./parse.ts";
import { readSafely } from "./safe-read.ts";
import { type ConfigFile, type ConfigSource, STAND_IN } from "./source.ts";

export type Environment = Readonly<Record<string, string | undefined>>;

const MAX_INCLUDED = 256;
const MAX_CREDENTIAL_BYTES = 1024 * 1024;

/** With `checksPatterns` false the patterns `when` and `clear` are not compiled: ArkType is slow to load. */
export const loadNerveConfig = (
  file: string,
  environment: Environment,
  checksPatterns = true,
): Result<NerveConfig, Problem[]> => wholly(read(file, environment, { checksPatterns, warns: false, standIn: null }));

/** Like `loadNerveConfig`, but the result holds the parts without problems beside the problems. */
export const loadAsFarAsReadable = (file: string, environment: Environment, checksPatterns = true): ReadConfig =>
  read(file, environment, { checksPatterns, warns: true, standIn: null });

/** For a caller without the variables and credentials of the daemon: `missing` names them, and none of them is a problem. */
export function loadWithStandIns(
  file: string,
  environment: Environment,
  checksPatterns: boolean,
): { readonly read: ReadConfig; readonly missing: readonly string[] } {
  const missing = new Set<string>();
  const standIn = (written: string): string => {
    missing.add(written);
    return STAND_IN;
  };
  return { read: read(file, environment, { checksPatterns, warns: true, standIn }), missing: [...missing] };
}

function read(
  file: string,
  environment: Environment,
  how: Pick<ConfigSource, "checksPatterns" | "warns" | "standIn">,
): ReadConfig {
  const text = readSafely(file);
  if (!text.ok) return unreadable([text.error]);
  return readNerveConfig(text.value, {
    file,
    hostName: hostname(),
    environment,
    ...how,
    credential: (name) => readCredential(name, environment),
    include: (pattern) => readIncluded(dirname(file), pattern),
    isOwnWorkflow: (use) => existsSync(join(dirname(file), "workflows", use, "index.ts")),
  });
}

/** systemd puts each credential into a file of its own, in a folder that only the service can read. */
function readCredential(name: string, environment: Environment): string | null {
  const folder = environment.CREDENTIALS_DIRECTORY;
  if (folder === undefined || !isAbsolute(folder)) return null;
  try {
    const text = readFileSync(join(folder, name), "utf8");
    return text.length > MAX_CREDENTIAL_BYTES ? null : text.replace(/\r?\n$/, "");
  } catch {
    return null;
  }
}

function readIncluded(folder: string, pattern: string): Result<readonly ConfigFile[], Problem[]> {
  const files = /[*?[\]{}!\\]/.test(pattern) ? matching(folder, pattern) : [under(folder, pattern)];
  if (files.length > MAX_INCLUDED) {
    const message = `the pattern matches more than ${MAX_INCLUDED} files`;
    return err([{ kind: "too-many-files", message, hint: "narrow it", file: null, line: null, column: null }]);
  }
  const read: ConfigFile[] = [];
  const problems: Problem[] = [];
  for (const file of files) {
    const text = readSafely(file);
    if (text.ok) read.push({ file, text: text.value });
    else if (text.error.kind === "not-found") {
      problems.push({ ...text.error, message: `there is no file ${file} to include`, hint: null, file: null });
    } else problems.push(text.error);
  }
  return problems.length === 0 ? ok(read) : err(problems);
}

const under = (folder: string, path: string): string => (isAbsolute(path) ? path : join(folder, path));

/** Matching files in name order, and at most one more than the limit. A folder that does not exist holds no files. */
function matching(folder: string, pattern: string): string[] {
  const parts = pattern.split("/");
  const firstWild = parts.findIndex((part) => /[*?[\]{}!\\]/.test(part));
  const base = under(folder, parts.slice(0, firstWild).join("/") || (isAbsolute(pattern) ? "/" : "."));
  const found: string[] = [];
  try {
    const glob = new Bun.Glob(parts.slice(firstWild).join("/"));
    for (const match of glob.scanSync({ cwd: base, onlyFiles: false, followSymlinks: true })) {
      found.push(join(base, match));
      if (found.length > MAX_INCLUDED) break;
    }
  } catch {
    return [];
  }
  return found.sort((a, b) => (a < b ? -1 : 1));
}
