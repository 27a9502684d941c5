/**
 * The daemon as a process among others: a folder with a config and senses, a kernel that may be killed at any moment,
 * and what /proc says is left of it. Runs the compiled executable where there is one, else the program from source.
 */
import { Database } from "bun:sqlite";
import {
  chmodSync,
  closeSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Status } from "../../src/control/contract.ts";
import { NERVE } from "./nerve.ts";
import { marked, sendSignal } from "./processes.ts";
import { until } from "./until.ts";

const OBSERVER = join(import.meta.dir, "../fixtures/crash/observer.ts");
const FIXTURES = join(import.meta.dir, "../fixtures/crash/senses");

/** Numbers in [0, 1), the same ones for the same seed (mulberry32). */
export function randomNumbers(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

export class Kernel {
  readonly pid: number;
  readonly startedAt = performance.now();
  /** The exit code, or the name of the signal that ended it. */
  readonly exited: Promise<number | string>;
  ended: number | string | null = null;
  readonly #site: CrashSite;
  readonly #log: string;

  constructor(site: CrashSite, config: string, wrapper: readonly string[]) {
    this.#site = site;
    this.#log = join(site.folder, `stderr-${site.starts++}.log`);
    const stderr = openSync(this.#log, "w");
    const child = Bun.spawn([...wrapper, ...NERVE, config], {
      cwd: site.folder,
      env: { PATH: process.env.PATH ?? "", HOME: site.folder },
      stdio: ["ignore", "ignore", stderr],
    });
    closeSync(stderr);
    this.pid = child.pid;
    this.exited = child.exited.then(() => {
      this.ended = child.signalCode ?? child.exitCode ?? "unknown";
      return this.ended;
    });
  }

  /** Everything it has said on stderr. */
  stderr(): string {
    return readFileSync(this.#log, "utf8");
  }

  lastWords(): string {
    return this.stderr().slice(-2_000);
  }

  /** Null while nobody answers. */
  async status(): Promise<Status | null> {
    try {
      const socket = join(this.#site.data, "nerve.sock");
      const response = await fetch("http://nerve/status", { unix: socket, signal: AbortSignal.timeout(2_000) });
      const status = (await response.json()) as Status;
      return status.kernel.pid === this.pid ? status : null;
    } catch {
      return null;
    }
  }

  /** Milliseconds from its start until it answers. */
  async answers(): Promise<number> {
    await until(`the kernel answers\n${this.stderr()}`, async () => this.#alive() && (await this.status()) !== null);
    return performance.now() - this.startedAt;
  }

  /** Resolves once every group is up. */
  async up(): Promise<Status> {
    let status: Status | null = null;
    const allUp = async (): Promise<boolean> => {
      status = this.#alive() ? await this.status() : null;
      return status?.groups.every((group) => group.state === "up") ?? false;
    };
    try {
      await until("every group is up", allUp);
    } catch (error) {
      throw new Error(`${(error as Error).message}\n${JSON.stringify(status)}\n${this.stderr()}`);
    }
    return status as unknown as Status;
  }

  #alive(): true {
    if (this.ended === null) return true;
    throw new Error(`the kernel ended (${this.ended}):\n${this.stderr()}`);
  }

  trigger(sense: string): Promise<void> {
    return this.#ask("/trigger", sense);
  }

  /** Lifts the quarantine of `sense`. */
  enable(sense: string): Promise<void> {
    return this.#ask("/enable", sense);
  }

  async #ask(path: string, name: string): Promise<void> {
    const unix = join(this.#site.data, "nerve.sock");
    const body = JSON.stringify({ name });
    const response = await fetch(`http://nerve${path}`, {
      unix,
      method: "POST",
      body,
      signal: AbortSignal.timeout(20_000),
    });
    await response.text();
  }

  async kill(): Promise<void> {
    sendSignal(this.pid, "SIGKILL");
    await this.exited;
  }

  /** SIGTERM, and what it ended with. */
  stop(): Promise<number | string> {
    sendSignal(this.pid, "SIGTERM");
    return this.exited;
  }
}

/** A folder of its own: `nerve.yaml` and more configs, `senses/`, and `data/`. */
export class CrashSite implements AsyncDisposable {
  readonly folder: string;
  readonly data: string;
  /** What {@link observe} saw. */
  readonly history: string;
  starts = 0;
  readonly #kernels: Kernel[] = [];
  #kept = false;
  readonly #observers: Bun.Subprocess[] = [];

  /** `senses` names folders of the fixtures. */
  constructor(senses: readonly string[], config: string, data: string | null = null) {
    this.folder = realpathSync(mkdtempSync(join(tmpdir(), "nerve-crash-")));
    this.data = data ?? join(this.folder, "data");
    this.history = join(this.folder, "history.jsonl");
    mkdirSync(join(this.folder, "senses"), { mode: 0o700 });
    for (const name of senses) {
      cpSync(join(FIXTURES, name), join(this.folder, "senses", name), { recursive: true });
    }
    this.tighten();
    this.write("nerve.yaml", config);
  }

  /** Nothing here may be writable by others, or nerve refuses it. */
  tighten(): void {
    for (const entry of readdirSync(join(this.folder, "senses"), { recursive: true, withFileTypes: true })) {
      chmodSync(join(entry.parentPath, entry.name), entry.isDirectory() ? 0o700 : 0o600);
    }
  }

  write(file: string, text: string): void {
    writeFileSync(join(this.folder, file), text.replaceAll("DATA", this.data), { mode: 0o600 });
  }

  start(config = "nerve.yaml", wrapper: readonly string[] = []): Kernel {
    const kernel = new Kernel(this, config, wrapper);
    this.#kernels.push(kernel);
    return kernel;
  }

  /**
   * Follows the committed signals from another process, which keeps what it saw in `history.jsonl` of the folder.
   * Resolves, once told to stop, when all of that is on disk.
   */
  observe(): () => Promise<void> {
    const observer = Bun.spawn([process.execPath, OBSERVER, join(this.data, "logs.db"), this.history], {
      stdio: ["ignore", "ignore", "inherit"],
    });
    this.#observers.push(observer);
    return async () => {
      observer.kill("SIGTERM");
      await observer.exited;
    };
  }

  /** Asks the store, through a connection that is gone again afterwards; `missing` while there is nothing to ask. */
  ask<T>(missing: T, question: (db: Database) => T): T {
    let db: Database | null = null;
    try {
      db = new Database(join(this.data, "logs.db"), { readonly: true });
      db.run("PRAGMA busy_timeout = 1000");
      return question(db);
    } catch (error) {
      // Not made, killed in the making (only a writer may roll that back), its tables are not there yet, or the next kernel
      // is reading the WAL of the one before.
      const { message, code } = error as { readonly message: string; readonly code?: string };
      if (/unable to open|no such table|readonly database/.test(message)) return missing;
      if (code === "SQLITE_BUSY_RECOVERY") return missing;
      throw error;
    } finally {
      db?.close();
    }
  }

  /** True when the store holds no compute that is still owed. */
  isAtRest(): boolean {
    return this.ask(false, (db) => db.query("SELECT 1 FROM sense_state WHERE owed IS NOT NULL").get() === null);
  }

  countSignals(sense: string): number {
    const count = "SELECT count(*) AS n FROM signals WHERE sense = ?";
    return this.ask(0, (db) => db.query<{ n: number }, [string]>(count).get(sense)?.n ?? 0);
  }

  /** The workers of the site that live, and all that descends from them. */
  marked(): number[] {
    return marked(this.data);
  }

  /** Its folder is to be looked at afterwards. */
  keep(): void {
    this.#kept = true;
  }

  /** Ends what is left of it. */
  async end(): Promise<void> {
    for (const observer of this.#observers) observer.kill("SIGKILL");
    for (const kernel of this.#kernels) if (kernel.ended === null) await kernel.kill();
    for (let left = this.marked(); left.length > 0; left = this.marked()) {
      for (const pid of left) sendSignal(pid, "SIGKILL");
      await Bun.sleep(2);
    }
    if (!this.#kept) rmSync(this.folder, { recursive: true, force: true });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.end();
  }
}
