/** `nerve/fullness`: the answer of statfs(2) in the terms of df(1). */
import { clamp, percent } from "./proc.ts";

export interface Blocks {
  readonly bsize: number;
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
  /** Used of what users can have, as df(1) shows it. Null for a file system without a size, such as /proc. */
  readonly used_percent: number | null;
  readonly inodes_total: number;
  readonly inodes_used: number;
  /** Null where inodes are not counted, such as on btrfs. */
  readonly inodes_used_percent: number | null;
}

/** Some file systems report a negative count, which reads as nearly 2^64. */
const count = (value: number): number => (value >= 2 ** 63 ? 0 : Math.max(0, value));

/** Of file systems without a limit some report more bytes than an integer holds. */
const toBytes = (blocks: number, unit: number): number => Math.min(blocks * unit, Number.MAX_SAFE_INTEGER);

export function fullness(found: Blocks): Fullness {
  const { bsize, blocks, bfree, bavail, files, ffree } = found;
  // The unit of the counts of blocks; some file systems, and older runtimes, leave it out.
  const unit = (found as Blocks & { readonly frsize?: number }).frsize || bsize;
  const total = count(blocks);
  const used = total - clamp(count(bfree), 0, total);
  const available = clamp(count(bavail), 0, total);
  const inodes = count(files);
  const inodesUsed = inodes - clamp(count(ffree), 0, inodes);
  return {
    total_bytes: toBytes(total, unit),
    used_bytes: toBytes(used, unit),
    available_bytes: toBytes(available, unit),
    used_percent: percent(used, used + available),
    inodes_total: Math.min(inodes, Number.MAX_SAFE_INTEGER),
    inodes_used: Math.min(inodesUsed, Number.MAX_SAFE_INTEGER),
    inodes_used_percent: percent(inodesUsed, inodes),
  };
}
