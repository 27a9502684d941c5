/** What a replay finds, and what it is given. */
import type { ReflexConfig } from "../model/config.ts";
import type { Signal } from "../model/signal.ts";
import type { Course, Turn } from "./course.ts";
import type { IncidentEvent, Stage } from "./decision.ts";
import type { IncidentMove, IncidentWorld } from "./incident-moves.ts";
import type { KeyState } from "./key-state.ts";
import type { Match } from "./matcher.ts";

/** A decision, its times on the wall clock. */
export interface Replayed {
  /** Place of its reflex in the list that is replayed. */
  readonly reflex: number;
  readonly key: string;
  readonly kind: "fire" | "throttled";
  readonly signal: number;
  readonly due: number | null;
  readonly at: number;
  /** `due`, or `at` without one, on the axis. */
  readonly elapsed: number;
  /** When the key may fire again; null without `throttle`. */
  readonly until: number | null;
}

/** What one signal, or one element of it, was to a reflex with words. */
export interface Evaluation {
  readonly reflex: number;
  readonly signal: Pick<Signal, "id" | "sense" | "at" | "payload">;
  readonly match: Match;
  /** The signal has no element of this key any longer. */
  readonly isGone: boolean;
  readonly before: KeyState;
  readonly after: KeyState;
  /** Null when it was not looked at: its key is one too many. Times in it are on the wall clock. */
  readonly stage: Stage | null;
}

/** Who wants to know of more than decisions. */
export interface ReplayObserver {
  evaluated(evaluation: Evaluation): void;
  /** Nothing to match: it is disabled, has no words and fires anyway, or finds no array at the path of `each`. */
  passed(reflex: number, signal: Evaluation["signal"], isDisabled: boolean): void;
  /** Its payload was damaged in the store, and the reflex needs it. */
  unreadable(reflex: number, signal: Evaluation["signal"]): void;
  /** Unix milliseconds. */
  forgot(reflex: number, kind: Turn["kind"], at: number): void;
}

export interface ReplayParts {
  /** In their order for each signal. */
  readonly reflexes: readonly ReflexConfig[];
  readonly course: Course;
  readonly decided: (decision: Replayed) => void;
  readonly observer: ReplayObserver | null;
  /** Null: nothing holds a notification back. */
  readonly incidents: ReplayedIncidents | null;
}

/** The world of the incidents of a replay, and who hears of what becomes of them. */
export interface ReplayedIncidents {
  world(reflex: number, key: string, wallAt: (elapsed: number) => number): IncidentWorld;
  /** What persons did to the key's incidents since they were last asked about, up to `elapsed`; in order. */
  acts(reflex: number, key: string, elapsed: number): readonly IncidentEvent[];
  /** `at`: Unix milliseconds. */
  moved(reflex: number, key: string, move: IncidentMove, at: number): void;
}

export interface Counts {
  /** Signals of the senses it listens to. */
  readonly signals: number;
  readonly matched: number;
  readonly fired: number;
  readonly throttled: number;
  /** Signals that were not looked at, for their key was one too many. */
  readonly limited: number;
}
