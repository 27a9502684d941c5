/**
 * A private folder for trying something out: under the system's temporary folder, 0700, removed however the command ends
 * (Ctrl-C too) unless it is to be kept. Copies of what a sense has are made in it; the originals are only read.
 */
import { constants, copyFileSync, linkSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { err, ok, type Result } from "../base/result.ts";
import { type Problem, problem } from "../model/problem.ts";
import { describeSqliteError, openReader } from "../sqlite/open.ts";

const ENDING: readonly NodeJS.Signals[] = ["SIGINT", "SIGTERM", "SIGHUP"];
const SIGNAL_NUMBERS: Readonly<Record<string, number>> = { SIGHUP: 1, SIGINT: 2, SIGTERM: 15 };

/** What uses the folder and must be gone before it. */
export interface Tenant {
  kill(): void;
}

/** Nowhere to try anything out: what is thrown carries the problem for whoever ends the command. */
class NoScratch extends Error {
  readonly problem: Problem;

  constructor(error: unknown) {
    super(`no temporary folder can be made in ${tmpdir()}: ${(error as Error).message}`);
    this.problem = problem("no-temporary-folder", this.message, "set TMPDIR to a folder that nerve may write to");
  }
}

function makeTemporary(purpose: string): string {
  try {
    return mkdtempSync(join(tmpdir(), `nerve-${purpose}-`));
  } catch (error) {
    throw new NoScratch(error);
  }
}

export class ScratchFolder {
  readonly path: string;
  readonly #tenants = new Set<Tenant>();
  readonly #onExit = (): void => this.remove();
  /** A shell reads 128 and the signal's number as "ended by it". */
  readonly #onSignal = (signal: NodeJS.Signals): void => process.exit(128 + (SIGNAL_NUMBERS[signal] ?? 0));
  #kept = false;

  constructor(purpose: string) {
    process.umask(0o077);
    this.path = makeTemporary(purpose);
    process.on("exit", this.#onExit);
    for (const signal of ENDING) process.on(signal, this.#onSignal);
  }

  folder(name: string): string {
    const path = join(this.path, name);
    mkdirSync(path, { recursive: true, mode: 0o700 });
    return path;
  }

  admit(tenant: Tenant): void {
    this.#tenants.add(tenant);
  }

  dismiss(tenant: Tenant): void {
    this.#tenants.delete(tenant);
  }

  keep(): void {
    this.#kept = true;
  }

  remove(): void {
    process.off("exit", this.#onExit);
    for (const signal of ENDING) process.off(signal, this.#onSignal);
    for (const tenant of this.#tenants) tenant.kill();
    if (!this.#kept) rmSync(this.path, { recursive: true, force: true, maxRetries: 3 });
  }
}

/** A whole copy, consistent though its owner may be writing. A database that does not exist yet has none. */
export function copyDatabase(from: string, to: string): Result<null, Problem> {
  const opened = openReader(from);
  if (!opened.ok) {
    return opened.error.kind === "missing"
      ? ok(null)
      : err(problem(`database-${opened.error.kind}`, opened.error.message, null, from));
  }
  try {
    // The handle is read-only: it can write the copy and nothing else.
    opened.value.run("PRAGMA query_only = OFF");
    opened.value.run("VACUUM INTO ?", [to]);
    return ok(null);
  } catch (error) {
    const { kind, message } = describeSqliteError(from, error);
    return err(problem(`database-${kind}`, `it cannot be copied: ${message}`, null, from));
  } finally {
    opened.value.close(true);
  }
}

/** Copies made where no link can lead; what is beyond them cannot be read in the scratch folder. */
const MAX_COPIED_BYTES = 256 * 1024 * 1024;

/** The blobs there are can be read, new ones stay in `to`. Hard links are safe: a stored file is never written again. */
export function linkBlobs(from: string, to: string): void {
  let copied = 0;
  for (const folder of list(join(from, "sha256"))) {
    const target = join(to, "sha256", folder);
    mkdirSync(target, { recursive: true, mode: 0o700 });
    for (const name of list(join(from, "sha256", folder))) {
      const source = join(from, "sha256", folder, name);
      try {
        linkSync(source, join(target, name));
      } catch {
        // Another file system, or another user's file.
        copied += statSync(source, { throwIfNoEntry: false })?.size ?? 0;
        if (copied > MAX_COPIED_BYTES) return;
        copyFileSync(source, join(target, name), constants.COPYFILE_FICLONE);
      }
    }
  }
}

function list(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
