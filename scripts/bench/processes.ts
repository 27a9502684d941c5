/** What /proc says of running processes: processor time, bytes they dirtied, memory. */
import { readdirSync, readFileSync } from "node:fs";

/** Text of a file of /proc, or `` when the process is gone. */
function read(path: string): string {
  try {
    return readFileSync(path, "latin1");
  } catch {
    return "";
  }
}

const field = (text: string, name: string): number =>
  Number(new RegExp(`^${name}:\\s+(\\d+)`, "m").exec(text)?.[1] ?? 0);

export const childrenOf = (pid: number): number[] =>
  read(`/proc/${pid}/task/${pid}/children`).split(" ").filter(Boolean).map(Number);

/** Milliseconds on a processor, user and system, of all its threads: from the scheduler, for a tick of 10 ms is too coarse. */
export function cpuMs(pid: number): number {
  const threads = readdirSync(`/proc/${pid}/task`);
  return threads.reduce((sum, id) => sum + Number(read(`/proc/${pid}/task/${id}/schedstat`).split(" ")[0]) / 1e6, 0);
}

/** Bytes it has caused to be written, page by page, when the page was dirtied. */
export const writtenBytes = (pid: number): number => field(read(`/proc/${pid}/io`), "write_bytes");

/** Resident bytes, shared pages divided by those who share them. */
export const pssBytes = (pid: number): number => field(read(`/proc/${pid}/smaps_rollup`), "Pss") * 1024;
