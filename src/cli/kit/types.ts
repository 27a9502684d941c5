/**
 * Owns the check of the types of an author's modules, with the checker inside this executable. Nothing in the folder decides
 * what runs: the project is always named, and no script of a package.json runs. The checker gets no environment, no bunfig.toml
 * and no .env.
 */
import { existsSync, readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { Glob } from "bun";
import { type Problem, problem } from "../../model/problem.ts";
import { NERVE_FOLDER, stateOf } from "./nerve-folder.ts";

/** A checker that takes longer has hung. */
const LIMIT_MS = 120_000;

/** At most this many problems are listed. */
const MAX_PROBLEMS = 50;

/** True when there are modules beside the config `file` and `nerve init` never ran there: nobody can check their types. */
export const lacksTypes = (file: string): boolean => {
  const folder = dirname(file);
  return stateOf(folder).kind === "none" && hasModules(folder);
};

/** The problems of the modules beside the config `file`; none where `nerve init` never ran. `scratch` is an empty folder. */
export async function checkTypes(file: string, scratch: string): Promise<readonly Problem[]> {
  const folder = dirname(file);
  if (stateOf(folder).kind === "none" || !hasModules(folder)) return [];
  const checker = Bun.isStandaloneExecutable ? "/proc/self/exe" : process.execPath;
  const flags = ["--no-script", "--no-pretty", "--all"];
  const child = Bun.spawn([checker, "check", ...flags, "-p", projectOf(folder)], {
    cwd: scratch,
    env: { BUN_BE_BUN: "1", DO_NOT_TRACK: "1", NO_COLOR: "1" },
    stdio: ["ignore", "pipe", "pipe"],
    timeout: LIMIT_MS,
    killSignal: "SIGKILL",
  });
  const [output, error, code] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
  const found = problemsIn(output, scratch);
  if (code === 0 || found.length > 0) return found;
  const said = `${output}${error}`.trim().slice(-2000);
  const message = `types cannot be checked (exit ${child.exitCode ?? child.signalCode}): ${said}`;
  return [
    problem("types-unchecked", message, "`nerve init` refreshes what the checker needs", join(folder, NERVE_FOLDER)),
  ];
}

/** The checker takes a project without files for a mistake. */
const hasModules = (folder: string): boolean =>
  ["senses", "workflows"].some((kind) => {
    const root = join(folder, kind);
    return existsSync(root) && !new Glob("**/*.{ts,tsx,mts,cts}").scanSync(root).next().done;
  });

/** The user's own project where it builds on nerve's project, so that the editor and `check` agree; else nerve's project. */
function projectOf(folder: string): string {
  const own = join(folder, "tsconfig.json");
  try {
    if (readFileSync(own, "utf8").includes(`./${NERVE_FOLDER}/tsconfig.json`)) return own;
  } catch {
    // The project cannot be read, so nerve's own project is used.
  }
  return join(folder, NERVE_FOLDER, "tsconfig.json");
}

const PLACED = /^(.+?)\((\d+),(\d+)\): error (TS\d+): (.*)$/;
const UNPLACED = /^error (TS\d+): (.*)$/;

/** One problem for each line. An indented line continues the message of the line before. */
export function problemsIn(output: string, folder: string): readonly Problem[] {
  const found: Problem[] = [];
  for (const line of output.split("\n")) {
    const last = found.at(-1);
    const [, file, row, column, code, message] = PLACED.exec(line) ?? [];
    if (file !== undefined && code !== undefined) {
      const place = { file: resolve(folder, file), line: Number(row), column: Number(column) };
      found.push({ kind: "type", message: `${message} (${code})`, hint: null, ...place });
    } else if (UNPLACED.test(line)) {
      found.push(problem("type", line.replace(UNPLACED, "$2 ($1)")));
    } else if (/^\s+\S/.test(line) && last !== undefined) {
      found[found.length - 1] = { ...last, message: `${last.message}\n${line.slice(2)}` };
    }
  }
  const more = found.length - MAX_PROBLEMS;
  return more <= 0 ? found : [...found.slice(0, MAX_PROBLEMS), problem("type", `${more} more errors of types`)];
}
