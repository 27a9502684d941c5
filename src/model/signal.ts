import { fullNameOf } from "./full-name.ts";

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
  /** The host that made it, or that this host says something of. Null: made here. */
  readonly origin: string | null;
  /** Its id and its time there. */
  readonly origin_id: number | null;
  readonly origin_at: number | null;
  /** 1: it was too old on arrival, and no reflex looked at it. */
  readonly late: number | null;
}

/** The signal, called by its full name: `HOST/SENSE` where it came from another host. */
export const fullyNamed = (signal: Signal): Signal =>
  signal.origin === null ? signal : { ...signal, sense: fullNameOf(signal) };

/** Of a signal that was made here. */
export const MADE_HERE = { origin: null, origin_id: null, origin_at: null, late: null } as const;
