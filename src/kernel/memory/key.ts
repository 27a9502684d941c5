/** What a reflex remembers of one key, while the kernel runs. */
import type { KeyState } from "../../rules/key-state.ts";
import type { Handle } from "../time/ticker.ts";

/** Changed after the commit only. */
export interface KeyMemory {
  readonly key: string;
  state: KeyState;
  /** The newest signal that matched, in a reflex with `incident`; null: none since the kernel started. */
  newest: number | null;
  /** The timer that is set, for its deadline or an earlier one. */
  armed: { readonly at: number; readonly handle: Handle } | null;
}

/** Who remembers. */
export interface Remembering {
  /** Name of the reflex. */
  readonly name: string;
  /** Digest its states belong to. */
  readonly definition: string;
  /** After the commit. `state` null: the key is at rest, and forgotten. */
  kept(memory: KeyMemory, state: KeyState | null): void;
}
