/** What the module of a sense says beside its compute. */
import type { SeriesTable } from "../../model/series.ts";
import type { SeatWatch } from "../../model/watched.ts";

export interface Exported {
  /** What wakes the sense where a reflex says `watch: true`. */
  readonly watched: readonly SeatWatch[];
  /** Where its numbers over time are; null: it exports nothing of the kind. */
  readonly series: SeriesTable | null;
}

/** Of a module that is not loaded yet. */
export const NOTHING_EXPORTED: Exported = { watched: [], series: null };

export const watchesKernel = ({ watched }: Exported): boolean => watched.some(({ kind }) => kind === "kernel");
