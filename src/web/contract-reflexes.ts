/** Owns the shapes of the answers about reflexes: `/api/v1/reflexes` and `/api/v1/reflexes/NAME`. Types only. */
import type { Json } from "../base/json.ts";
import type { Status } from "../control/contract.ts";
import type { RunState } from "../model/run.ts";
import type { KernelLink } from "./contract.ts";

/** `GET /api/v1/reflexes`: in the order of nerve.yaml. */
export interface ReflexesAnswer {
  readonly link: KernelLink;
  readonly reflexes: readonly ReflexRow[];
}

export type ReflexRow = Status["reflexes"][number] & {
  readonly on: readonly string[];
  /** Words of the clock: `every 5s`, `at start`. */
  readonly clocks: readonly string[];
  /** Its words in short, in the order in which they apply: `when status 'critical'`, `for 30s`. */
  readonly words: readonly string[];
  readonly key: string | readonly string[] | null;
  /** Whether it keeps incidents. */
  readonly incident: boolean;
  /** How many keys it remembers anything of, and how many of these wait for a deadline. */
  readonly keys: number;
  readonly pending: number;
};

/** How a key stands, or stood for a while. */
export type KeyStanding =
  | "rest"
  | "matching"
  | "pending"
  | "debouncing"
  | "throttled"
  | "incident"
  | "spent"
  | "disabled";

/** What a key did between two times. `to` is null while it goes on. */
export interface KeySegment {
  readonly from: number;
  readonly to: number | null;
  readonly state: KeyStanding;
}

/** A key of a reflex, as the reflex remembers it now. */
export interface KeyNow {
  /** The value of `key`; null in a reflex without one. */
  readonly key: Json;
  readonly matching: boolean;
  /** Since which signal it matches; null where it does not match, or began to match before what was replayed. */
  readonly matching_since: { readonly signal: number; readonly at: number } | null;
  readonly for_until: number | null;
  readonly debounce_until: number | null;
  /** How many signals `count` counts by now. */
  readonly counted: number;
  readonly throttled_until: number | null;
  /** The signal that it waits with. */
  readonly signal: number | null;
  /** The open incident, or null. */
  readonly incident: { readonly id: number; readonly opened_at: number; readonly acked: boolean } | null;
}

/** A field that kept a payload from matching. */
export interface ShownMismatch {
  readonly path: string;
  readonly value: Json;
  readonly missing: boolean;
  readonly expected: string;
}

/** What a reflex made of one signal. */
export interface ShownDecision {
  readonly id: number;
  readonly sense: string;
  readonly at: number;
  readonly key: Json;
  /** `no-match`, `holding`, `throttled`, `fired` …: how far the signal came. */
  readonly outcome: string;
  readonly gone: boolean;
  /** The same in a sentence. */
  readonly because: string;
  readonly mismatches: readonly ShownMismatch[];
  readonly matching_since: { readonly signal: number; readonly at: number } | null;
  /** What came of its waiting later. */
  readonly later:
    | { readonly kind: "broken-off" | "forgotten"; readonly signal: number | null; readonly at: number }
    | {
        readonly kind: "fired" | "throttled";
        readonly signal: number;
        readonly at: number;
        readonly due: number | null;
      }
    | null;
  readonly run: { readonly id: number; readonly state: RunState; readonly error: string | null } | null;
  readonly silenced_by: string | null;
  readonly recorded: boolean | null;
  readonly halted: string | null;
}

/** Equal neighbours of one key, folded: `newest` is the newest of `count` decisions that end alike. */
export interface DecisionFold {
  readonly count: number;
  /** Of the oldest and the newest signal in it. */
  readonly first: { readonly id: number; readonly at: number };
  readonly last: { readonly id: number; readonly at: number };
  readonly newest: ShownDecision;
}

/**
 * `GET /api/v1/reflexes/NAME`, and `nerve explain NAME --json`. Parameters: `limit` (signals, 50; fewer where they have more than
 * 500 decisions), `before=SIGNAL` (decisions on older signals: the cursor), `key`, `keys_after` (the cursor of `pending`), `from` and `to` (times: the range of the segments).
 */
export interface ReflexAnswer {
  readonly reflex: string;
  readonly target: string;
  readonly on: readonly string[];
  readonly enabled: boolean;
  readonly disabled_since: number | null;
  readonly silenced: { readonly pattern: string; readonly why: string; readonly until: number } | null;
  /** Whether its rules are loaded; null: that is not known. */
  readonly loaded: boolean | null;
  /** It looks at signals above this one. */
  readonly begins_after: number | null;
  readonly not_heard: string | null;
  /** What the clock has brought. */
  readonly due_times: readonly {
    readonly at: number;
    readonly due: number | null;
    readonly message: string;
    readonly run: { readonly id: number; readonly state: RunState; readonly error: string | null } | null;
  }[];
  readonly next_due: number | null;
  /** The decisions one by one, oldest first. */
  readonly signals: readonly ShownDecision[];
  /** The same, equal neighbours of a key folded; newest first. */
  readonly decisions: readonly DecisionFold[];
  /** `before` of the next page of decisions; null: there are no more. */
  readonly next: string | null;
  /** Keys that wait or remember, in the order of their texts, 200 at most. `nerve explain` has all. */
  readonly pending: readonly KeyNow[];
  /** How many keys there are. */
  readonly pending_count: number;
  /** `keys_after` of the next page of keys; null: there are no more. */
  readonly pending_next: string | null;
  /** What the keys did in the range, by `key`. */
  readonly strips: readonly {
    readonly key: Json;
    readonly segments: readonly KeySegment[];
    readonly fired: readonly number[];
  }[];
  /** What was replayed. */
  readonly replayed: {
    readonly from: number;
    readonly to: number;
    readonly signals: number;
    /** Whether that is all that the reflex has seen. */
    readonly whole: boolean;
    readonly unreadable: readonly number[];
  };
}
