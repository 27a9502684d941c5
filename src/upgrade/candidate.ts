/**
 * Owns the new executable: its identity, the proof that it is the released file, and its answers about this host's config,
 * modules and databases, each tried on copies.
 */
import { mkdirSync, readFileSync, realpathSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { type FileKind, fileKind } from "../base/file-kind.ts";
import { isJsonObject, type Json, type JsonObject, readJson } from "../base/json.ts";
import { asOwner, giveTo, ownerOf } from "../base/owner.ts";
import { err, ok, type Result } from "../base/result.ts";
import { type Problem, problem } from "../model/problem.ts";
import { matchSums, parseSums, SUMS_FILE } from "../release/sums.ts";
import type { Build } from "./home.ts";

/**
 * Why `file` cannot be the new executable, or null. Only a plain file is opened, because the open of a pipe may wait for
 * ever.
 */
export function whyUnfit(file: string): Problem | null {
  try {
    const kind = kindAt(file);
    if (kind === "a plain file") return null;
    return problem("no-file", `${file} is ${kind}, and no executable`, "name the executable of another nerve", file);
  } catch (error) {
    return unreachable(file, error);
  }
}

/** The kind of file at a path, or at the end of a link there. Throws where nothing is. */
const kindAt = (file: string): FileKind | null => fileKind(realpathSync(file));

function unreachable(file: string, error: unknown): Problem {
  const { code, message } = error as NodeJS.ErrnoException;
  const isAbsent = code === "ENOENT" || code === "ENOTDIR";
  const what = isAbsent ? `there is no file ${file}` : `${file} cannot be read: ${message}`;
  return problem("no-file", what, "name the executable of another nerve", file);
}

/** Compares the bytes at `copy` with the line of the file's name in `SHA256SUMS` beside `file`. Returns the SHA-256. */
export async function verify(file: string, copy: string): Promise<Result<string, readonly Problem[]>> {
  const folder = dirname(file);
  const sums = join(folder, SUMS_FILE);
  let text: string;
  try {
    const kind = kindAt(sums);
    if (kind !== "a plain file") return err([problem("no-sums", `${sums} is ${kind}, and no plain file`, null, sums)]);
    text = readFileSync(sums, "utf8");
  } catch (error) {
    const hint = `a release has it; for a build of your own: cd ${folder} && sha256sum * > ${SUMS_FILE}`;
    const message = `${sums} cannot be read, so nobody can say whether ${file} is whole: ${(error as Error).message}`;
    return err([problem("no-sums", message, hint, sums)]);
  }
  const parsed = parseSums(text, sums);
  if (!parsed.ok) return parsed;
  const matched = await matchSums(parsed.value, copy, file.slice(folder.length + 1).replace(/^\/+/, ""));
  return matched.ok ? matched : err([{ ...matched.error, file }]);
}

export interface Setting {
  readonly config: string;
  readonly data: string;
  /** The environment of the daemon, where one runs. Only the daemon gets these variables and credentials. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Ends the trial. */
  readonly stop: AbortSignal;
}

/** A check of very large databases may take this long. */
const CHECK_MS = 3_600_000;
const VERSION_MS = 30_000;
/** At most this many characters are shown of a text that is no problem of nerve's. */
const MAX_SAID = 500;

interface Answer {
  readonly code: number | string;
  readonly stdout: string;
  readonly stderr: string;
}

export async function answerOf(
  command: readonly string[],
  timeoutMs: number,
  stop: AbortSignal | null,
  options: object,
): Promise<Answer> {
  if (stop?.aborted === true) return { code: "unknown", stdout: "", stderr: "" };
  try {
    const child = Bun.spawn([...command], {
      stdio: ["ignore", "pipe", "pipe"],
      timeout: timeoutMs,
      killSignal: "SIGKILL",
      ...(stop === null ? {} : { signal: stop }),
      ...options,
    });
    const [stdout, stderr] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()]);
    await child.exited;
    return { code: child.signalCode ?? child.exitCode ?? "unknown", stdout, stderr };
  } catch (error) {
    return { code: "unknown", stdout: "", stderr: (error as Error).message };
  }
}

/** The identity of `copy`, the copy of `file`, in its own words. It runs as the owner of the data. */
export async function describe(
  file: string,
  copy: string,
  sha256: string,
  setting: Setting,
): Promise<Result<Build, Problem>> {
  const env = { PATH: process.env.PATH ?? "" };
  const { code, stdout, stderr } = await answerOf([copy, "version", "--json"], VERSION_MS, setting.stop, {
    env,
    cwd: "/",
    ...asOwner(ownerOf(setting.data)),
  });
  const { version, commit } = fieldsOf(readJson(stdout));
  if (code === 0 && typeof version === "string" && typeof commit === "string") return ok({ version, commit, sha256 });
  const why = stderr.trim().replaceAll(copy, file) || `it ended with ${code}`;
  const hint = "is it a nerve for this processor, and for this C library?";
  return err(problem("no-nerve", `${file} does not run as nerve here: ${why.slice(0, MAX_SAID)}`, hint, file));
}

/** The folder for copies. It is beside the databases, because there is room for them. */
const scratchOf = (data: string): string => join(data, "upgrade-check");

interface Check {
  readonly code: number | string;
  readonly stdout: string;
  readonly stderr: string;
  readonly problems: readonly Problem[];
}

async function checkBy(file: string, { config, data, environment, stop }: Setting): Promise<Check> {
  const owner = ownerOf(data);
  const scratch = scratchOf(data);
  rmSync(scratch, { recursive: true, force: true });
  mkdirSync(scratch, { mode: 0o700 });
  giveTo(owner, scratch);
  try {
    const command = [file, "check", "--no-types", "--json", "-c", config];
    const { code, stdout, stderr } = await answerOf(command, CHECK_MS, stop, {
      env: { ...environment, TMPDIR: scratch },
      cwd: dirname(config),
      ...asOwner(owner),
    });
    return { code, stdout, stderr, problems: stderr.split("\n").flatMap(problemIn) };
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

/** Reads a problem. Another version may give fewer fields of it than this version, or more. */
export function problemIn(text: string): readonly Problem[] {
  const { error } = fieldsOf(readJson(text));
  if (!isJsonObject(error)) return [];
  const { kind, message, hint, file, line, column } = error;
  const found: Problem = {
    kind: textOf(kind) ?? "unknown",
    message: textOf(message) ?? JSON.stringify(error),
    hint: textOf(hint),
    file: textOf(file),
    line: numberOf(line),
    column: numberOf(column),
  };
  return [found];
}

const fieldsOf = (value: Json | undefined): JsonObject => (isJsonObject(value) ? value : {});
const itemsOf = (value: Json | undefined): readonly Json[] => (Array.isArray(value) ? value : []);
const textOf = (value: Json | undefined): string | null => (typeof value === "string" ? value : null);
const numberOf = (value: Json | undefined): number | null => (typeof value === "number" ? value : null);

/**
 * The migrations that the new executable would apply, or the problems that only the new executable finds. A sense that
 * loads with neither executable does not stop an upgrade.
 */
export async function rehearse(
  copy: string,
  old: string,
  build: Build,
  setting: Setting,
): Promise<Result<readonly string[], readonly Problem[]>> {
  const found = await checkBy(copy, setting);
  if (found.code === 0) return ok(pendingIn(found.stdout));
  const known = new Set((await checkBy(old, setting)).problems.map(({ message }) => message));
  const fresh = found.problems.filter(({ message }) => !known.has(message));
  if (fresh.length === 0 && found.problems.length > 0) return ok(pendingIn(found.stdout));
  const ended = `the check of nerve ${build.version} ended with ${found.code}`;
  const said = found.problems.length === 0 ? found.stderr.trim().slice(0, MAX_SAID) : "";
  const message = said === "" ? ended : `${ended}: ${said}`;
  return err([problem("check-failed", message), ...fresh]);
}

/** A field that is missing in the answer is not known. */
function pendingIn(stdout: string): string[] {
  const { store, senses } = fieldsOf(readJson(stdout));
  return [store ?? null, ...itemsOf(senses)].flatMap((database, at) => {
    const { name, pending } = fieldsOf(database);
    const file = at === 0 ? "logs" : (textOf(name) ?? "a sense");
    return itemsOf(pending).map((migration) => `${file}.db ${textOf(migration) ?? JSON.stringify(migration)}`);
  });
}
