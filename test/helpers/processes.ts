/** Processes by pid, as /proc and signals know them. Each of them may be gone at any moment. */
import { readFileSync } from "node:fs";

/** What a file of /proc says, null once its process is gone. */
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

/** Its argv joined by spaces, `` when it is gone. */
export const commandOf = (pid: number): string => (readProc(`/proc/${pid}/cmdline`) ?? "").replaceAll("\0", " ");

export function childrenOf(pid: number): number[] {
  const children = readProc(`/proc/${pid}/task/${pid}/children`) ?? "";
  return children.split(" ").filter(Boolean).map(Number);
}

/** Whether the signal was sent: false when there is no such process. Who kills by a pid that was read a moment ago may come too late. */
export const sendSignal = (pid: number, signal: NodeJS.Signals): boolean => {
  try {
    return process.kill(pid, signal);
  } catch {
    return false;
  }
};
