/** What the kernel shows the web process when it looks: what lives in memory alone. Changes nothing. */
import type { SilenceAnswer, Status } from "./contract.ts";
import type { MetricsLook } from "./metrics-look.ts";

export interface WebLook {
  /** Unix milliseconds, by the kernel's clock. */
  readonly at: number;
  readonly status: Status;
  readonly metrics: MetricsLook;
  readonly silences: readonly SilenceAnswer[];
  /** By sense, the id of its newest signal since the kernel started. */
  readonly last_signals: Readonly<Record<string, number>>;
  /** By sense, what its module exports as `series`. */
  readonly series: Readonly<Record<string, SeriesOfSense>>;
  /** Since the kernel started. */
  readonly slowest_commit_ms: number;
}

/** `export const series` of a sense: its table, the column of the time, and each number with its column. */
export interface SeriesOfSense {
  readonly table: string;
  readonly at: string;
  /** The column by which there is a line for each value, or null. */
  readonly by: string | null;
  readonly fields: Readonly<Record<string, { readonly column: string; readonly unit: string | null }>>;
}
