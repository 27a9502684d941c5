/** What /proc says about processes: trees, resident memory, markers in environments. Linux only, no privileges assumed. */
import { readdirSync, readFileSync } from "node:fs";

const PAGE_BYTES = 4096;

const read = (path: string): string | null => {
  try {
    return readFileSync(path, "latin1");
  } catch {
    return null;
  }
};

/** Direct children of every thread of `pid`; empty when it is gone. */
function children(pid: number): number[] {
  const found: number[] = [];
  let tasks: string[];
  try {
    tasks = readdirSync(`/proc/${pid}/task`);
  } catch {
    return found;
  }
  for (const task of tasks) {
    for (const id of read(`/proc/${pid}/task/${task}/children`)?.split(" ") ?? []) {
      if (id !== "") found.push(Number(id));
    }
  }
  return found;
}

/** Every living descendant of `pid` that has not been given to another parent, parents before children. */
export function descendants(pid: number): number[] {
  const found = children(pid);
  for (let index = 0; index < found.length; index++) found.push(...children(found[index] as number));
  return found;
}

/** Resident bytes of one process, 0 when it is gone. */
export function residentBytes(pid: number): number {
  const statm = read(`/proc/${pid}/statm`);
  return statm === null ? 0 : Number(statm.split(" ")[1]) * PAGE_BYTES;
}

/** True while `pid` exists and is not a zombie. */
export function isAlive(pid: number): boolean {
  const stat = read(`/proc/${pid}/stat`);
  if (stat === null) return false;
  const state = stat[stat.lastIndexOf(")") + 2];
  return state !== "Z" && state !== "X";
}

export const signalProcess = (pid: number, signal: NodeJS.Signals): void => {
  try {
    process.kill(pid, signal);
  } catch {
    // Already gone, which is what was wanted.
  }
};

/**
 * SIGKILLs `pid` and its descendants. The tree is stopped from the root down first and read again until no new child
 * appears, so that a process that forks while it is being hunted cannot outrun the hunt.
 */
export function killTree(pid: number): void {
  const hunted = new Set<number>();
  for (;;) {
    const fresh = [pid, ...descendants(pid)].filter((id) => !hunted.has(id));
    if (fresh.length === 0) break;
    for (const id of fresh) {
      hunted.add(id);
      signalProcess(id, "SIGSTOP");
    }
  }
  for (const id of hunted) signalProcess(id, "SIGKILL");
}

/** Pids of living processes whose environment holds `NAME=value` exactly, this one excluded. */
export function withEnvironment(marker: string): number[] {
  const found: number[] = [];
  for (const entry of readdirSync("/proc")) {
    const pid = Number(entry);
    if (!Number.isInteger(pid) || pid === process.pid) continue;
    const environment = read(`/proc/${pid}/environ`);
    if (environment?.split("\0").includes(marker) && isAlive(pid)) found.push(pid);
  }
  return found;
}
