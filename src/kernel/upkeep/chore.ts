/** What keeps the data directory in order, beside the work of the kernel and in small slices. */
export interface Chore {
  /** Begins to look by itself. */
  start(): void;
  /** Ends at its next step, and touches the store no more. */
  stop(): void;
  /** The wall clock was set: what is old is not known for a while. */
  clockStepped(): void;
}
