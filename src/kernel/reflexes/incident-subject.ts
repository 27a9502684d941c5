/** Owns the subject of an incident's texts and of the runs that report it: the key, and a matching signal. */
import { type Json, readJson } from "../../base/json.ts";
import type { WorkflowReflexConfig } from "../../model/config.ts";
import { fullNameOf, originOf } from "../../model/full-name.ts";
import type { Signal } from "../../model/signal.ts";
import { isKeyed, shownKey } from "../../rules/key.ts";
import type { Subject } from "../../rules/summary.ts";
import type { Store } from "../../store/open.ts";

/** A key of a reflex, as far as its incidents need the key. */
export interface IncidentKey {
  readonly config: WorkflowReflexConfig;
  /** Digest of the words that define the keys. */
  readonly scope: string;
  readonly key: string;
  /** The newest matching signal. Null where none is known. */
  readonly newest: number | null;
  /** The part of a signal's payload that is about the key. */
  readonly payloadFor: (sense: string | null, payload: Json) => Json;
}

/** A subject with the trace of its signal. The trace is null where retention removed the signal. */
export type TracedSubject = Subject & { readonly trace: string | null };

/** A signal that was read. `found` is null where retention removed the signal. */
interface Read {
  readonly id: number;
  readonly found: Signal | null;
  readonly whole: Json;
}

export class Subjects {
  readonly #store: Store;
  /** Kept because many incidents may open at one signal. */
  #newest: Read | null = null;

  constructor(store: Store) {
    this.#store = store;
  }

  of({ config, key, payloadFor }: IncidentKey, signal: number): TracedSubject {
    const { found, whole } = this.#read(signal);
    const sense = found === null ? null : fullNameOf(found);
    return {
      reflex: config.name,
      sense,
      host: originOf(sense) ?? config.host,
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
