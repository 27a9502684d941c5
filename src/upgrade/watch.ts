/**
 * Owns the watch over a started daemon: whether it is the present executable, answers, has committed since, and goes on.
 * The log is read as a table that every version has.
 */
import { readlinkSync, statSync } from "node:fs";
import { join } from "node:path";
import { isAlive } from "../base/processes.ts";
import { askKernel } from "../control/client.ts";
import type { Status } from "../control/contract.ts";
import { openReader } from "../sqlite/open.ts";
import { holderOf, type Started } from "./service.ts";

/** systemd waits for a start as long as this. The old version, on the way back, has at least this long. */
export const WITHIN_MS = 90_000;

/** The limits for a started daemon. */
export interface Patience {
  /** The daemon may take this long to its first commit. */
  readonly withinMs: number;
  /** After its first commit the daemon must stay up for this long. */
  readonly calmMs: number;
}

const POLL_MS = 100;

/** The highest id that a log ever had. Null where it cannot be read at the moment. */
export function lastLog(data: string): number | null {
  const opened = openReader(join(data, "logs.db"));
  if (!opened.ok) return null;
  try {
    const row = opened.value.query<{ seq: number }, []>("SELECT seq FROM sqlite_sequence WHERE name = 'logs'").get();
    return row?.seq ?? 0;
  } catch {
    return null;
  } finally {
    opened.value.close(true);
  }
}

/** True when the process runs the present file. In the view of a container or a unit inode numbers may differ. */
function runs(pid: number, executable: string): boolean {
  try {
    if (readlinkSync(`/proc/${pid}/exe`) === executable) return true;
    const [own, other] = [statSync(`/proc/${pid}/exe`), statSync(executable)];
    return own.dev === other.dev && own.ino === other.ino;
  } catch {
    return false;
  }
}

interface Sight {
  readonly pid: number;
  readonly log: number;
}

/**
 * The daemon, if it runs `executable`, answers, and has no trouble with its store. Otherwise a sentence about what was
 * seen.
 */
async function look(executable: string, data: string): Promise<Sight | string> {
  const pid = holderOf(data);
  if (pid === null) return "no daemon runs";
  if (!runs(pid, executable)) return `process ${pid} runs another executable`;
  const status = await askKernel<Status>(data, "/status", null);
  if (!status.ok) return "the daemon does not answer";
  const { kernel } = status.value;
  if (kernel.store !== "ok") return `the daemon cannot commit: ${kernel.store}`;
  const log = lastLog(data);
  return log === null ? "logs.db cannot be read" : { pid: kernel.pid, log };
}

/** A living daemon may fail to answer this many times in a row, because the host may be busy. */
const MOST_MISSES = 30;

/** Null once the daemon has committed a log above `after`, and has gone on for a while. Otherwise the reason to give up. */
export async function watch(
  executable: string,
  data: string,
  started: Started,
  after: number,
  { withinMs, calmMs }: Patience,
): Promise<string | null> {
  const startedAt = performance.now();
  let seen = "nothing was seen of it";
  let pid: number | null = null;
  while (pid === null) {
    const fault = started.fault();
    if (fault !== null) return fault;
    const sight = await look(executable, data);
    if (typeof sight !== "string" && sight.log > after) pid = sight.pid;
    else seen = typeof sight === "string" ? sight : "the daemon answers, and commits nothing";
    if (pid === null && performance.now() - startedAt > withinMs) {
      return `it has committed nothing within ${withinMs / 1_000} s: ${seen}`;
    }
    await Bun.sleep(POLL_MS);
  }
  return goesOn(pid, started, () => look(executable, data), calmMs);
}

/** Null once the process has gone on for `calmMs`. Otherwise a sentence about what happened to it. */
async function goesOn(
  pid: number,
  started: Started,
  see: () => Promise<Sight | string>,
  calmMs: number,
): Promise<string | null> {
  const calmSince = performance.now();
  for (let misses = 0; performance.now() - calmSince < calmMs || misses > 0; await Bun.sleep(POLL_MS)) {
    const fault = started.fault();
    if (fault !== null) return fault;
    const sight = await see();
    if (!isAlive(pid)) return `it had committed, and then ended (process ${pid})`;
    misses = typeof sight === "string" ? misses + 1 : 0;
    if (typeof sight === "string" && misses > MOST_MISSES) return `it had committed, and then: ${sight}`;
  }
  return null;
}
