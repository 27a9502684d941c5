/** What an earlier kernel on this data directory left behind: found by the marker in its environment, and ended. */
import { readFileSync } from "node:fs";
import { killMarked } from "../base/processes.ts";
import { workerMarker } from "./environment.ts";

function ancestors(): Set<number> {
  const found = new Set<number>();
  for (let pid = process.pid; pid > 1 && !found.has(pid); ) {
    found.add(pid);
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    pid = Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]);
  }
  return found;
}

/** Call only while holding the data directory's lock. Returns the pids it sent SIGKILL to. */
export const sweepLeftovers = (data: string): number[] => killMarked(workerMarker(data), ancestors());
