/** strace as a saboteur: it kills a process at its k-th step, or makes a system call of it fail. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sendSignal } from "./processes.ts";
import { until } from "./until.ts";

/** Why tests that need it cannot run here, or null. */
export function whyNoStrace(): string | null {
  if (Bun.which("strace") === null) return "strace is not installed";
  const probe = Bun.spawnSync(["strace", "-f", "-o", "/dev/null", "-e", "trace=none", "true"], { stderr: "pipe" });
  return probe.exitCode === 0 ? null : `strace may not trace here: ${probe.stderr.toString().trim()}`;
}

/** Calls by which something becomes durable or is told to another process. strace counts each of them by itself. */
export const STEPS = ["pwrite64", "fsync", "sendto", "ftruncate", "unlink", "write"] as const;

const tracer = (pid: number): number => {
  try {
    return Number(/TracerPid:\t(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "latin1"))?.[1] ?? 0);
  } catch {
    return 0;
  }
};

export interface Saboteur {
  /** How many calls it has tampered with. */
  hits(): number;
  /** Lets the process go, unharmed from now on. */
  end(): Promise<void>;
}

/** Applies `inject` (strace's notation) to `pid`'s main thread from now on; only to calls on `paths` if there are any. */
export async function sabotage(pid: number, inject: string, paths: readonly string[] = []): Promise<Saboteur> {
  const call = inject.slice(0, inject.indexOf(":"));
  const only = paths.flatMap((path) => ["-P", path]);
  const folder = mkdtempSync(join(tmpdir(), "nerve-strace-"));
  const record = join(folder, "calls");
  const strace = Bun.spawn(
    [
      "strace",
      "-q",
      "-o",
      record,
      "-s",
      "0",
      "-p",
      String(pid),
      ...only,
      "-e",
      `trace=${call}`,
      "-e",
      `inject=${inject}`,
    ],
    { stdio: ["ignore", "ignore", "ignore"] },
  );
  await until("strace has attached", () => tracer(pid) === strace.pid || strace.exitCode !== null);
  return {
    hits: () => readFileSync(record, "latin1").split("(INJECTED)").length - 1,
    async end() {
      sendSignal(strace.pid, "SIGTERM");
      await strace.exited;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

interface Plan {
  readonly k: number;
  readonly call: string;
  /** Only calls on these files count; none: all. */
  readonly paths: readonly string[];
  /** The processes it starts, too, each with a count of its own. */
  readonly children: boolean;
}

/** argv to put before a command so that it, or a child of it, is killed at step `k`. The command keeps its pid. */
export const killedAtStep = ({ k, call, paths, children }: Plan): string[] => [
  ...["strace", "-D", "-q", "-o", "/dev/null", ...(children ? ["-f"] : []), ...paths.flatMap((path) => ["-P", path])],
  ...["-e", `trace=${call}`, "-e", `inject=${call}:signal=SIGKILL:when=${k}`],
];
