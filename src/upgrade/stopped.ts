/**
 * Owns a data directory whose daemon is stopped: the lock keeps every other daemon away while something is put in place.
 */
import { existsSync } from "node:fs";
import { dirname } from "node:path";
import { acquireLock, type Lock } from "../sqlite/lock.ts";
import { kernelLock, type Manager, stop } from "./service.ts";

const LOCK_MS = 60_000;
const POLL_MS = 5;

/** Somebody starts the daemon again as soon as it is stopped. */
export class StartedAgain extends Error {}

/** Stops the daemon, if there is one, and holds its lock. Null where there is no data yet. */
export async function holdPlace(manager: Manager | null, data: string): Promise<Lock | null> {
  const file = kernelLock(data);
  if (!existsSync(dirname(file))) return null;
  for (const until = performance.now() + LOCK_MS; ; await Bun.sleep(POLL_MS)) {
    if (manager !== null) await stop(manager, data);
    const lock = acquireLock(file);
    if (lock !== null) return lock;
    if (performance.now() > until) throw new StartedAgain(`a daemon is started on ${data} again and again`);
  }
}
