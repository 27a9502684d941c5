/** One reflex of the configuration, while the kernel runs. */
import type { ReflexConfig } from "../../model/config.ts";
import type { Calendar } from "../../rules/calendar.ts";
import { scheduleOf } from "../../rules/same-reflex.ts";
import type { Sense } from "../memory/sense.ts";
import type { Handle } from "../time/ticker.ts";
import type { KeyStates } from "./key-states.ts";

export interface Reflex {
  /** A reload may change what is not one of the words that decide. */
  config: ReflexConfig;
  /** The target as it is configured now; null where the target is a workflow. */
  sense: Sense | null;
  /** Digest of the words that decide, so that state of other words is not taken for its own. */
  readonly definition: string;
  /** Digest of the words that say when it is due. */
  schedule: string;
  enabled: boolean;
  /** What the reflex remembers of signals; null for a reflex without words, which fires at each. */
  states: KeyStates | null;
  fired: number;
  throttled: number;
  /** Due times that started no run, because the run before had not begun. */
  missed: number;
  /** Due time of the newest firing by the clock, where that is kept. */
  last: number | null;
  calendars: Calendar[];
  handles: Handle[];
}

export const newReflex = (
  config: ReflexConfig,
  sense: Sense | null,
  definition: string,
  last: number | null,
): Reflex => ({
  config,
  sense,
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
