/** Owns the shapes of a replay: its input and its findings. */
import type { ReflexConfig } from "../model/config.ts";
import type { Signal } from "../model/signal.ts";
import type { Course, Turn } from "./course.ts";
import type { IncidentEvent, Stage } from "./decision.ts";
import type { IncidentMove, IncidentWorld } from "./incident-moves.ts";
import type { KeyState } from "./key-state.ts";
import type { Match } from "./matcher.ts";

/** A decision. Its times are times of the wall clock. */
export interface Replayed {
  /** Place of the reflex in the replayed list. */
  readonly reflex: number;
  readonly key: string;
  readonly kind: "fire" | "throttled";
  readonly signal: number;
  readonly due: number | null;
  readonly at: number;
  /** `due` on the axis; `at` where `due` is null. */
  readonly elapsed: number;
  /** The time from which the key may fire again. Null without `throttle`. */
  readonly until: number | null;
}

/** A reflex with words has looked at one signal, or at one element of a signal. */
export interface Evaluation {
  readonly reflex: number;
  readonly signal: Pick<Signal, "id" | "sense" | "at" | "payload">;
  readonly match: Match;
  /** The signal no longer has an element of this key. */
  readonly isGone: boolean;
  readonly before: KeyState;
  readonly after: KeyState;
  /**
   * Null when the reflex did not look at the key, because it remembers as many keys as it may. Times are times of the wall
   * clock.
   */
  readonly stage: Stage | null;
}

/** Hears more than decisions. */
export interface ReplayObserver {
  evaluated(evaluation: Evaluation): void;
  /**
   * The reflex matched nothing: it is disabled, or has no words and fires anyway, or finds no array at the path of `each`.
   */
  passed(reflex: number, signal: Evaluation["signal"], isDisabled: boolean): void;
  /** The reflex needs a payload that was damaged in the store. */
  unreadable(reflex: number, signal: Evaluation["signal"]): void;
  /** `at`: Unix milliseconds. */
  forgot(reflex: number, kind: Turn["kind"], at: number): void;
}

export interface ReplayParts {
  /** A signal comes to the reflexes in this order. */
  readonly reflexes: readonly ReflexConfig[];
  readonly course: Course;
  readonly decided: (decision: Replayed) => void;
  readonly observer: ReplayObserver | null;
  /** Null where nothing holds a notification back. */
  readonly incidents: ReplayedIncidents | null;
}

/** The world of a replay's incidents. It also hears every move. */
export interface ReplayedIncidents {
  world(reflex: number, key: string, wallAt: (elapsed: number) => number): IncidentWorld;
  /** Acts of persons on the key's incidents, from the last question up to `elapsed`, in order. */
  acts(reflex: number, key: string, elapsed: number): readonly IncidentEvent[];
  /** `at`: Unix milliseconds. */
  moved(reflex: number, key: string, move: IncidentMove, at: number): void;
}

export interface Counts {
  /** Signals of the senses that the reflex listens to. */
  readonly signals: number;
  readonly matched: number;
  readonly fired: number;
  readonly throttled: number;
  /** Signals that the reflex did not look at, because it remembers as many keys as it may. */
  readonly limited: number;
}
