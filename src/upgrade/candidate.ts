/**
 * The executable that is to come: what it is, whether it is what was released, and what it says of this host's config, modules
 * and databases, each tried on copies.
 */
import { mkdirSync, readFileSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { readJson } from "../base/json.ts";
import { asOwner, giveTo, ownerOf } from "../base/owner.ts";
import { err, ok, type Result } from "../base/result.ts";
import { type Problem, problem } from "../model/problem.ts";
import { matchSums, parseSums, SUMS_FILE } from "../release/sums.ts";
import type { Build } from "./home.ts";

/** Whether `name` of the folder of `file` is, by its bytes at `copy`, what `SHA256SUMS` beside it says; its SHA-256. */
export async function verify(file: string, copy: string): Promise<Result<string, readonly Problem[]>> {
  const folder = dirname(file);
  const sums = join(folder, SUMS_FILE);
  let text: string;
  try {
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
  /** Of the daemon, where one runs: variables and credentials that only it gets. */
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** So long a check of very large databases may take. */
const CHECK_MS = 3_600_000;
const VERSION_MS = 30_000;

interface Answer {
  readonly code: number | string;
  readonly stdout: string;
  readonly stderr: string;
}

export async function answerOf(command: readonly string[], timeoutMs: number, options: object): Promise<Answer> {
  try {
    const child = Bun.spawn([...command], {
      stdio: ["ignore", "pipe", "pipe"],
      timeout: timeoutMs,
      killSignal: "SIGKILL",
      ...options,
    });
    const [stdout, stderr] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()]);
    await child.exited;
    return { code: child.signalCode ?? child.exitCode ?? "unknown", stdout, stderr };
  } catch (error) {
    return { code: "unknown", stdout: "", stderr: (error as Error).message };
  }
}

/** What `copy`, the copy of `file`, says that it is. Runs as the owner of the data. */
export async function describe(
  file: string,
  copy: string,
  sha256: string,
  setting: Setting,
): Promise<Result<Build, Problem>> {
  const env = { PATH: process.env.PATH ?? "" };
  const { code, stdout, stderr } = await answerOf([copy, "version", "--json"], VERSION_MS, {
    env,
    cwd: "/",
    ...asOwner(ownerOf(setting.data)),
  });
  const about = readJson(stdout) as { readonly version?: unknown; readonly commit?: unknown } | null | undefined;
  if (code === 0 && typeof about?.version === "string" && typeof about.commit === "string") {
    return ok({ version: about.version, commit: about.commit, sha256 });
  }
  const why = stderr.trim().replaceAll(copy, file) || `it ended with ${code}`;
  const hint = "is it a nerve for this processor, and for this C library?";
  return err(problem("no-nerve", `${file} does not run as nerve here: ${why.slice(0, 500)}`, hint, file));
}

/** The folder for copies: where the databases lie, for there is room for them. */
const scratchOf = (data: string): string => join(data, "upgrade-check");

interface Check {
  readonly code: number | string;
  readonly stdout: string;
  readonly problems: readonly Problem[];
}

async function checkBy(file: string, { config, data, environment }: Setting): Promise<Check> {
  const owner = ownerOf(data);
  const scratch = scratchOf(data);
  rmSync(scratch, { recursive: true, force: true });
  mkdirSync(scratch, { mode: 0o700 });
  giveTo(owner, scratch);
  try {
    const { code, stdout, stderr } = await answerOf([file, "check", "--no-types", "--json", "-c", config], CHECK_MS, {
      env: { ...environment, TMPDIR: scratch },
      cwd: dirname(config),
      ...asOwner(owner),
    });
    return { code, stdout, problems: stderr.split("\n").flatMap(problemIn) };
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

export function problemIn(line: string): readonly Problem[] {
  const { error = null } = (readJson(line) ?? {}) as { readonly error?: Problem | null };
  return error === null ? [] : [error];
}

/**
 * Migrations that the new executable would apply, or what it finds wrong that the old one does not: a sense that does not load
 * with either holds up no upgrade.
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
  const message = `the check of nerve ${build.version} ended with ${found.code}`;
  return err([problem("check-failed", message), ...fresh]);
}

interface Pending {
  readonly pending: readonly string[];
}

interface Checked {
  readonly store: Pending | null;
  readonly senses: readonly (Pending & { readonly name: string })[] | null;
}

/** What it does not say is not known. */
function pendingIn(stdout: string): string[] {
  const { store = null, senses = null } = (readJson(stdout) ?? {}) as { [Key in keyof Checked]?: Checked[Key] };
  return [
    ...(store?.pending ?? []).map((name) => `logs.db ${name}`),
    ...(senses ?? []).flatMap(({ name, pending }) => pending.map((file) => `${name}.db ${file}`)),
  ];
}
