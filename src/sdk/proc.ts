/**
 * `nerve/proc`: reading /proc and /sys, with an error that helps; the time between two samples of counters; rounding. Senses
 * read the host's /proc and /sys here and nowhere else. In a container `NERVE_PROC` and `NERVE_SYS` say where those of the host
 * are mounted; a path still begins with /proc or /sys.
 */
import { readdirSync, readFileSync } from "node:fs";
import { pageBytes } from "../base/processes.ts";

export { pageBytes };

/** Mount of the kernel's file system → the variable that says where that of the host is mounted. */
const VARIABLES = { "/proc": "NERVE_PROC", "/sys": "NERVE_SYS" } as const;

type Mount = keyof typeof VARIABLES;

/** The folder that a variable names, or null. */
function mountOf(mount: Mount): string | null {
  const variable = VARIABLES[mount];
  const given = process.env[variable] ?? "";
  if (given === "") return null;
  if (given.startsWith("/")) return given.replace(/\/+$/, "");
  throw new Error(`${variable} must be an absolute path, not ${JSON.stringify(given)}`);
}

/** The file of the host for a path of /proc or /sys. */
function hostPath(path: string): string {
  const mount = (["/proc", "/sys"] as const).find((one) => path === one || path.startsWith(`${one}/`));
  const folder = mount === undefined ? null : mountOf(mount);
  if (mount === undefined || folder === null) return path;
  const rest = path.slice(mount.length);
  // /proc/net is a link to the network of whoever reads; that of the first process is the host's.
  return folder + (mount === "/proc" ? rest.replace(/^\/net(?=\/|$)/, "/1/net") : rest);
}

/** Where the files of the host begin: empty, or in a container the root of the host's first process. */
export function hostRoot(): string {
  const proc = mountOf("/proc");
  return proc === null ? "" : `${proc}/1/root`;
}

/** The text of a file the kernel makes up. Latin-1, because names in it are bytes of anyone's choosing. */
export function readProc(path: string): string {
  const file = hostPath(path);
  try {
    return readFileSync(file, "latin1");
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new Error(`${file} is not visible (${code}): ${whyNot(path, file, code ?? "")}`);
  }
}

function whyNot(path: string, file: string, code: string): string {
  const variable = path.startsWith("/sys") ? VARIABLES["/sys"] : VARIABLES["/proc"];
  if (file !== path && code === "ENOENT") return `this kernel does not have it, or ${variable} names another folder`;
  return hints[code] ?? "the kernel refused to read it";
}

/** Ids of the processes that the kernel shows, as text. */
export const processIds = (): string[] => readdirSync(hostPath("/proc")).filter((name) => /^\d/.test(name));

/** A file of one process, as UTF-8; null where the process is gone or its file may not be read. */
export function readProcess(id: string, file: "stat" | "cmdline"): string | null {
  try {
    return readFileSync(hostPath(`/proc/${id}/${file}`), "utf8");
  } catch {
    return null;
  }
}

/** Names in a folder of /proc or /sys; none where there is no such folder. */
export function listProc(folder: string): string[] {
  try {
    return readdirSync(hostPath(folder));
  } catch {
    return [];
  }
}

const hints: Readonly<Record<string, string>> = {
  ENOENT: "this kernel does not have it, or the unit hides it (ProcSubset=pid)",
  EACCES: "nerve's user may not read it, or the unit hides it",
  EOPNOTSUPP: "it is switched off in this kernel",
};

/** When a sample of counters was taken. A later sample, perhaps of another process, measures the time since then. */
export interface Instant {
  /** Counters of the kernel begin at zero with every boot. */
  readonly boot_id: string;
  /** Since boot, suspend included. Nobody can set this clock, but it counts in steps of 10 ms. */
  readonly uptime_ms: number;
  /** Unix milliseconds. */
  readonly wall_ms: number;
}

const UPTIME_STEP_MS = 10;
const SHORTEST_MS = 50;

export const instant = (): Instant => ({
  boot_id: bootId(),
  uptime_ms: Math.round(Number(readProc("/proc/uptime").split(" ", 1)[0]) * 1000),
  wall_ms: Date.now(),
});

/** Changes with every boot. Read once a process: it cannot change while one lives. */
export const bootId = (() => {
  let id: string | null = null;
  return () => {
    id ??= readProc("/proc/sys/kernel/random/boot_id").trim();
    return id;
  };
})();

/**
 * Seconds from one instant to the next: `rebooted` when their counters cannot be compared, `too-soon` when a rate over
 * so short a time would be noise. The wall clock is the finer one and is believed while the boot clock agrees with it.
 */
export function secondsBetween(earlier: Instant, later: Instant): number | "rebooted" | "too-soon" {
  if (earlier.boot_id !== later.boot_id || later.uptime_ms < earlier.uptime_ms) return "rebooted";
  const uptime = later.uptime_ms - earlier.uptime_ms;
  const wall = later.wall_ms - earlier.wall_ms;
  const elapsed = Math.abs(wall - uptime) <= 2 * UPTIME_STEP_MS ? wall : uptime;
  return elapsed < SHORTEST_MS ? "too-soon" : elapsed / 1000;
}

const WRAP = 2 ** 32;

/**
 * What a counter of the kernel grew by; null where it began anew. A counter of 32 bits goes on from 0 after its last value,
 * which is taken for that only from its upper into its lower half.
 */
export function growth(before: number, after: number): number | null {
  if (after >= before) return after - before;
  return before < WRAP && before >= WRAP / 2 && after < WRAP / 2 ? after - before + WRAP : null;
}

/** `value`, or the nearer end of the range. */
export const clamp = (value: number, low: number, high: number): number => Math.min(high, Math.max(low, value));

/** What `record`, made from names of others' choosing, has under `name`: never what every object inherits. */
export const own = <T>(record: Readonly<Record<string, T>>, name: string): T | undefined =>
  Object.hasOwn(record, name) ? record[name] : undefined;

/** Two decimals: enough for a person, and short in a payload. */
export const round = (value: number): number => Math.round(value * 100) / 100;

/** 0–100, or null when there is no whole to take a part of. */
export const percent = (part: number, whole: number): number | null =>
  whole > 0 ? round(clamp((100 * part) / whole, 0, 100)) : null;
