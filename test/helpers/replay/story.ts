/** How a run is to go, and how it went. */
import type { Log } from "../../../src/model/log.ts";
import type { RunEvent } from "../../../src/model/run.ts";
import type { Program } from "./program.ts";

/** `cancel`: the run ends there. */
export type Cut = "kill" | "release" | "time out" | "cancel";

export interface Script {
  readonly seed: number;
  /** For each life of the worker: after how many points of it, and how, it is cut; afterwards it is left alone. */
  readonly cuts: readonly { readonly after: number; readonly how: Cut }[];
  /** Attempts after the first. */
  readonly retries: number;
  /** How often the run is retried by hand, once it has ended. */
  readonly byHand: number;
  /** The program of each life; the last one stays. */
  readonly programs: readonly Program[];
  /** Rounds of the event loop after a point at which the worker is cut; null: once nothing goes on. */
  readonly rounds: number | null;
}

/** A call that settled, as the code saw it. */
export interface Sight {
  readonly what: string;
  readonly where: string;
  readonly value: string;
}

export interface Life {
  readonly program: Program;
  /** The run, or a retry by hand of the one before. */
  readonly run: number;
  readonly attempt: number;
  readonly sights: Sight[];
  /** Points at which it could have been cut. */
  points: number;
  /** What its code still does is done by nobody. */
  isDead: boolean;
}

export interface Story {
  /** Of the last run. */
  readonly rows: readonly Log[];
  readonly lives: readonly Life[];
  readonly end: RunEvent;
  /** How each run ended, in order. */
  readonly ends: readonly RunEvent[];
  /** Of steps, how often their functions returned. */
  readonly returned: ReadonlyMap<string, number>;
  readonly violations: readonly string[];
}
