/** What the module of a sense exports as `watch`, one entry of it. */
export interface SeatWatch {
  /** `kernel`: how nerve itself is. */
  readonly kind: "kernel" | "journal" | "inbox" | "file" | "dir";
  /** Absolute, of a file or a folder. */
  readonly path: string | null;
  /** Of a folder: the names that matter, `*` for all. */
  readonly match: string | null;
}
