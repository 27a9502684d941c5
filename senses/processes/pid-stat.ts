/** Every process the kernel shows us, from /proc/PID/stat (proc_pid_stat(5)) and, if asked, /proc/PID/cmdline. */
import { processIds, readProcess } from "nerve/proc";

export interface Process {
  readonly pid: number;
  /** At most 15 bytes, chosen by the process itself. */
  readonly name: string;
  /** `R`, `S`, `D`, `Z`, `T`, `t`, `I` … */
  readonly state: string;
  readonly threads: number;
  /** Ticks of processor time, all threads. */
  readonly ticks: number;
  /** Ticks after boot; with the pid it names one process for good. */
  readonly started: number;
  readonly rss_pages: number;
  /** Arguments joined by spaces; the name where there are none (kernel threads, zombies); null when not asked for. */
  readonly command: string | null;
}

export function readProcesses(withCommands: boolean): Process[] {
  const found: Process[] = [];
  for (const id of processIds()) {
    const stat = readProcess(id, "stat");
    const process = stat === null ? null : parsePidStat(stat);
    if (process === null) continue;
    const command = withCommands ? readProcess(id, "cmdline")?.replaceAll("\0", " ").trimEnd() || process.name : null;
    found.push({ ...process, command });
  }
  return found;
}

/** Null for what does not read like a stat line. The name may hold anything, brackets and newlines included. */
export function parsePidStat(stat: string): Omit<Process, "command"> | null {
  const open = stat.indexOf("(");
  const close = stat.lastIndexOf(")");
  if (open < 0 || close < open) return null;
  const fields = stat.slice(close + 2).split(" ");
  const field = (number: number): number => Number(fields[number - 3]);
  const numbers = {
    pid: Number(stat.slice(0, open)),
    threads: field(20),
    ticks: field(14) + field(15),
    started: field(22),
    rss_pages: Math.max(0, field(24)),
  };
  if (Object.values(numbers).some(Number.isNaN)) return null;
  return { ...numbers, name: stat.slice(open + 1, close), state: fields[0] ?? "?" };
}
