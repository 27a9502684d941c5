/**
 * Owns the folder of an upgrade, beside the executable. Only who may replace the executable may write the folder. It holds
 * the new executable until it is in place, the previous one for the way back, and the journal with the progress of the
 * upgrade. The journal decides which file becomes the executable, so nerve's own user cannot write it.
 */
import {
  chmodSync,
  closeSync,
  constants,
  copyFileSync,
  existsSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import { readJson } from "../base/json.ts";
import { err, ok, type Result } from "../base/result.ts";
import { syncPath } from "../base/sync-path.ts";
import { type Problem, problem } from "../model/problem.ts";
import { sha256Of } from "../release/sums.ts";
import { acquireLock, type Lock } from "../sqlite/lock.ts";
import type { Manager } from "./service.ts";

/** A version of nerve as an executable. */
export interface Build {
  readonly version: string;
  readonly commit: string;
  readonly sha256: string;
}

/**
 * The progress of an upgrade. Up to `backed-up` the old executable is in place; at `swapping` either is; at `watching` and
 * `done` the new one is. `going-back` and `gone-back` are the same on the way back. `stuck`: the old one is in place again,
 * and does not go on.
 */
export type Step = "stopping" | "backed-up" | "swapping" | "watching" | "done" | "going-back" | "gone-back" | "stuck";

/** The data with which the old executable goes on: the present data, their rows in the old tables, or the backup. */
export type Rung = "as-it-is" | "carried-over" | "backup";

export interface Journal {
  readonly step: Step;
  readonly config: string;
  readonly data: string;
  readonly from: Build;
  readonly to: Build;
  /** The manager of the daemon. Null where no daemon ran. */
  readonly manager: Manager | null;
  /** The highest log id when the daemon had stopped. */
  readonly lastLog: number;
  /** The reason for the way back, or null. */
  readonly reason: string | null;
  readonly rung: Rung;
}

const JOURNAL = "journal.json";
const O_NEW = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;

const asideOf = (file: string): string => `${file}.tmp`;

/** Renames a file, also where both names are of one file already. A rename does nothing then, and leaves the first name. */
function renameLink(from: string, to: string): void {
  renameSync(from, to);
  rmSync(from, { force: true });
}

export class Home {
  readonly executable: string;
  readonly folder: string;

  constructor(executable: string) {
    this.executable = executable;
    this.folder = join(dirname(executable), `.${basename(executable)}.upgrade`);
  }

  get staged(): string {
    return join(this.folder, "new");
  }

  get previous(): string {
    return join(this.folder, "previous");
  }

  /** A second name of the previous executable, until that name is in place. */
  get #again(): string {
    return join(this.folder, "again");
  }

  /**
   * Makes the folder, locks it and removes what a kill left there. Null while another upgrade has the lock. Throws errors
   * of the file system.
   */
  enter(): Lock | null {
    mkdirSync(this.folder, { recursive: true });
    // The owner of the data runs the file, under any umask.
    chmodSync(this.folder, 0o755);
    const lock = acquireLock(join(this.folder, "lock"));
    if (lock !== null) this.#tidy();
    return lock;
  }

  /** Removes the files that lie aside. A rename gives everything its place, so no step needs them. */
  #tidy(): void {
    const files = [this.staged, this.#again, asideOf(this.previous), asideOf(join(this.folder, JOURNAL))];
    for (const file of files) rmSync(file, { force: true });
  }

  /** Null where no upgrade was ever begun. */
  read(): Result<Journal | null, Problem> {
    const file = join(this.folder, JOURNAL);
    if (!existsSync(file)) return ok(null);
    const journal = readJson(readFileSync(file, "utf8")) as { readonly step?: unknown } | null | undefined;
    if (typeof journal?.step === "string") return ok(journal as unknown as Journal);
    const hint = `look which executable ${this.executable} is, then remove the file`;
    return err(problem("upgrade-journal", `${file} is no journal of an upgrade`, hint, file));
  }

  /** Durable when it returns. */
  write(journal: Journal): void {
    this.#replace(join(this.folder, JOURNAL), Buffer.from(`${JSON.stringify(journal, null, 1)}\n`), 0o600);
  }

  /** Copies the new executable, durably, so that the checked file is the file that is put in place. */
  stage(file: string): void {
    rmSync(this.staged, { force: true });
    copyFileSync(file, this.staged, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE);
    chmodSync(this.staged, 0o755);
    syncPath(this.staged);
    syncPath(this.folder);
  }

  /** Keeps the present executable as the previous one. */
  keepPrevious(): void {
    const aside = asideOf(this.previous);
    rmSync(aside, { force: true });
    linkSync(this.executable, aside);
    renameLink(aside, this.previous);
    syncPath(this.folder);
  }

  /** Puts a file of the folder in the place of the executable, in one step. */
  putInPlace(file: string): void {
    renameLink(file, this.executable);
    syncPath(dirname(this.executable));
    syncPath(this.folder);
  }

  /** Puts the previous executable in place. It stays in the folder too. */
  putPreviousInPlace(): void {
    rmSync(this.#again, { force: true });
    linkSync(this.previous, this.#again);
    this.putInPlace(this.#again);
  }

  /** The SHA-256 of the present executable. */
  inPlace(): Promise<string> {
    return sha256Of(this.executable);
  }

  #replace(file: string, bytes: Buffer, mode: number): void {
    const aside = asideOf(file);
    rmSync(aside, { force: true });
    const descriptor = openSync(aside, O_NEW, mode);
    try {
      writeSync(descriptor, bytes);
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
    renameSync(aside, file);
    syncPath(this.folder);
  }
}
