/** What /proc says about processes: trees, resident memory, markers in environments. Linux only, no privileges assumed. */
import { readdirSync, readFileSync } from "node:fs";

const AT_PAGESZ = 6n;

/** From the vector the kernel gave this process: 4096 on most hosts, 16 or 64 KiB on some arm64 ones. */
export const pageBytes = (() => {
  let bytes: number | null = null;
  return (): number => {
    if (bytes === null) {
      bytes = 4096;
      const vector = readFileSync("/proc/self/auxv");
      for (let at = 0; at + 16 <= vector.length; at += 16) {
        if (vector.readBigUInt64LE(at) === AT_PAGESZ) bytes = Number(vector.readBigUInt64LE(at + 8));
      }
    }
    return bytes;
  };
})();

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

/** A process as a person knows it: `4711 (sqlite3)`; the number alone when it is gone. */
export function nameOfProcess(pid: number): string {
  const name = read(`/proc/${pid}/comm`)?.trim() ?? "";
  return name === "" ? String(pid) : `${pid} (${name})`;
}

/** Resident bytes of one process, 0 when it is gone. */
export function residentBytes(pid: number): number {
  const statm = read(`/proc/${pid}/statm`);
  return statm === null ? 0 : Number(statm.split(" ")[1]) * pageBytes();
}

/** True while `pid` exists and is not a zombie. */
export function isAlive(pid: number): boolean {
  const stat = read(`/proc/${pid}/stat`);
  if (stat === null) return false;
  const state = stat[stat.lastIndexOf(")") + 2];
  return state !== "Z" && state !== "X";
}

const signalProcess = (pid: number, signal: NodeJS.Signals): void => {
  try {
    process.kill(pid, signal);
  } catch {
    // Already gone, which is what was wanted.
  }
};

/**
 * SIGKILLs whatever `find` answers. What is found is stopped first and `find` asked again until it names no new one, so
 * that a process that forks while it is being hunted cannot outrun the hunt; one that cannot be killed does not hold it up.
 */
function killAll(find: () => readonly number[]): number[] {
  const hunted = new Set<number>();
  for (;;) {
    const fresh = find().filter((pid) => !hunted.has(pid));
    if (fresh.length === 0) break;
    for (const pid of fresh) {
      hunted.add(pid);
      signalProcess(pid, "SIGSTOP");
    }
  }
  for (const pid of hunted) signalProcess(pid, "SIGKILL");
  return [...hunted];
}

/** SIGKILLs `pid` and its descendants, root first. Only for a child not reaped yet: a pid is another's afterwards. */
export function killTree(pid: number): void {
  killAll(() => [pid, ...descendants(pid)]);
}

/** Every pid there is, zombies included. */
export const listPids = (): number[] => readdirSync("/proc").map(Number).filter(Number.isInteger);

/** Pids of living processes whose environment holds `NAME=value` exactly; this one and those of `except` left out. */
export function withEnvironment(marker: string, except: ReadonlySet<number> = new Set()): number[] {
  return listPids().filter((pid) => {
    if (pid === process.pid || except.has(pid)) return false;
    const environment = read(`/proc/${pid}/environ`);
    // The substring first: splitting the environment of every process of the host is what would cost.
    return environment?.includes(marker) && environment.split("\0").includes(marker) && isAlive(pid);
  });
}

/** SIGKILLs every process whose environment holds `marker`, wherever in the tree it has got to. Answers their pids. */
export const killMarked = (marker: string, except: ReadonlySet<number> = new Set()): number[] =>
  killAll(() => withEnvironment(marker, except));

/** Resident bytes of a process and its descendants. */
export const heldBytes = (pid: number): number =>
  [pid, ...descendants(pid)].reduce((sum, id) => sum + residentBytes(id), 0);
