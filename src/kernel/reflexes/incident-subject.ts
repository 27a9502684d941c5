/** What the texts of an incident, and the runs that report it, are about: the key, and a signal that matched. */
import { type Json, readJson } from "../../base/json.ts";
import type { WorkflowReflexConfig } from "../../model/config.ts";
import type { Signal } from "../../model/signal.ts";
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
  readonly payloadFor: (sense: string | null, payload: Json) => Json;
}

/** With the trace of the signal; null where retention removed it. */
export type TracedSubject = Subject & { readonly trace: string | null };

/** What was read of a signal; null where retention removed it. */
interface Read {
  readonly id: number;
  readonly found: Signal | null;
  readonly whole: Json;
}

export class Subjects {
  readonly #store: Store;
  /** Many incidents may open at one signal. */
  #newest: Read | null = null;

  constructor(store: Store) {
    this.#store = store;
  }

  of({ config, key, payloadFor }: IncidentKey, signal: number): TracedSubject {
    const { found, whole } = this.#read(signal);
    const sense = found?.sense ?? null;
    return {
      reflex: config.name,
      sense,
      key: isKeyed(config.key) ? shownKey(key) : null,
      payload: payloadFor(sense, whole),
      signal: config.each === null ? null : whole,
      at: found?.at ?? null,
      id: signal === 0 ? null : signal,
      trace: found?.trace ?? null,
    };
  }

  #read(id: number): Read {
    if (this.#newest?.id === id && this.#newest.found !== null) return this.#newest;
    const found = this.#store.signals.byId(id);
    const whole = found === null ? null : (readJson(found.payload) ?? null);
    this.#newest = { id, found, whole };
    return this.#newest;
  }
}
