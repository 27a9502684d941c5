/** What the kernel shows the web process when it looks: what lives in memory alone. Changes nothing. */
import type { SeriesTable } from "../model/series.ts";
import type { SilenceAnswer, Status } from "./contract.ts";
import type { MetricsLook } from "./metrics-look.ts";

export interface WebLook {
  /** Unix milliseconds, by the kernel's clock. */
  readonly at: number;
  readonly status: Status;
  readonly metrics: MetricsLook;
  readonly silences: readonly SilenceAnswer[];
  /** By sense, the id of its newest signal, once that is known. */
  readonly last_signals: Readonly<Record<string, number>>;
  /** By sense, where its numbers over time are. A sense whose module exports no `series` is not in it. */
  readonly series: Readonly<Record<string, SeriesTable>>;
  /** Since the kernel started. */
  readonly slowest_commit_ms: number;
}
