/** Owns one reflex of the configuration while the kernel runs. */
import type { ReflexConfig } from "../../model/config.ts";
import type { Calendar } from "../../rules/calendar.ts";
import { scheduleOf } from "../../rules/same-reflex.ts";
import type { Sense } from "../memory/sense.ts";
import type { Handle } from "../time/ticker.ts";
import type { KeyStates } from "./key-states.ts";

export interface Reflex {
  /** A reload may change the words that do not decide. */
  config: ReflexConfig;
  /** The target in the present configuration. Null where the target is a workflow. */
  sense: Sense | null;
  /** Each due time is stored, so that one that passed while nerve was down is caught up. */
  remembersDue: boolean;
  /** Digest of the words that decide. State of other words is not used. */
  readonly definition: string;
  /** Digest of the words that say when the reflex is due. */
  schedule: string;
  enabled: boolean;
  /** The reflex's memory of signals. Null for a reflex without words, which fires at each signal. */
  states: KeyStates | null;
  fired: number;
  throttled: number;
  /** Due times that started no run, because the run before had not begun. */
  missed: number;
  /** Due time of the newest firing by the clock, where this time is stored. */
  last: number | null;
  calendars: Calendar[];
  handles: Handle[];
}

export const isRemembered = ({ catchUp }: ReflexConfig): boolean => catchUp === "one";

export const newReflex = (
  config: ReflexConfig,
  sense: Sense | null,
  definition: string,
  last: number | null,
): Reflex => ({
  config,
  sense,
  remembersDue: isRemembered(config),
  definition,
  schedule: scheduleOf(config),
  enabled: true,
  states: null,
  fired: 0,
  throttled: 0,
  missed: 0,
  last,
  calendars: [],
  handles: [],
});

/** `reflex`, which goes on counting where the reflex of its name was before its words changed. */
export function countingOn(reflex: Reflex, before: Reflex | undefined): Reflex {
  if (before !== undefined) {
    reflex.fired = before.fired;
    reflex.throttled = before.throttled;
    reflex.missed = before.missed;
  }
  return reflex;
}
