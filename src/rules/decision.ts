/** The shapes of a rule and of what it decides about one key: `rule.ts` decides, and `incident-rule.ts` where incidents are kept. */
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
  /** Null where the reflex keeps no incidents; else `incident-rule.ts` decides in place of what stands here. */
  readonly incident: IncidentRule | null;
}

/** How a reflex keeps and reports incidents. A reload may change it, and changes nothing that is remembered. */
export interface IncidentRule extends Pick<IncidentConfig, "escalate"> {
  /** The reflex's own. */
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
      /** What was last seen of a key that this signal has no element of; null where the signal itself has it. */
      readonly element: Json;
    }
  /** A deadline may have come. */
  | { readonly kind: "time"; readonly elapsed: number };

export interface Decision {
  readonly kind: "fire" | "throttled";
  /** The signal it is decided for: the latest matching one; with `falling` the one that ended it. */
  readonly signal: number;
  /** What it is decided about, where that signal has no element of the key; else null. */
  readonly element: Json;
  /** The deadline that led to it, or null when the signal itself did. */
  readonly due: number | null;
  /** When it counts as decided: `due`, or later if that was found late. */
  readonly elapsed: number;
  /** When the key may fire again; null without `throttle`. */
  readonly until: number | null;
}

/** How far a signal came, and what it waits for. */
export type Stage =
  | { readonly kind: "no-match" }
  | { readonly kind: "no-edge"; readonly edge: "rising" | "falling"; readonly isMatching: boolean }
  /** `due` is what a `for` that was under way would have run out at. */
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
  /** In the order they were decided. */
  readonly decisions: readonly Decision[];
  /** What becomes of incidents, in that order. */
  readonly moves: readonly IncidentMove[];
  /** When a `time` event is needed next; null while nothing is pending. */
  readonly deadline: number | null;
  /** Of the signal of this event; null for a `time` event. */
  readonly stage: Stage | null;
}

export type IncidentEvent =
  | RuleEvent
  /** What held notifications back may be over. */
  | { readonly kind: "look"; readonly elapsed: number }
  | { readonly kind: "ack"; readonly elapsed: number; readonly by: string; readonly why: string | null }
  | { readonly kind: "resolve"; readonly elapsed: number; readonly reason: string };
