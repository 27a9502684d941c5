/** What statfs(2) says, in the terms of df(1). */
import { percent } from "nerve/proc";

export interface Blocks {
  readonly bsize: number;
  /** The unit of the three counts below; some file systems, and older runtimes, leave it out. */
  readonly frsize?: number;
  readonly blocks: number;
  readonly bfree: number;
  readonly bavail: number;
  readonly files: number;
  readonly ffree: number;
}

export interface Fullness {
  readonly total_bytes: number;
  readonly used_bytes: number;
  /** Without what is reserved for root. */
  readonly available_bytes: number;
  /** Of what users can have, as df says it. Null for a file system without a size, such as /proc. */
  readonly used_percent: number | null;
  readonly inodes_total: number;
  readonly inodes_used: number;
  /** Null where inodes are not counted, such as on btrfs. */
  readonly inodes_used_percent: number | null;
}

export function fullness({ bsize, frsize, blocks, bfree, bavail, files, ffree }: Blocks): Fullness {
  const unit = frsize || bsize;
  const used = blocks - bfree;
  return {
    total_bytes: blocks * unit,
    used_bytes: used * unit,
    available_bytes: bavail * unit,
    used_percent: percent(used, used + bavail),
    inodes_total: files,
    inodes_used: files - ffree,
    inodes_used_percent: percent(files - ffree, files),
  };
}
