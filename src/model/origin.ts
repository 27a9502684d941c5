/** Owns the shape of what is known of another host whose signals come in. */
export const ORIGIN_STATES = ["up", "silent"] as const;

export type OriginState = (typeof ORIGIN_STATES)[number];

export interface Origin {
  readonly host: string;
  /** Of the ids of its signals. Empty while nothing of it came. */
  readonly epoch: string;
  /** All of its signals of `epoch` up to this id are here, or are counted in `missing`. */
  readonly upto: number;
  /** Unix milliseconds at which something of it came last. */
  readonly at: number;
  /** How many of its signals were stored. */
  readonly signals: number;
  /** How often ids of it were left out, and how many signals may be missing because of that at most. */
  readonly gaps: number;
  readonly missing: number;
  /** How many were too old on arrival: no reflex looked at them. */
  readonly late: number;
  readonly state: OriginState;
  /** Unix milliseconds since which it is in `state`. */
  readonly since: number;
  /** When something of it came last, on the axis of presence. */
  readonly heard: number;
}

/** Of a host, so many epochs that it has left are known. */
export const FORMER_EPOCHS = 16;

/** How far an epoch of a host went. */
export interface OriginEpoch {
  readonly host: string;
  readonly epoch: string;
  readonly upto: number;
}
