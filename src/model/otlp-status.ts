/** Owns how the sending by OTLP is, as `nerve status` and the page show it. Types only. */
import type { OtlpKind } from "./otlp.ts";
import type { Tries } from "./tries.ts";

/** One kind of what is sent. `sent` and `refused` count numbers, logs or spans, since the kind was first named in `otlp.send`. */
export interface OtlpLink extends Tries {
  readonly kind: OtlpKind;
  /**
   * `starting`: nothing was answered yet. `offline`: nobody answers. `blocked`: the receiver answers, and takes nothing for now.
   * `refusing`: the receiver has refused all of the newest request for good.
   */
  readonly state: "starting" | "connected" | "offline" | "blocked" | "refusing";
  /** A sentence of the newest try where it is not connected, else null. */
  readonly why: string | null;
  /** Unix milliseconds since which it is in `state`. */
  readonly since: number;
  /** All ids up to here were looked at, and what is sent of them was answered. */
  readonly upto: number;
  /** Ids behind `upto`. */
  readonly backlog: number;
  readonly sent: number;
  /** What the receiver refused for good. */
  readonly refused: number;
  /** Ids that retention removed before they were looked at. */
  readonly lost: number;
}

export interface OtlpStatus {
  /** Scheme, host and port alone. */
  readonly address: string;
  readonly links: readonly OtlpLink[];
}
