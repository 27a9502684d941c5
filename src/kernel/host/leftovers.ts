/** What an earlier kernel on this data directory left behind: found by the marker in its environment, and ended. */
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

/** Looks again while there was something: what forks while /proc is read may be missed by one look. */
const MOST_LOOKS = 5;

/** Call only while holding the data directory's lock. Returns the pids it sent SIGKILL to. */
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
