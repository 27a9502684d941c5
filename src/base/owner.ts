/** Whose files are, for a process of root that works for somebody else. */
import { chownSync, lchownSync, lstatSync, readdirSync, statSync } from "node:fs";
import { dirname, join } from "node:path";

export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

const isRoot = (): boolean => process.geteuid?.() === 0;

/** Of a path, or of the nearest folder above it that is there. */
export function ownerOf(path: string): Owner {
  for (let at = path; ; at = dirname(at)) {
    const stats = statSync(at, { throwIfNoEntry: false });
    if (stats !== undefined) return { uid: stats.uid, gid: stats.gid };
  }
}

/** Options with which a child runs as `owner`, where this process may say so. */
export const asOwner = ({ uid, gid }: Owner): object => (isRoot() ? { uid, gid } : {});

/** Gives `path` and everything below it to `owner`, where this process may. Links are not followed. */
export function giveTo({ uid, gid }: Owner, path: string): void {
  if (!isRoot()) return;
  if (lstatSync(path).isDirectory()) {
    for (const name of readdirSync(path)) giveTo({ uid, gid }, join(path, name));
    chownSync(path, uid, gid);
  } else lchownSync(path, uid, gid);
}
