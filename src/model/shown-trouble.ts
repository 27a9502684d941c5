/** Owns the shape of what is wrong, as programs read it: `nerve why --json` and `/api/v1/why` have the same. Types only. */

import type { Severity } from "./incident.ts";

/** `listener`: `http` or `push` does not listen, `fleet` or `otlp` is cut off. `hosts`: other hosts are silent. `store`: what nerve answers to commits. `check`: a number of another sense that a sense `host-health` judges. */
export type TroubleKind =
  | "incident"
  | "run"
  | "sense"
  | "workflow"
  | "channel"
  | "group"
  | "listener"
  | "hosts"
  | "store"
  | "check";

export interface ShownTrouble {
  readonly kind: TroubleKind;
  /** Of an incident or a run; null for what has a name. */
  readonly id: number | null;
  /** The reflex of an incident, the workflow of a run, the sense of a check; `http`, `push`, `fleet` or `otlp` of a listener, the host where one is silent; null for several hosts and the store. */
  readonly name: string | null;
  /** `open`, `acked`, `failed`, `stuck`, `failing` …; of a check `warning` or `critical`. */
  readonly state: string;
  readonly severity: Severity;
  /** Unix milliseconds; null where nothing says so. */
  readonly since: number | null;
  /** The summary of an incident, the error of a run, the reason of a sense; null where there is none. */
  readonly says: string | null;
  /** Of an incident; null for another kind, and without a key. */
  readonly key: string | null;
  /** Null for another kind. */
  readonly check: ShownCheck | null;
}

/** What is judged, its value, the limit that it has passed, and the signal that says so. */
export interface ShownCheck {
  readonly check: string;
  readonly value: number;
  readonly limit: number;
  readonly by: string;
  readonly signal: number;
}
