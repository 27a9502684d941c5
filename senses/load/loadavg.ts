/** /proc/loadavg (`0.46 0.12 0.04 1/82 4809`, proc_loadavg(5)) and the kernel's list of processors (`0-3,8`). */
import { round } from "nerve/proc";

export interface Load {
  readonly load1: number;
  readonly load5: number;
  readonly load15: number;
  readonly load1_per_core: number;
  readonly load5_per_core: number;
  readonly load15_per_core: number;
  readonly cores: number;
  readonly runnable_threads: number;
  readonly threads: number;
}

export function parseLoad(text: string, cores: number): Load {
  const match = /^([\d.]+) ([\d.]+) ([\d.]+) (\d+)\/(\d+) /.exec(text);
  if (!match) throw new Error("/proc/loadavg does not read as it should");
  const [load1 = 0, load5 = 0, load15 = 0, runnable = 0, threads = 0] = match.slice(1).map(Number);
  return {
    load1,
    load5,
    load15,
    load1_per_core: round(load1 / cores),
    load5_per_core: round(load5 / cores),
    load15_per_core: round(load15 / cores),
    cores,
    runnable_threads: runnable,
    threads,
  };
}

/** Null for what is no such list. */
export function countCores(online: string): number | null {
  let cores = 0;
  for (const range of online.trim().split(",")) {
    const [, first, last = first] = /^(\d+)(?:-(\d+))?$/.exec(range) ?? [];
    if (first === undefined) return null;
    cores += Number(last) - Number(first) + 1;
  }
  return cores > 0 ? cores : null;
}
