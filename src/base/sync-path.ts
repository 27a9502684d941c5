import { closeSync, fsyncSync, openSync } from "node:fs";

/** Makes durable what was written to a file, or which names a folder holds. */
export function syncPath(path: string): void {
  const descriptor = openSync(path, "r");
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
