/** Processes by pid, as /proc and signals know them. Each of them may be gone at any moment. */
import { readdirSync, readFileSync } from "node:fs";
import { until } from "./until.ts";

/** The text of a file of /proc, null once its process is gone. */
export const readProc = (path: string): string | null => {
  try {
    return readFileSync(path, "latin1");
  } catch {
    return null;
  }
};

/** `R`, `S`, `T`, `Z` …, or null when there is no such process. */
export function processState(pid: number): string | null {
  const stat = readProc(`/proc/${pid}/stat`);
  return stat === null ? null : (stat[stat.lastIndexOf(")") + 2] ?? null);
}

export const isRunning = (pid: number): boolean => !["Z", "X", null].includes(processState(pid));

/** The argv of a process joined by spaces, `` when the process is gone. */
export const commandOf = (pid: number): string => (readProc(`/proc/${pid}/cmdline`) ?? "").replaceAll("\0", " ");

export function childrenOf(pid: number): number[] {
  const children = readProc(`/proc/${pid}/task/${pid}/children`) ?? "";
  return children.split(" ").filter(Boolean).map(Number);
}

/** Whether the signal was sent: false when there is no such process. A pid that was read a moment ago may be gone. */
export const sendSignal = (pid: number, signal: NodeJS.Signals): boolean => {
  try {
    return process.kill(pid, signal);
  } catch {
    return false;
  }
};

/** Living processes whose environment holds the marker of the data directory: workers, and all that descends from them. */
export function marked(data: string): number[] {
  const marker = `NERVE_DATA=${data}`;
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => readProc(`/proc/${pid}/environ`)?.split("\0").includes(marker) && isRunning(pid));
}

/** Resolves once no process of a kernel that has ended lives any more (G9). Those that stay are ended, and the promise is rejected. */
export async function allGone(data: string): Promise<void> {
  try {
    await until("the last process of nerve is gone", () => marked(data).length === 0);
  } catch (error) {
    const left = marked(data);
    const who = left.map((pid) => `${pid} (${commandOf(pid).trim()})`).join(", ");
    for (const pid of left) sendSignal(pid, "SIGKILL");
    throw new Error(`${(error as Error).message}: ${who}`);
  }
}
