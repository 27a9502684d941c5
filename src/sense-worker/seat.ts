/** A sense that is ready to compute. */
import type { ParentMessageOf } from "../ipc/definitions.ts";
import type { Peers } from "../sdk/index.ts";
import type { LoadedSense } from "./load-compute.ts";
import type { SenseDb } from "./sense-database.ts";

export interface Seat {
  readonly init: ParentMessageOf<"init">["senses"][number];
  /** Where its computes are noted. */
  readonly place: number;
  /** How long its newest compute took. */
  tookMs: number;
  readonly sense: LoadedSense;
  readonly db: SenseDb;
  /** What its code reads of the other senses. */
  peers: Peers;
}
