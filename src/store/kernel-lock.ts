/** Whether a kernel runs on a data directory: who reads beside it must sometimes wait for it. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { lockHolder } from "../sqlite/lock.ts";

export const isKernelRunning = (data: string): boolean => {
  const lock = join(data, "locks", "kernel.lock");
  return existsSync(lock) && lockHolder(lock) !== null;
};
