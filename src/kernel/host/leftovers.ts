/**
 * Owns the search for processes of an earlier kernel on this data directory. They are found by the marker in their
 * environment, and ended.
 */
import { readFileSync } from "node:fs";
import { killMarked } from "../../base/processes.ts";
import { workerMarker } from "../../spawn/environment.ts";

function ancestors(): Set<number> {
  const found = new Set<number>();
  for (let pid = process.pid; pid > 1 && !found.has(pid); ) {
    found.add(pid);
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    pid = Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]);
  }
  return found;
}

/** The search is repeated while it finds something: one look may miss a process that forks while /proc is read. */
const MOST_LOOKS = 5;

/** Must be called while the lock of the data directory is held. Returns the pids that got SIGKILL. */
export function sweepLeftovers(data: string): number[] {
  const own = ancestors();
  const swept = new Set<number>();
  for (let look = 0; look < MOST_LOOKS; look++) {
    const found = killMarked(workerMarker(data), own);
    if (found.length === 0) break;
    for (const pid of found) swept.add(pid);
  }
  return [...swept];
}
