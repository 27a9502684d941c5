/**
 * Ties a worker's whole process group to its kernel's life (G9). Standard input is a pipe whose other end only the
 * kernel holds; when the kernel is gone, however it went, the operating system itself sends SIGKILL to the group. It
 * needs no turn of the event loop, so a spinning or stopped worker and its children go too.
 * Source: fcntl(2), F_SETOWN, F_SETSIG and O_ASYNC.
 */
import { readlinkSync } from "node:fs";
import { loadLibc } from "../base/libc.ts";

const STDIN = 0;
const F_GETFL = 3;
const F_SETFL = 4;
const F_SETOWN = 8;
const F_SETSIG = 10;
const O_ASYNC = 0o20000;
const SIGKILL = 9;

const isPipe = (): boolean => /^(pipe|socket):/.test(readlinkSync(`/proc/self/fd/${STDIN}`));

/**
 * Everything in the group, this process included. The channel may be gone before the line is pulled; whoever left alone
 * then would take the line with it, and its children would live on.
 */
function endGroup(): never {
  try {
    process.kill(-process.pid, "SIGKILL");
  } catch {
    // It leads no group: there is only itself to end.
  }
  process.exit(0);
}

/**
 * Arms the life line of the group this process leads. Where that cannot be done the channel's `disconnect` is all there
 * is: enough for a worker whose event loop turns, and the next start sweeps what is left.
 */
export function holdLifeLine(kernelPid: number): boolean {
  process.on("disconnect", endGroup);
  const libc = isPipe() ? loadLibc() : null;
  let armed = false;
  if (libc) {
    armed =
      libc.fcntl(STDIN, F_SETOWN, -process.pid) === 0 &&
      libc.fcntl(STDIN, F_SETSIG, SIGKILL) === 0 &&
      libc.fcntl(STDIN, F_SETFL, libc.fcntl(STDIN, F_GETFL, 0) | O_ASYNC) === 0;
  }
  // The kernel may have died before the line was armed; then nothing would ever pull it.
  if (process.ppid !== kernelPid) endGroup();
  return armed;
}
