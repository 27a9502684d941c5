/** Owns the search for the newest stored signals of a sense: a start knows nothing else of what came before. */
import { type Json, readJson } from "../../base/json.ts";
import { fullNameOf, hasWildcard } from "../../model/full-name.ts";
import type { Store } from "../../store/open.ts";
import { ALL_SIGNALS } from "../../store/signals.ts";

/** A signal as it is stored. */
export interface StoredPayload {
  readonly id: number;
  /** The full name. */
  readonly sense: string;
  readonly payload: Json;
}

/** How far back the newest signals of a sense are sought. No index by sense exists. */
const SOUGHT_SIGNALS = 200_000;
const SOUGHT_PAYLOADS = 10;
/** The same of senses of several hosts. */
const SOUGHT_OF_MANY = 1_000;

/**
 * The newest first. `sense`: a full name, or a pattern of senses of other hosts. Signals that no reflex looked at are left out.
 */
export function* payloadsBefore(signals: Store["signals"], sense: string, id: number): Generator<StoredPayload> {
  const newest = Math.min(id, signals.lastId() + 1);
  const after = Math.max(0, newest - SOUGHT_SIGNALS);
  const limit = hasWildcard(sense) ? SOUGHT_OF_MANY : SOUGHT_PAYLOADS;
  const found = signals.list({ ...ALL_SIGNALS, after, senses: [sense], limit, newest: true });
  for (const signal of found.sort((a, b) => b.id - a.id)) {
    if (signal.id >= id || signal.late !== null) continue;
    yield { id: signal.id, sense: fullNameOf(signal), payload: readJson(signal.payload) ?? null };
  }
}
