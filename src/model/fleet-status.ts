/** Owns how the fleet is, as `nerve status` and the page show it. Types only. */
import type { StreamRoom } from "./stream-room.ts";
import type { Tries } from "./tries.ts";

/** One side of the fleet: what leaves, or what comes. */
export interface FleetSide extends Tries {
  /** `starting`: its process has said nothing yet. `blocked`: the servers answer and refuse. */
  readonly state: "starting" | "connected" | "offline" | "blocked";
  /** A sentence of the newest try where it is not connected, else null. */
  readonly why: string | null;
  /** Unix milliseconds since which it is in `state`. */
  readonly since: number;
}

/** A host of which something was seen in the last five minutes. */
export interface RecentHost {
  readonly host: string;
  /** Unix milliseconds of the first sign and of the last one. */
  readonly since: number;
  readonly at: number;
}

/** What comes is behind what others send, and did not catch up for `silent_after`. */
export interface FleetBehind {
  /** Unix milliseconds since which that is known. */
  readonly since: number;
  /** Milliseconds between the newest frame of the stream and the newest one here. */
  readonly lag_ms: number;
  /** Whose frames come most of all, and how many of a hundred; null: none came. */
  readonly busiest: string | null;
  readonly share: number;
}

/** How full the stream is, as its server said last. */
export interface FleetStream extends StreamRoom {
  readonly stream: string;
  /** Of the limit that is nearer. */
  readonly percent: number;
  /** At the rate of the frames in it. Null: they go with their time before; or nobody can tell. */
  readonly full_in_ms: number | null;
  readonly looked_at: number;
  /** Unix milliseconds since which it has been more than 80 % full, and not less than 70 % again. */
  readonly filling_since: number | null;
}

/** A host whose clock is more than a minute off the one of the stream's server, or that sends signals of the future. */
export interface FleetClock {
  readonly host: string;
  /** Milliseconds; less than 0 where it is behind. */
  readonly ahead_ms: number;
  readonly since: number;
}

export interface FleetStatus {
  /** What other hosts call this one. */
  readonly host: string;
  readonly servers: readonly string[];
  /** `upto`: the newest signal that has left. `backlog`: ids behind it. `sent`, `lost`: since the kernel started. */
  readonly out: FleetSide & {
    readonly upto: number;
    readonly backlog: number;
    readonly sent: number;
    readonly lost: number;
  };
  /** Null: nothing is received. `pending`: frames in the stream, null where nobody knows. `stored`: since the kernel started. */
  readonly in:
    | (FleetSide & {
        readonly pending: number | null;
        /** Null: all that others send is here, or nobody knows. */
        readonly behind: FleetBehind | null;
        readonly stored: number;
      })
    | null;
  /** Under whose name two kernels send. This host's own name may be among them. */
  readonly conflicts: readonly RecentHost[];
  /** This host, where another copy of its data has sent as well. Else null. */
  readonly copied: RecentHost | null;
  /** Null: this host receives nothing, or no server has said it. */
  readonly stream: FleetStream | null;
  /** At most 100. */
  readonly clocks: readonly FleetClock[];
  /** Whose signals were too old on arrival, lately. At most 100. */
  readonly late: readonly RecentHost[];
  /** Other hosts. The table `origins` has each. */
  readonly origins: {
    readonly up: number;
    readonly silent: number;
    readonly missing: number;
    readonly late: number;
    /** At most 100. `at`: Unix milliseconds of the last sign of life, or null. */
    readonly silent_hosts: readonly { readonly host: string; readonly since: number; readonly at: number | null }[];
  };
}
