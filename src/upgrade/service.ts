/**
 * Owns the start and the stop of the daemon of a data directory, and the question who runs it: the unit of systemd that the
 * process belongs to, or this program, with the arguments, the folder and the output of a daemon that was started by hand.
 */
import { openSync, readFileSync, readlinkSync, statSync } from "node:fs";
import { join } from "node:path";
import { asOwner, type Owner, ownerOf } from "../base/owner.ts";
import { isAlive } from "../base/processes.ts";
import { lockHolder } from "../sqlite/lock.ts";

export type Manager =
  | { readonly kind: "systemd"; readonly unit: string; readonly scope: "system" | "user" }
  | {
      readonly kind: "by-hand";
      readonly arguments: readonly string[];
      readonly folder: string;
      readonly owner: Owner;
    };

export interface Running {
  readonly pid: number;
  readonly manager: Manager;
  readonly environment: Readonly<Record<string, string>>;
  /** The output of the process. Null where it cannot be opened. */
  readonly output: number | null;
}

const read = (path: string): string | null => {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return null;
  }
};

export const kernelLock = (data: string): string => join(data, "locks", "kernel.lock");

/** The process that holds the data directory, or null. */
export function holderOf(data: string): number | null {
  const lock = kernelLock(data);
  return statSync(lock, { throwIfNoEntry: false }) === undefined ? null : lockHolder(lock);
}

/** Variables that a service manager gives to one process alone. A new daemon must not get them. */
const NOT_INHERITED = /^(NOTIFY_SOCKET|WATCHDOG_|LISTEN_|INVOCATION_ID$|JOURNAL_STREAM$|MAINPID$|SYSTEMD_EXEC_PID$)/;

function environmentOf(pid: number): Record<string, string> {
  const entries = (read(`/proc/${pid}/environ`) ?? "").split("\0").flatMap((entry) => {
    const at = entry.indexOf("=");
    return at > 0 ? [[entry.slice(0, at), entry.slice(at + 1)] as const] : [];
  });
  return Object.fromEntries(entries.filter(([name]) => !NOT_INHERITED.test(name)));
}

export interface Ran {
  readonly code: number;
  readonly text: string;
}

export function systemctl(scope: "system" | "user", ...words: readonly string[]): Ran {
  if (Bun.which("systemctl") === null) return { code: 127, text: "" };
  const { exitCode, stdout, stderr } = Bun.spawnSync(["systemctl", ...(scope === "user" ? ["--user"] : []), ...words], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  return { code: exitCode, text: `${stdout.toString()}${stderr.toString()}`.trim() };
}

/** The unit whose main process is `pid`, or null. Source: systemd's documentation of control groups, cgroups(7). */
function unitOf(pid: number): Manager | null {
  const [, path = ""] = /^0::(.*)$/m.exec(read(`/proc/${pid}/cgroup`) ?? "") ?? [];
  const [, unit = ""] = /\/([^/]+\.service)$/.exec(path) ?? [];
  if (unit === "") return null;
  const scope = /\/user@\d+\.service\//.test(path) ? "user" : "system";
  return mainPid(scope, unit) === pid ? { kind: "systemd", unit, scope } : null;
}

const mainPid = (scope: "system" | "user", unit: string): number =>
  Number(systemctl(scope, "show", "--value", "-p", "MainPID", unit).text);

const O_APPEND = "a";

function outputOf(pid: number): number | null {
  try {
    return openSync(`/proc/${pid}/fd/2`, O_APPEND);
  } catch {
    return null;
  }
}

/** The daemon of `data`, or null where none runs. */
export function runningOn(data: string): Running | null {
  const pid = holderOf(data);
  if (pid === null) return null;
  const argv = (read(`/proc/${pid}/cmdline`) ?? "").split("\0").slice(1, -1);
  const manager = unitOf(pid) ?? {
    kind: "by-hand",
    arguments: argv,
    folder: readlinkSync(`/proc/${pid}/cwd`),
    owner: ownerOf(`/proc/${pid}`),
  };
  return { pid, manager, environment: environmentOf(pid), output: outputOf(pid) };
}

const STOP_MS = 20_000;
const POLL_MS = 20;

async function isGoneWithin(pid: number, ms: number): Promise<boolean> {
  for (const until = performance.now() + ms; performance.now() < until; await Bun.sleep(POLL_MS)) {
    if (!isAlive(pid)) return true;
  }
  return !isAlive(pid);
}

/** Stops the daemon. Resolves once its process is gone. */
export async function stop(manager: Manager, data: string): Promise<void> {
  if (manager.kind === "systemd") systemctl(manager.scope, "stop", manager.unit);
  const pid = holderOf(data);
  if (pid === null || pid === process.pid) return;
  for (const signal of ["SIGTERM", "SIGKILL"] as const) {
    try {
      process.kill(pid, signal);
    } catch {
      return;
    }
    if (await isGoneWithin(pid, STOP_MS)) return;
  }
}

/** A supervisor that nerve does not know has this long to start the daemon again. */
const BY_OTHERS_MS = 2_000;

export interface Started {
  /** The known fault, or null. Asked again and again while the daemon is watched. */
  fault(): string | null;
  /** The exit code of the daemon. Null where it is not known. */
  code(): number | null;
}

/** A daemon that somebody else started. */
export const BY_OTHERS: Started = { fault: () => null, code: () => null };

/** Starts the daemon, with the environment and the output that it had. */
export async function start(manager: Manager, executable: string, data: string, was: Running | null): Promise<Started> {
  if (manager.kind === "systemd") return startUnit(manager.scope, manager.unit);
  for (const until = performance.now() + BY_OTHERS_MS; performance.now() < until; await Bun.sleep(POLL_MS)) {
    if (holderOf(data) !== null) return BY_OTHERS;
  }
  const output = was?.output ?? "ignore";
  const child = Bun.spawn([executable, ...manager.arguments], {
    cwd: manager.folder,
    env: was?.environment ?? process.env,
    stdio: ["ignore", output, output],
    detached: true,
    ...asOwner(manager.owner),
  });
  child.unref();
  return {
    fault: () =>
      child.exitCode === null && child.signalCode === null
        ? null
        : `the daemon ended with ${child.signalCode ?? `code ${child.exitCode}`}`,
    code: () => child.exitCode,
  };
}

function startUnit(scope: "system" | "user", unit: string): Started {
  // systemd refuses the start of a unit that failed too often within minutes.
  systemctl(scope, "reset-failed", unit);
  const { code, text } = systemctl(scope, "start", unit);
  const ended = (): number => Number(systemctl(scope, "show", "--value", "-p", "ExecMainStatus", unit).text);
  if (code !== 0) return { fault: () => `${unit} does not start: ${text}`, code: ended };
  const state = (): string => systemctl(scope, "show", "--value", "-p", "ActiveState", unit).text;
  return { fault: () => (state() === "failed" ? `${unit} has failed` : null), code: ended };
}
