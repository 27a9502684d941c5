/** One reflex of the configuration, while the kernel runs. */
import type { ReflexConfig } from "../../model/config.ts";
import type { Sense } from "../memory/sense.ts";
import type { Calendar } from "../time/calendar.ts";
import type { Handle } from "../time/ticker.ts";
import type { KeyStates } from "./key-states.ts";

export interface Reflex {
  readonly config: ReflexConfig;
  /** The target as it is configured now; null where the target is a workflow. */
  sense: Sense | null;
  /** Digest of what the reflex does, so that state of another definition is not taken for its own. */
  readonly definition: string;
  enabled: boolean;
  /** What the reflex remembers of signals; null for a reflex without words, which fires at each. */
  states: KeyStates | null;
  fired: number;
  throttled: number;
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
  enabled: true,
  states: null,
  fired: 0,
  throttled: 0,
  last,
  calendars: [],
  handles: [],
});
