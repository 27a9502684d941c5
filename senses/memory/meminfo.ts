/** /proc/meminfo (proc_meminfo(5)), whose `kB` are 1024 bytes. */
import { percent } from "nerve/proc";

export interface Memory {
  readonly total_bytes: number;
  /** What programs could still get without swapping, by the kernel's own estimate. */
  readonly available_bytes: number;
  /** total - available: what cannot be had back. */
  readonly used_bytes: number;
  readonly used_percent: number;
  readonly free_bytes: number;
  /** Page cache and reclaimable slabs. */
  readonly cached_bytes: number;
  readonly dirty_bytes: number;
  readonly swap_total_bytes: number;
  readonly swap_used_bytes: number;
  /** Null where there is no swap. */
  readonly swap_used_percent: number | null;
}

export function parseMeminfo(text: string): Memory {
  const fields = new Map<string, number>();
  for (const [, name = "", kib] of text.matchAll(/^(\w+): +(\d+) kB$/gm)) fields.set(name, Number(kib) * 1024);
  const bytes = (name: string): number => {
    const value = fields.get(name);
    if (value === undefined) throw new Error(`/proc/meminfo does not say ${name}`);
    return value;
  };
  const total = bytes("MemTotal");
  const available = Math.min(total, bytes("MemAvailable"));
  const swap = bytes("SwapTotal");
  const swapUsed = swap - bytes("SwapFree");
  return {
    total_bytes: total,
    available_bytes: available,
    used_bytes: total - available,
    used_percent: percent(total - available, total) ?? 0,
    free_bytes: bytes("MemFree"),
    cached_bytes: bytes("Cached") + bytes("Buffers") + (fields.get("SReclaimable") ?? 0),
    dirty_bytes: bytes("Dirty"),
    swap_total_bytes: swap,
    swap_used_bytes: swapUsed,
    swap_used_percent: percent(swapUsed, swap),
  };
}
