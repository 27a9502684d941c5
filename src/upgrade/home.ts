/**
 * The folder of an upgrade, beside the executable and with the rights of who may replace that: the new executable until it is
 * in place, the previous one for the way back, and the journal, which says how far an upgrade has come. The journal decides
 * what becomes the executable, so it lies where nerve's own user cannot write it.
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

/** An executable of nerve. */
export interface Build {
  readonly version: string;
  readonly commit: string;
  readonly sha256: string;
}

/**
 * How far an upgrade is. Up to `backed-up` the old executable is in place; at `swapping` either is; at `watching` and `done` the
 * new one is. `going-back` and `gone-back`: the same on the way back. `stuck`: the old one is in place again, and does not go on.
 */
export type Step = "stopping" | "backed-up" | "swapping" | "watching" | "done" | "going-back" | "gone-back" | "stuck";

/** Which data the old executable goes on with: what is there, its rows in the old tables, or the backup. */
export type Rung = "as-it-is" | "carried-over" | "backup";

export interface Journal {
  readonly step: Step;
  readonly config: string;
  readonly data: string;
  readonly from: Build;
  readonly to: Build;
  /** Who runs the daemon; null: none ran. */
  readonly manager: Manager | null;
  /** The highest log id when the daemon had stopped. */
  readonly lastLog: number;
  /** Why it goes or went back, or null. */
  readonly reason: string | null;
  readonly rung: Rung;
}

const JOURNAL = "journal.json";
const O_NEW = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;

const asideOf = (file: string): string => `${file}.tmp`;

/** A rename does nothing where both names are of one file already, and then leaves the first name. */
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

  /** Another name of the previous executable, until this name is in place. */
  get #again(): string {
    return join(this.folder, "again");
  }

  /**
   * Makes the folder, locks it and removes what a kill left there; null while another upgrade has it. Throws what the file
   * system throws.
   */
  enter(): Lock | null {
    mkdirSync(this.folder, { recursive: true });
    // The owner of the data runs what lies there, whatever the umask is.
    chmodSync(this.folder, 0o755);
    const lock = acquireLock(join(this.folder, "lock"));
    if (lock !== null) this.#tidy();
    return lock;
  }

  /** Everything has its place by a rename, so no step needs what still lies aside. */
  #tidy(): void {
    const files = [this.staged, this.#again, asideOf(this.previous), asideOf(join(this.folder, JOURNAL))];
    for (const file of files) rmSync(file, { force: true });
  }

  /** Null: no upgrade was ever begun here. */
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

  /** Copies the executable that is to come, durably, so that what is checked is what is put in place. */
  stage(file: string): void {
    rmSync(this.staged, { force: true });
    copyFileSync(file, this.staged, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE);
    chmodSync(this.staged, 0o755);
    syncPath(this.staged);
    syncPath(this.folder);
  }

  /** Keeps the executable that is in place as the previous one. */
  keepPrevious(): void {
    const aside = asideOf(this.previous);
    rmSync(aside, { force: true });
    linkSync(this.executable, aside);
    renameLink(aside, this.previous);
    syncPath(this.folder);
  }

  /** Puts a file of the folder in the executable's place, in one step. */
  putInPlace(file: string): void {
    renameLink(file, this.executable);
    syncPath(dirname(this.executable));
    syncPath(this.folder);
  }

  /** Puts the previous executable in place; it stays here too. */
  putPreviousInPlace(): void {
    rmSync(this.#again, { force: true });
    linkSync(this.previous, this.#again);
    this.putInPlace(this.#again);
  }

  /** The SHA-256 of the executable that is in place. */
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
