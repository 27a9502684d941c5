/**
 * Owns the shapes of a rule and of its decisions about one key. `rule.ts` decides, and `incident-rule.ts` where incidents
 * are kept.
 */
import type { Json } from "../base/json.ts";
import type { IncidentConfig } from "../model/config.ts";
import type { IncidentMove } from "./incident-moves.ts";
import type { KeyState } from "./key-state.ts";

/** The words of a reflex with their defaults filled in. */
export interface Rule {
  readonly edge: "level" | "rising" | "falling";
  readonly hasWhen: boolean;
  readonly hasClear: boolean;
  readonly forMs: number | null;
  readonly count: { readonly n: number; readonly withinMs: number } | null;
  readonly debounce: { readonly waitMs: number; readonly maxMs: number | null } | null;
  readonly throttleMs: number | null;
  /** Null where the reflex keeps no incidents. With incidents `incident-rule.ts` decides, without the words above. */
  readonly incident: IncidentRule | null;
}

/** How a reflex keeps and reports incidents. A reload that changes these words changes no memory. */
export interface IncidentRule extends Pick<IncidentConfig, "escalate"> {
  /** The workflow of the reflex itself. */
  readonly workflow: string;
  readonly resolveAfterMs: number;
  readonly remindEveryMs: number | null;
}

export type RuleEvent =
  /** Without `when` every signal matches; `clears` is false without `clear`. */
  | {
      readonly kind: "signal";
      readonly id: number;
      readonly elapsed: number;
      readonly matches: boolean;
      readonly clears: boolean;
      /** The last element of a key that this signal no longer has. Null where the signal itself has the key. */
      readonly element: Json;
    }
  /** A deadline may have come. */
  | { readonly kind: "time"; readonly elapsed: number };

export interface Decision {
  readonly kind: "fire" | "throttled";
  /** The signal of the decision: the latest matching signal, or with `falling` the signal that ended the match. */
  readonly signal: number;
  /** The element of the decision, where its signal has no element of the key. Null otherwise. */
  readonly element: Json;
  /** The deadline that led to the decision. Null when the signal itself led to it. */
  readonly due: number | null;
  /** The time at which the decision counts: `due`, or later for a deadline that was found late. */
  readonly elapsed: number;
  /** The time from which the key may fire again. Null without `throttle`. */
  readonly until: number | null;
}

/** How far a signal came, and what it waits for. */
export type Stage =
  | { readonly kind: "no-match" }
  | { readonly kind: "no-edge"; readonly edge: "rising" | "falling"; readonly isMatching: boolean }
  /** `due` is the time at which the broken-off `for` would have run out. */
  | { readonly kind: "broken-off"; readonly due: number }
  | { readonly kind: "holding"; readonly until: number }
  | { readonly kind: "counting"; readonly count: number; readonly n: number }
  | { readonly kind: "debouncing"; readonly until: number }
  | { readonly kind: "throttled"; readonly until: number }
  | { readonly kind: "fired" }
  | { readonly kind: "incident"; readonly step: "opened" | "open" | "again" | "resolved" | "spent" | "limited" }
  /** An open incident no longer matches, and resolves at `until`. */
  | { readonly kind: "ending"; readonly until: number };

export interface Outcome {
  readonly state: KeyState;
  /** In the order in which they were decided. */
  readonly decisions: readonly Decision[];
  /** The moves of incidents, in the same order. */
  readonly moves: readonly IncidentMove[];
  /** The time at which the next `time` event is needed. Null while nothing is pending. */
  readonly deadline: number | null;
  /** The stage of this event's signal. Null for a `time` event. */
  readonly stage: Stage | null;
}

export type IncidentEvent =
  | RuleEvent
  /** A hold on notifications may be over. */
  | { readonly kind: "look"; readonly elapsed: number }
  | { readonly kind: "ack"; readonly elapsed: number; readonly by: string; readonly why: string | null }
  | { readonly kind: "resolve"; readonly elapsed: number; readonly reason: string };
