/** Owns the copy of a built-in's sources into the user's folder, each file as it is in this build. */
import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { ok, type Result } from "../../base/result.ts";
import { problem } from "../../model/problem.ts";
import { EXIT, type Failure, fail } from "../frame/outcome.ts";
import type { BuiltIn } from "./built-in.ts";

/** Only the owner may change the code that nerve runs. */
const FOLDER = 0o755;
const FILE = 0o644;

/** Returns the files once all are written. Where a file cannot be written, no file stays. */
export function copyOut({ files }: BuiltIn, folder: string): Result<readonly string[], Failure> {
  if (existsSync(folder)) {
    return fail(EXIT.finding, problem("already-there", `there is a folder ${folder} already`, "nothing was changed"));
  }
  const unfinished = join(dirname(folder), `.${basename(folder)}-${process.pid}`);
  try {
    mkdirSync(unfinished, { recursive: true, mode: FOLDER });
    for (const [path, text] of Object.entries(files)) {
      const file = join(unfinished, path);
      mkdirSync(dirname(file), { recursive: true, mode: FOLDER });
      writeFileSync(file, text, { mode: FILE });
    }
    renameSync(unfinished, folder);
    return ok(Object.keys(files).map((path) => join(folder, path)));
  } catch (error) {
    rmSync(unfinished, { recursive: true, force: true });
    return fail(EXIT.finding, problem("output", `it cannot be copied out: ${(error as Error).message}`, null, folder));
  }
}
