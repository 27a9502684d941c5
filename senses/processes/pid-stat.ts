/** Every process the kernel shows us, from /proc/PID/stat (proc_pid_stat(5)) and, if asked, /proc/PID/cmdline. */
import { readdirSync, readFileSync } from "node:fs";

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
  for (const pid of readdirSync("/proc")) {
    const first = pid.charCodeAt(0);
    if (first < 48 || first > 57) continue;
    const stat = read(`/proc/${pid}/stat`);
    const process = stat === null ? null : parsePidStat(stat);
    if (process === null) continue;
    const command = withCommands ? read(`/proc/${pid}/cmdline`)?.replaceAll("\0", " ").trimEnd() || process.name : null;
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
  return {
    pid: Number(stat.slice(0, open)),
    name: stat.slice(open + 1, close),
    state: fields[0] ?? "?",
    threads: field(20),
    ticks: field(14) + field(15),
    started: field(22),
    rss_pages: Math.max(0, field(24)),
  };
}

/** AT_PAGESZ of this process: 4096 on most hosts, 16 or 64 KiB on some arm64 ones. */
export function pageBytes(): number {
  const vector = readFileSync("/proc/self/auxv");
  for (let at = 0; at + 16 <= vector.length; at += 16) {
    if (vector.readBigUInt64LE(at) === 6n) return Number(vector.readBigUInt64LE(at + 8));
  }
  return 4096;
}

/** Null when the process is gone or is none of our business. UTF-8 here, because names and arguments are shown. */
function read(path: string): string | null {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return null;
  }
}
