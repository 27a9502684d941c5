/** A socket's path holds about 107 bytes; a data directory deeper than that is reached through an open descriptor of it. */
import { openSync } from "node:fs";
import { join } from "node:path";
import { SOCKET_NAME } from "./contract.ts";

const LONGEST_PATH = 100;

/** Path under which this process, and others of its user, reach the control socket of `data`. */
export function socketPath(data: string): string {
  const path = join(data, SOCKET_NAME);
  if (Buffer.byteLength(path) <= LONGEST_PATH) return path;
  return `/proc/${process.pid}/fd/${openSync(data, "r")}/${SOCKET_NAME}`;
}
