/** How long to wait before the next try: nothing at first, then 1 s, 2 s, 4 s … 60 s, each ± 20 %. */
export interface BackoffPolicy {
  readonly firstMs: number;
  readonly maxMs: number;
  /** Share of the delay that is random, to either side. */
  readonly spread: number;
}

export const RESTART_BACKOFF: BackoffPolicy = { firstMs: 1_000, maxMs: 60_000, spread: 0.2 };

/** Delay before try number `failures + 1`, where `failures` ended badly in a row. `random` is in [0, 1). */
export function backoffMs(failures: number, policy: BackoffPolicy, random: number): number {
  if (failures <= 1) return 0;
  const delay = Math.min(policy.maxMs, policy.firstMs * 2 ** Math.min(failures - 2, 30));
  return Math.round(delay * (1 + policy.spread * (2 * random - 1)));
}
