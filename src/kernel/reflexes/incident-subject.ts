/** What the texts of an incident, and the runs that report it, are about: the key, and a signal that matched. */
import { type Json, readJson } from "../../base/json.ts";
import type { WorkflowReflexConfig } from "../../model/config.ts";
import { isKeyed, shownKey } from "../../rules/key.ts";
import type { Subject } from "../../rules/summary.ts";
import type { Store } from "../../store/open.ts";

/** A key of a reflex, as far as its incidents need it. */
export interface IncidentKey {
  readonly config: WorkflowReflexConfig;
  /** Digest of the words that say which keys there are. */
  readonly scope: string;
  readonly key: string;
  /** The newest signal that matched; null: not known. */
  readonly newest: number | null;
  /** Of a signal's payload, what is about the key. */
  payloadFor(sense: string | null, payload: Json): Json;
}

/** With the trace of the signal; null where retention removed it. */
export type TracedSubject = Subject & { readonly trace: string | null };

export function subjectOf(store: Store, of: IncidentKey, signal: number): TracedSubject {
  const { name, key, each } = of.config;
  const found = store.signals.byId(signal);
  const whole = found === null ? null : (readJson(found.payload) ?? null);
  const sense = found?.sense ?? null;
  return {
    reflex: name,
    sense,
    key: isKeyed(key) ? shownKey(of.key) : null,
    payload: of.payloadFor(sense, whole),
    signal: each === null ? null : whole,
    at: found?.at ?? null,
    id: signal === 0 ? null : signal,
    trace: found?.trace ?? null,
  };
}
