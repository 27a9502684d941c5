/** A nerve of its own under `bin/`, a release of another beside it, and an upgrade as a person runs it. */
import { createHash } from "node:crypto";
import { chmodSync, cpSync, existsSync, linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import type { Status } from "../../src/control/contract.ts";
import { lockHolder } from "../../src/sqlite/lock.ts";
import { COMPILED } from "./nerve.ts";
import { sendSignal } from "./processes.ts";
import { until } from "./until.ts";

export const sha256 = (file: string): string => createHash("sha256").update(readFileSync(file)).digest("hex");

/** Another name of a large file where that can be, else a copy. */
export function place(from: string, to: string): void {
  mkdirSync(dirname(to), { recursive: true });
  rmSync(to, { force: true });
  try {
    linkSync(from, to);
  } catch {
    cpSync(from, to);
  }
}

/** Puts `file` and its sum into the folder `release`; the path of the file there. */
export function release(file: string, folder: string): string {
  const path = join(folder, "nerve");
  place(file, path);
  writeFileSync(join(folder, "SHA256SUMS"), `${sha256(path)}  ${basename(path)}\n`);
  return path;
}

export interface Verb {
  readonly code: number | string;
  readonly stdout: string;
  readonly stderr: string;
}

/** A folder with `bin/nerve`, `nerve.yaml` and `data`, in which a daemon is started by hand. */
export class UpgradeSite {
  readonly folder: string;
  readonly executable: string;
  readonly data: string;
  readonly #began = new Set<Bun.Subprocess>();

  constructor(folder: string, data: string = join(folder, "data")) {
    this.folder = folder;
    this.executable = join(folder, "bin/nerve");
    this.data = data;
    this.reset();
  }

  /** The old executable is in place, and no upgrade is known. */
  reset(): void {
    rmSync(join(this.folder, "bin"), { recursive: true, force: true });
    place(COMPILED ?? "", this.executable);
    chmodSync(this.executable, 0o755);
  }

  /** Starts the daemon and resolves once it answers. */
  async start(environment: Readonly<Record<string, string>> = {}): Promise<void> {
    const child = Bun.spawn([this.executable, "nerve.yaml"], {
      cwd: this.folder,
      env: { PATH: process.env.PATH ?? "", HOME: this.folder, ...environment },
      stdio: ["ignore", "ignore", "ignore"],
    });
    this.#began.add(child);
    await until("the daemon answers", async () => (await this.version()) !== null);
  }

  async run(args: readonly string[], wrapper: readonly string[] = []): Promise<Verb> {
    const child = Bun.spawn([...wrapper, this.executable, ...args], {
      cwd: this.folder,
      env: { PATH: process.env.PATH ?? "", HOME: this.folder },
      stdio: ["ignore", "pipe", "pipe"],
    });
    // A daemon that is started holds none of these.
    const [stdout, stderr] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()]);
    await child.exited;
    return { code: child.signalCode ?? child.exitCode ?? "unknown", stdout, stderr };
  }

  /** Of the daemon that answers, or null. */
  async version(): Promise<string | null> {
    try {
      const socket = join(this.data, "nerve.sock");
      const response = await fetch("http://nerve/status", { unix: socket, signal: AbortSignal.timeout(5_000) });
      return ((await response.json()) as Status).kernel.version;
    } catch {
      return null;
    }
  }

  /** Ends the daemon, whoever started it. */
  async stop(): Promise<void> {
    const lock = join(this.data, "locks/kernel.lock");
    const pid = existsSync(lock) ? lockHolder(lock) : null;
    if (pid !== null) sendSignal(pid, "SIGTERM");
    await until("nobody holds the data", () => !existsSync(lock) || lockHolder(lock) === null);
    for (const child of this.#began) await child.exited;
    this.#began.clear();
  }
}
