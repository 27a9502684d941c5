/**
 * The types of an author's modules, checked by the checker inside this executable. Nothing of the folder decides what runs:
 * the project is always named, no script of a package.json runs, and no environment, bunfig.toml or .env reaches the checker.
 */
import { existsSync, readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { Glob } from "bun";
import { type Problem, problem } from "../../model/problem.ts";
import { NERVE_FOLDER, stateOf } from "./nerve-folder.ts";

/** A checker that takes longer hangs. */
const LIMIT_MS = 120_000;

/** So many are listed. */
const MAX_PROBLEMS = 50;

/** Whether there are modules beside the config `file` whose types nobody can check, because `nerve init` never ran there. */
export const lacksTypes = (file: string): boolean => {
  const folder = dirname(file);
  return stateOf(folder).kind === "none" && hasModules(folder);
};

/** What the checker finds in the modules beside the config `file`; nothing where `nerve init` never ran. `scratch`: an empty folder. */
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

/** A project without files is a mistake to the checker. */
const hasModules = (folder: string): boolean =>
  ["senses", "workflows"].some((kind) => {
    const root = join(folder, kind);
    return existsSync(root) && !new Glob("**/*.{ts,tsx,mts,cts}").scanSync(root).next().done;
  });

/** The user's own project where it builds on nerve's, so that the editor and `check` agree; else nerve's. */
function projectOf(folder: string): string {
  const own = join(folder, "tsconfig.json");
  try {
    if (readFileSync(own, "utf8").includes(`./${NERVE_FOLDER}/tsconfig.json`)) return own;
  } catch {
    // None that can be read: nerve's own it is.
  }
  return join(folder, NERVE_FOLDER, "tsconfig.json");
}

const PLACED = /^(.+?)\((\d+),(\d+)\): error (TS\d+): (.*)$/;
const UNPLACED = /^error (TS\d+): (.*)$/;

/** A line a problem; lines that are indented go on with the message. */
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
