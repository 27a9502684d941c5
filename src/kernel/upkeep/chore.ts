/** Owns the shape of a chore: it keeps the data directory in order, beside the work of the kernel and in small slices. */
export interface Chore {
  /** Begins to look by itself. */
  start(): void;
  /** Ends at the next step. The store is not touched any longer. */
  stop(): void;
  /** Somebody set the wall clock: the age of things is not trusted for a while. */
  clockStepped(): void;
}
