/** /proc/meminfo (proc_meminfo(5)), whose `kB` are 1024 bytes. */
import { clamp, percent } from "nerve/proc";

export interface Memory {
  readonly total_bytes: number;
  /** What programs could still get without swapping: the kernel's own estimate, else what is free or cached. */
  readonly available_bytes: number;
  /** total - available: what cannot be had back. */
  readonly used_bytes: number;
  readonly used_percent: number;
  /** These three are null where the kernel does not report them. */
  readonly free_bytes: number | null;
  /** Page cache, buffers and reclaimable slabs. */
  readonly cached_bytes: number | null;
  readonly dirty_bytes: number | null;
  readonly swap_total_bytes: number;
  readonly swap_used_bytes: number;
  /** Null where there is no swap. */
  readonly swap_used_percent: number | null;
}

/** Throws only where there is no total: what else a kernel leaves out is null, or 0 for swap. */
export function parseMeminfo(text: string): Memory {
  const fields = new Map<string, number>();
  for (const [, name = "", kib] of text.matchAll(/^(\w+): +(\d+) kB$/gm)) fields.set(name, Number(kib) * 1024);
  const bytes = (name: string): number | null => fields.get(name) ?? null;
  const total = bytes("MemTotal");
  if (total === null) throw new Error("/proc/meminfo does not report MemTotal");
  const free = bytes("MemFree");
  const cached = sum(bytes("Cached"), bytes("Buffers"), bytes("SReclaimable"));
  const available = clamp(bytes("MemAvailable") ?? sum(free, cached) ?? 0, 0, total);
  const swap = bytes("SwapTotal") ?? 0;
  // In a container free swap can be more than there is, and even less than none, which reads as 2^64.
  const swapUsed = clamp(swap - (bytes("SwapFree") ?? 0), 0, swap);
  return {
    total_bytes: total,
    available_bytes: available,
    used_bytes: total - available,
    used_percent: percent(total - available, total) ?? 0,
    free_bytes: free,
    cached_bytes: cached,
    dirty_bytes: bytes("Dirty"),
    swap_total_bytes: swap,
    swap_used_bytes: swapUsed,
    swap_used_percent: percent(swapUsed, swap),
  };
}

/** Of what there is; null where there is nothing. */
const sum = (...parts: readonly (number | null)[]): number | null =>
  parts.reduce((all, part) => (part === null ? all : (all ?? 0) + part), null);
