/** What the module of a sense says beside its compute. */
import type { SeriesTable } from "../../model/series.ts";

export interface Exported {
  /** Its `watch` is one of the kernel. */
  readonly watchesKernel: boolean;
  /** Where its numbers over time are; null: it exports nothing of the kind. */
  readonly series: SeriesTable | null;
}

/** Of a module that is not loaded yet. */
export const NOTHING_EXPORTED: Exported = { watchesKernel: false, series: null };
