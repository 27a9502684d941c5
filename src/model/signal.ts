/** An immutable fact a sense emitted, as a row of `signals`. */
export interface Signal {
  /** Strict total order, and the cursor. */
  readonly id: number;
  readonly sense: string;
  /** Unix milliseconds by the kernel's clock at receipt. */
  readonly at: number;
  /** JSON text. */
  readonly payload: string;
  /** Id of the signal that led to this one, or null for a tick, a start or a trigger by hand. */
  readonly cause: number | null;
  /** 32 lowercase hex digits, shared by everything one tick led to. */
  readonly trace: string;
}
