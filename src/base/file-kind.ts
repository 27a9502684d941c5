/** What lies at a path, in words, for whoever expected something else there. */
import { lstatSync } from "node:fs";

export type FileKind = "a plain file" | "a folder" | "a symbolic link" | "a named pipe" | "a socket" | "a device";

/** Null: nothing lies there. A link is not followed. */
export function fileKind(path: string): FileKind | null {
  const stats = lstatSync(path, { throwIfNoEntry: false });
  if (stats === undefined) return null;
  if (stats.isFile()) return "a plain file";
  if (stats.isDirectory()) return "a folder";
  if (stats.isSymbolicLink()) return "a symbolic link";
  if (stats.isFIFO()) return "a named pipe";
  return stats.isSocket() ? "a socket" : "a device";
}
